package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
	"autodiscover-guard/intercept"
)

// selfSigned makes a certificate for 127.0.0.1 that its holder has signed, as text and for use.
func selfSigned(t *testing.T, name string) (string, tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	certificate, err := tls.X509KeyPair([]byte(text), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return text, certificate
}

// addSettings adds to the configuration of a process that has not been started.
func (p *process) addSettings(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(p.dir, "guard.yaml")
	settings, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, string(settings)+text)
}

// Where clients.certificates names authorities, nobody is served at the door without a certificate of theirs.
func TestDoor_demandsClientCertificates(t *testing.T) {
	t.Parallel()
	service := startService(t, lab.AutoDetect())
	guard := newProcess(t, service)
	serverText, server := selfSigned(t, "proxy")
	known, knownKey := selfSigned(t, "desk")
	_, stranger := selfSigned(t, "stranger")
	write(t, filepath.Join(guard.dir, "proxy.pem"), serverText)
	write(t, filepath.Join(guard.dir, "clients.pem"), known)
	guard.addSettings(t, "listen: {certificate: proxy.pem}\nclients: {certificates: clients.pem}\n")
	guard.start(t)
	defer guard.kill(t)
	roots := x509.NewCertPool()
	roots.AddCert(server.Leaf)
	for name, c := range map[string]struct {
		shown  []tls.Certificate
		served bool
	}{
		"no":        {nil, false},
		"a strange": {[]tls.Certificate{stranger}, false},
		"a known":   {[]tls.Certificate{knownKey}, true},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			transport := &http.Transport{TLSClientConfig: &tls.Config{
				RootCAs: roots, MaxVersion: version, MinVersion: tls.VersionTLS12,
				// Shown whether or not its issuer is among those that the server names.
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					if len(c.shown) == 0 {
						return new(tls.Certificate), nil
					}
					return &c.shown[0], nil
				},
			}}
			response, err := (&http.Client{Transport: transport}).Get("https://" + guard.address + "/")
			if served := err == nil; served != c.served {
				t.Errorf("%s certificate, %s: served %v, %v", name, tls.VersionName(version), served, err)
			}
			if err == nil {
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
			transport.CloseIdleConnections()
		}
	}
}

// What editors of Windows put in front of a text is no part of the name.
func TestReadCredentials_byteOrderMark(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials")
	write(t, file, "\ufeffdesk:geheim\r\n")
	got, err := readCredentials(file)
	if want := intercept.NewCredentials("desk", "geheim"); err != nil || got != want {
		t.Errorf("another name or password was read, %v", err)
	}
}
