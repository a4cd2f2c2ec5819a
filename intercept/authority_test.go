package intercept_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// authority signs for any name below its scope; it plays the guard's issuer and, another one, the web's authority.
type authority struct {
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
	scope string   // "" for any name
	chain [][]byte // what stands between its leaves and a root
	mu    sync.Mutex
	made  map[string]*tls.Certificate
}

func newAuthority(tb testing.TB, name string) *authority {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &authority{cert: cert, key: key, made: make(map[string]*tls.Certificate)}
}

func (a *authority) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// file is the root as a program reads it.
func (a *authority) file(tb testing.TB) string {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), "root.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o600); err != nil {
		tb.Fatal(err)
	}
	return name
}

// Leaf implements intercept.Issuer.
func (a *authority) Leaf(name string) (*tls.Certificate, error) {
	if a.scope != "" && name != a.scope && !strings.HasSuffix(name, "."+a.scope) {
		return nil, errors.New("out of scope")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if leaf, ok := a.made[name]; ok {
		return leaf, nil
	}
	leaf, err := a.sign(&x509.Certificate{DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)})
	if err == nil {
		a.made[name] = leaf
	}
	return leaf, err
}

func (a *authority) sign(template *x509.Certificate) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	if template.ExtKeyUsage == nil {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: append([][]byte{der}, a.chain...), PrivateKey: key, Leaf: leaf}, err
}

// below is an authority that a has signed.
func (a *authority) below(tb testing.TB, template *x509.Certificate) *authority {
	tb.Helper()
	template.Subject = pkix.Name{CommonName: "below " + a.cert.Subject.CommonName}
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	cert, err := a.sign(template)
	if err != nil {
		tb.Fatal(err)
	}
	return &authority{cert: cert.Leaf, key: cert.PrivateKey.(*ecdsa.PrivateKey), chain: cert.Certificate, made: make(map[string]*tls.Certificate)}
}
