package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
	"autodiscover-guard/cmd/autodiscover-guard/internal/passwords"
	"autodiscover-guard/intercept"
)

// credentialStore holds what the proxy and the admin listener ask of clients, and show them: certificate, authorities, passwords. All come from files that are read
// again at a reload. It is safe for concurrent use.
type credentialStore struct {
	current atomic.Pointer[doorCredentials]
}

// doorCredentials are what the files said when they were read.
type doorCredentials struct {
	proxy, admin listenerIdentity
	passwords    *passwords.File
	token        console.Token // of the admin listener; the zero one where there is none
}

// keep takes back what a key stands for that names another file in c than at the start, in former: it takes effect when the guard is started again. Whatever the
// other keys stand for is taken: a renewed certificate does not wait for that.
func (p *doorCredentials) keep(inForce *doorCredentials, former, c *config.Config) {
	x, y := &former.Listen, &c.Listen
	if x.Certificate != y.Certificate || x.Key != y.Key {
		p.proxy.certificate = inForce.proxy.certificate
	}
	if x.AdminCertificate != y.AdminCertificate || x.AdminKey != y.AdminKey {
		p.admin.certificate = inForce.admin.certificate
	}
	if x.AdminClients != y.AdminClients {
		p.admin.clients = inForce.admin.clients
	}
	if x.AdminTokenFile != y.AdminTokenFile {
		p.token = inForce.token
	}
	if former.Clients.Certificates != c.Clients.Certificates {
		p.proxy.clients = inForce.proxy.clients
	}
	if former.Clients.Passwords != c.Clients.Passwords {
		p.passwords = inForce.passwords
	}
	p.assemble()
}

// assemble makes the configurations of TLS.
func (p *doorCredentials) assemble() {
	p.proxy.tls = p.proxy.config(tls.RequireAndVerifyClientCert)
	// Not required: clients of the proxy fetch PAC file and root here. One that is shown must be right.
	if p.admin.tls = p.admin.config(tls.VerifyClientCertIfGiven); p.admin.tls != nil {
		// A session that is taken up again would be that of a client whose authority is none any more.
		p.admin.tls.SessionTicketsDisabled = true
	}
}

// replace puts others in force, which know who has logged in already.
func (d *credentialStore) replace(others *doorCredentials) {
	if former := d.current.Load().passwords; former != nil && others.passwords != nil && others.passwords != former {
		others.passwords.Follow(former)
	}
	d.current.Store(others)
}

// readDoorCredentials reads the files that the configuration names.
func readDoorCredentials(c *config.Config) (*doorCredentials, error) {
	p := new(doorCredentials)
	var err error
	if p.proxy, err = readIdentity("listen.certificate", "listen.key", c.Listen.Certificate, c.Listen.Key, "clients.certificates", c.Clients.Certificates); err != nil {
		return nil, err
	}
	if p.admin, err = readIdentity("listen.admin_certificate", "listen.admin_key", c.Listen.AdminCertificate, c.Listen.AdminKey, "listen.admin_clients", c.Listen.AdminClients); err != nil {
		return nil, err
	}
	if c.Clients.Passwords != "" {
		if p.passwords, err = passwords.Read(c.Clients.Passwords); err != nil {
			return nil, fmt.Errorf("clients.passwords: %w", err)
		}
	}
	p.token, err = readAdminToken(&c.Listen)
	p.assemble()
	return p, err
}

// login is whom the plugin asks about passwords; nil where none are wanted.
func (d *credentialStore) login() intercept.Login {
	if d.current.Load().passwords == nil {
		return nil
	}
	return d
}

// Allowed implements intercept.Login.
func (d *credentialStore) Allowed(ctx context.Context, client netip.Addr, user, password string) (bool, error) {
	f := d.current.Load().passwords
	if f == nil {
		return false, nil
	}
	return f.Allowed(ctx, client, user, password)
}

// tlsConfig is how the door speaks TLS; nil where it does not.
func (d *credentialStore) tlsConfig() *tls.Config {
	return reloadableTLS(func() *tls.Config { return d.current.Load().proxy.tls })
}

// adminTLS is how the admin listener does.
func (d *credentialStore) adminTLS() *tls.Config {
	return reloadableTLS(func() *tls.Config { return d.current.Load().admin.tls })
}

// readCredentials reads the name and the password for the proxy behind us from a file.
func readCredentials(file string) (intercept.Credentials, error) {
	const key = "upstream.proxy_credentials"
	if file == "" {
		return intercept.Credentials{}, nil
	}
	text, err := readPrivate(key, file)
	if err != nil {
		return intercept.Credentials{}, err
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return intercept.Credentials{}, fmt.Errorf("%s: %s: want plain text, in UTF-8", key, file)
	}
	line, _, _ := strings.Cut(strings.TrimPrefix(string(text), "\ufeff"), "\n")
	user, password, ok := strings.Cut(strings.TrimSuffix(line, "\r"), ":")
	if !ok || user == "" {
		return intercept.Credentials{}, fmt.Errorf("%s: %s: want a name, a colon and a password on the first line", key, file)
	}
	return intercept.NewCredentials(user, password), nil
}
