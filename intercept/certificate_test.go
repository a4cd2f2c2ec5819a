package intercept_test

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"maps"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"autodiscover-guard/intercept"
)

// shown is an upstream that shows the certificate that make makes.
func shown(make func(tb testing.TB, web *authority, names []string) (*tls.Certificate, error)) func(*testing.T, *authority) string {
	return func(t *testing.T, web *authority) string {
		t.Helper()
		cert, err := make(t, web, []string{central, "opened.net"})
		if err != nil {
			t.Fatal(err)
		}
		return secured(t, jsonAnswer("{}"), cert)
	}
}

// signed is an upstream whose certificate the web's authority has signed.
func signed(change func(*x509.Certificate)) func(*testing.T, *authority) string {
	return shown(func(_ testing.TB, web *authority, names []string) (*tls.Certificate, error) {
		template := &x509.Certificate{DNSNames: names}
		change(template)
		return web.sign(template)
	})
}

// signedBelow is one whose certificate an authority below the web's has signed, or one below that.
func signedBelow(templates ...*x509.Certificate) func(*testing.T, *authority) string {
	return shown(func(tb testing.TB, web *authority, names []string) (*tls.Certificate, error) {
		tb.Helper()
		for _, template := range templates {
			web = web.below(tb, template)
		}
		return web.sign(&x509.Certificate{DNSNames: names})
	})
}

// shaking is an upstream that makes its handshakes in a way of its own.
func shaking(config *tls.Config) func(*testing.T, *authority) string {
	return func(t *testing.T, web *authority) string {
		t.Helper()
		config := config.Clone()
		config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return web.Leaf(hello.ServerName) }
		return listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, tls.Server(c, config)) })
	}
}

// saying is an upstream that reads a hello, says something, and ends the connection.
func saying(text string, end func(net.Conn)) func(*testing.T, *authority) string {
	return func(t *testing.T, _ *authority) string {
		t.Helper()
		return listen(t, func(c net.Conn) {
			head := make([]byte, 5)
			if _, err := io.ReadFull(c, head); err != nil {
				return
			}
			_, _ = io.CopyN(io.Discard, c, int64(head[3])<<8|int64(head[4]))
			_, _ = io.WriteString(c, text)
			end(c)
		})
	}
}

// serverHello is a ServerHello (RFC 5246, section 7.4.1.3) that chooses a version and a cipher suite.
func serverHello(version, suite uint16) string {
	body := append([]byte{byte(version >> 8), byte(version)}, make([]byte, 33)...) // no session
	body = append(body, byte(suite>>8), byte(suite), 0)                            // no compression
	message := append([]byte{2, 0, 0, byte(len(body))}, body...)
	return string(append([]byte{22, 3, 3, 0, byte(len(message))}, message...))
}

