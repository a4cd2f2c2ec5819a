package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The hosts, all of which are this process.
const (
	central   = "prod.autodetect.outlook.cloud.microsoft"
	labHost   = "autodiscover.lab.test"
	labConfig = "autoconfig.lab.test"
	docHost   = "autodiscover.example.com"
	bank      = "www.bank.net"
)

var hosts = []string{central, labHost, labConfig, docHost, bank}

// upstream answers for all hosts, over TLS and without.
type upstream struct {
	secure, plain string
	rootPEM       []byte
	servers       []*http.Server
	mu            sync.Mutex
	seen          map[string]struct{} // accounts
}

func startUpstream() (*upstream, error) {
	u := &upstream{seen: make(map[string]struct{})}
	leaf, err := u.sign()
	if err != nil {
		return nil, err
	}
	for _, to := range []*string{&u.secure, &u.plain} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			u.close()
			return nil, err
		}
		*to = l.Addr().String()
		s := &http.Server{Handler: u, ErrorLog: log.New(io.Discard, "", 0), TLSConfig: &tls.Config{Certificates: []tls.Certificate{leaf}}}
		u.servers = append(u.servers, s)
		serve := s.Serve
		if to == &u.secure {
			serve = func(l net.Listener) error { return s.ServeTLS(l, "", "") }
		}
		go func() { _ = serve(l) }()
	}
	return u, nil
}

func (u *upstream) close() {
	for _, s := range u.servers {
		_ = s.Shutdown(context.Background())
	}
}

// sign makes one self-signed certificate for all hosts.
func (u *upstream) sign() (leaf tls.Certificate, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return leaf, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "soak"}, DNSNames: hosts,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return leaf, err
	}
	u.rootPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// asked is how many accounts of each domain were asked about; an account is asked about once, whatever a transport sends again.
func (u *upstream) asked() counts {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := counts{}
	for account := range maps.Keys(u.seen) {
		n[domainOf(account)]++
	}
	return n
}

// ServeHTTP implements http.Handler. What is asked says which answer belongs to it, so that a client can tell its own from another's.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path == pagePath {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, page(r.URL.Query().Get("n")))
		return
	}
	account := accountOf(r, string(body))
	u.mu.Lock()
	u.seen[account] = struct{}{}
	u.mu.Unlock()
	text, kind := document(r.URL.Path, account)
	w.Header().Set("Content-Type", kind)
	if !strings.HasPrefix(domainOf(account), "cut") {
		_, _ = io.WriteString(w, text)
		return
	}
	_, _ = io.WriteString(w, text[:len(text)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func accountOf(r *http.Request, body string) string {
	if user, _, ok := r.BasicAuth(); ok {
		return user
	}
	if _, rest, ok := strings.Cut(body, "<EMailAddress>"); ok {
		account, _, _ := strings.Cut(rest, "<")
		return account
	}
	return r.URL.Query().Get("emailaddress")
}

func domainOf(account string) string {
	_, domain, _ := strings.Cut(account, "@")
	return domain
}
