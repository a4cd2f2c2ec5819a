package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
	"autodiscover-guard/cmd/autodiscover-guard/internal/passwords"
)

// Whoever has logged in stays so over a reload: nothing is computed for him again, for which nobody waits here.
func TestCredentialStore_replace(t *testing.T) {
	salt := []byte("0123456789abcdef")
	key := argon2.IDKey([]byte("open sesame"), salt, 1, 7168, 1, 32)
	c := config.Default()
	c.Clients.Passwords = filepath.Join(t.TempDir(), "passwords")
	line := "jane:$argon2id$v=19$m=7168,t=1,p=1$" + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(key)
	if err := os.WriteFile(c.Clients.Passwords, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func() *doorCredentials {
		p, err := readDoorCredentials(c)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	d := new(credentialStore)
	d.current.Store(read())
	if right, err := d.Allowed(t.Context(), netip.Addr{}, "jane", "open sesame"); !right || err != nil {
		t.Fatal(right, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	d.replace(read())
	if right, err := d.Allowed(gone, netip.Addr{}, "jane", "open sesame"); !right || err != nil {
		t.Errorf("the same file: %v, %v", right, err)
	}
	asked := make(chan bool, 200)
	go func() {
		defer close(asked)
		for range cap(asked) {
			right, err := d.Allowed(gone, netip.Addr{}, "jane", "open sesame")
			asked <- right && err == nil
		}
	}()
	<-asked // the others come while the file, which is kept, is put in force once more
	d.replace(&doorCredentials{passwords: d.current.Load().passwords})
	for right := range asked {
		if !right {
			t.Error("kept: asked anew")
		}
	}
	d.replace(new(doorCredentials))
	if right, err := d.Allowed(t.Context(), netip.Addr{}, "jane", "open sesame"); right || err != nil {
		t.Errorf("no file any more: %v, %v", right, err)
	}
	d.replace(read())
}

// A key that names another file than at the start keeps what it stands for, and nothing else: what the other keys name is renewed all the same.
func TestDoorCredentials_keep(t *testing.T) {
	t.Parallel()
	fresh := func(token string) *doorCredentials {
		read, err := console.ParseToken([]byte(strings.Repeat(token, 32)))
		if err != nil {
			t.Fatal(err)
		}
		identity := func() listenerIdentity {
			return listenerIdentity{certificate: new(tls.Certificate), clients: x509.NewCertPool()}
		}
		return &doorCredentials{proxy: identity(), admin: identity(), passwords: new(passwords.File), token: read}
	}
	for key, change := range map[string]func(c *config.Config){
		"":                         func(*config.Config) {},
		"listen.certificate":       func(c *config.Config) { c.Listen.Certificate = "other" },
		"listen.key":               func(c *config.Config) { c.Listen.Key = "other" },
		"listen.admin_certificate": func(c *config.Config) { c.Listen.AdminCertificate = "other" },
		"listen.admin_key":         func(c *config.Config) { c.Listen.AdminKey = "other" },
		"listen.admin_clients":     func(c *config.Config) { c.Listen.AdminClients = "other" },
		"listen.admin_token_file":  func(c *config.Config) { c.Listen.AdminTokenFile = "other" },
		"clients.certificates":     func(c *config.Config) { c.Clients.Certificates = "other" },
		"clients.passwords":        func(c *config.Config) { c.Clients.Passwords = "other" },
	} {
		inForce, p, c := fresh("a"), fresh("b"), config.Default()
		change(c)
		p.keep(inForce, config.Default(), c)
		for part, kept := range map[string]bool{
			"listen.certificate listen.key":             p.proxy.certificate == inForce.proxy.certificate,
			"listen.admin_certificate listen.admin_key": p.admin.certificate == inForce.admin.certificate,
			"listen.admin_clients":                      p.admin.clients == inForce.admin.clients,
			"listen.admin_token_file":                   p.token == inForce.token,
			"clients.certificates":                      p.proxy.clients == inForce.proxy.clients,
			"clients.passwords":                         p.passwords == inForce.passwords,
		} {
			if kept != slices.Contains(strings.Fields(part), key) {
				t.Errorf("%q names another file: %s kept: %v", key, part, kept)
			}
		}
		if p.proxy.tls.ClientCAs != p.proxy.clients || p.proxy.tls.ClientAuth != tls.RequireAndVerifyClientCert ||
			p.admin.tls.ClientCAs != p.admin.clients || p.admin.tls.ClientAuth != tls.VerifyClientCertIfGiven || !p.admin.tls.SessionTicketsDisabled {
			t.Errorf("%q names another file: the doors do not ask for what is in force", key)
		}
	}
}

// A client that takes up the session that it began with a certificate is asked anew who vouches for that: the keys of session tickets outlive a reload.
func TestCredentialStore_removedAuthority(t *testing.T) {
	t.Parallel()
	_, server := selfSigned(t, "proxy")
	_, desk := selfSigned(t, "desk")
	_, other := selfSigned(t, "other")
	identity := func(authorities ...tls.Certificate) *doorCredentials {
		p := &doorCredentials{proxy: listenerIdentity{certificate: &server, clients: x509.NewCertPool()}}
		for _, a := range authorities {
			p.proxy.clients.AddCert(a.Leaf)
		}
		p.assemble()
		return p
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Leaf)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		d := new(credentialStore)
		d.current.Store(identity(desk))
		door, client := d.tlsConfig(), &tls.Config{
			RootCAs: roots, MinVersion: version, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1),
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &desk, nil },
		}
		l, err := tls.Listen("tcp", "127.0.0.1:0", door)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for c, err := l.Accept(); err == nil; c, err = l.Accept() {
				_, _ = c.Write([]byte{1}) // behind the handshake
				_ = c.Close()
			}
		}()
		connect := func() (resumed bool, err error) {
			dialer := &net.Dialer{Timeout: time.Minute}
			c, err := tls.DialWithDialer(dialer, "tcp", l.Addr().String(), client)
			if err != nil {
				return false, err
			}
			defer c.Close()
			_, err = io.ReadAll(c)
			return c.ConnectionState().DidResume, err
		}
		for i, c := range []struct {
			inForce         *doorCredentials
			resumed, served bool
		}{
			{identity(desk), false, true},
			{identity(desk, other), true, true},
			{identity(other), false, false},
		} {
			d.replace(c.inForce)
			if resumed, err := connect(); resumed != c.resumed || (err == nil) != c.served {
				t.Errorf("%s, connection %d: resumed %v, %v", tls.VersionName(version), i+1, resumed, err)
			}
		}
	}
}