// The record and the page say which check of the upstream's TLS failed, whatever it was, and nothing has been told to such an upstream.
func TestCertificate_everyCheck(t *testing.T) {
	const unsafe, broken = "speaks no version of TLS that is still safe", "breaks the TLS handshake off"
	quietly := func(net.Conn) {}
	for name, c := range map[string]struct {
		check, text string
		upstream    func(*testing.T, *authority) string
	}{
		"another name": {"host name", "shows a certificate for another name", signed(func(c *x509.Certificate) { c.DNSNames = []string{bank} })},
		"no name": {"host name", "shows a certificate for another name", signed(func(c *x509.Certificate) {
			c.DNSNames, c.Subject = nil, pkix.Name{CommonName: central}
		})},
		"unknown authority": {"authority", "shows a certificate of an unknown authority", shown(func(tb testing.TB, _ *authority, names []string) (*tls.Certificate, error) {
			tb.Helper()
			return newAuthority(tb, "rogue").sign(&x509.Certificate{DNSNames: names})
		})},
		"an intermediate is missing": {"authority", "shows a certificate of an unknown authority", shown(func(tb testing.TB, web *authority, names []string) (*tls.Certificate, error) {
			tb.Helper()
			below := web.below(tb, &x509.Certificate{})
			below.chain = nil
			return below.sign(&x509.Certificate{DNSNames: names})
		})},
		"signed by a leaf": {"authority", "shows a certificate of an unknown authority", shown(func(tb testing.TB, web *authority, names []string) (*tls.Certificate, error) {
			tb.Helper()
			leaf, err := web.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "leaf"}})
			if err != nil {
				return nil, err
			}
			return (&authority{cert: leaf.Leaf, key: leaf.PrivateKey.(*ecdsa.PrivateKey), chain: leaf.Certificate}).sign(&x509.Certificate{DNSNames: names})
		})},
		"a path that is too long": {"authority", "shows a certificate whose authority may not sign it", signedBelow(&x509.Certificate{MaxPathLenZero: true}, &x509.Certificate{})},
		"SHA-1": {"signature", "shows a certificate whose signature is of a kind that is not safe any more", signed(func(c *x509.Certificate) {
			c.SignatureAlgorithm = x509.ECDSAWithSHA1
		})},
		"expired":     {"expired", "shows a certificate that has expired", signed(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })},
		"not yet":     {"not yet valid", "shows a certificate that is not valid yet", signed(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })},
		"authority's": {"expired", "shows a certificate that has expired", signedBelow(&x509.Certificate{NotAfter: time.Now().Add(-time.Minute)})},
		"a client's certificate": {"usage", "shows a certificate that is not meant for a server", signed(func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		})},
		"an authority for other names": {"name constraints", "shows a certificate whose authority may not sign for this name", signedBelow(
			&x509.Certificate{PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{"lab.test"}})},
		"critical and unknown": {"certificate", "shows a certificate that does not verify", signed(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 1}, Critical: true, Value: []byte{5, 0}}}
		})},
		"plain HTTP":                {"protocol", "does not speak TLS", saying("HTTP/1.1 400 Bad Request\r\n\r\n", quietly)},
		"TLS 1.1, an alert":         {"version", unsafe, shaking(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})},
		"TLS 1.1, chosen":           {"version", unsafe, saying(serverHello(tls.VersionTLS11, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA), quietly)},
		"no cipher suite in common": {"handshake", "refuses the TLS handshake", shaking(&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}})},
		"wants a certificate":       {"handshake", "refuses the TLS handshake", shaking(&tls.Config{MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert})},
		"a cipher suite of its own": {"handshake", "does not complete the TLS handshake", saying(serverHello(tls.VersionTLS12, tls.TLS_RSA_WITH_RC4_128_SHA), quietly)},
		"closes":                    {"handshake", broken, saying("", quietly)},
		"closes in the middle":      {"handshake", broken, saying("\x16\x03\x03\x00\x30\x02", quietly)},
		"resets":                    {"handshake", broken, saying("", func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) })},
		"resets in the middle":      {"handshake", broken, saying(serverHello(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web := newAuthority(t, "other web")
			w := newWorld(t, jsonAnswer(""), everywhere(c.upstream(t, web)), timeouts(func(u *intercept.UpstreamConfig) { u.Roots = web.roots() }))
			for _, h2 := range []bool{true, false} { // asked in HTTP/2 where upstream offers it, or not
				client := w.client(h2)
				checkPage(t, send(t, client, request(t, http.MethodGet, "https://opened.net/", "")), http.StatusBadGateway, "autodiscover-guard: opened.net "+c.text+" (tls).\n")
				checkPage(t, send(t, client, ask(t, "https", "user@corp-mail.net")), http.StatusBadGateway, "autodiscover-guard: "+central+" "+c.text+" (tls).\n")
			}
			for n := range 2 {
				record := w.decision(n + 1)
				if u := record["upstream"].(map[string]any); u["error"] != "tls" || u["check"] != c.check || record["credentials"].(map[string]any)["forwarded"] != false {
					t.Errorf("got record %v, want check %s", record, c.check)
				}
			}
		})
	}
}

// What is no discovery has no record. The log says why it failed, at info, though not each time.
func TestCertificate_isToldWhereThereIsNoRecord(t *testing.T) {
	web := newAuthority(t, "other web")
	addr := signed(func(c *x509.Certificate) { c.DNSNames = []string{bank} })(t, web)
	w := newWorld(t, jsonAnswer(""), everywhere(addr), timeouts(func(u *intercept.UpstreamConfig) { u.Roots = web.roots() }))
	client := w.client(true)
	for range 3 {
		send(t, client, request(t, http.MethodGet, "https://opened.net/?"+password, ""))
	}
	send(t, client, ask(t, "https", "user@corp-mail.net"))
	w.stop(client)
	told := w.life.FilterMessage("upstream failed").All()
	if len(told) != 3 || told[0].Level != zapcore.InfoLevel || told[1].Level != zapcore.DebugLevel {
		t.Fatalf("got %v", told)
	}
	if got, want := told[0].ContextMap(), map[string]any{"host": "opened.net", "class": "tls", "check": "host name"}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
