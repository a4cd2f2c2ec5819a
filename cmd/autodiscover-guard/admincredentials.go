package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

// adminCredentials are what the admin listener shows, and asks for.
type adminCredentials struct {
	tls   *tls.Config // nil: no TLS
	token console.Token
}

// readAdminCredentials reads the files that the configuration names.
func readAdminCredentials(c *config.Listen) (p adminCredentials, err error) {
	if p.tls, err = readCertificate("listen.admin_certificate", "listen.admin_key", c.AdminCertificate, c.AdminKey); err != nil {
		return p, err
	}
	if p.tls != nil {
		// A session that is taken up again would be that of a client whose authority is none any more.
		p.tls.SessionTicketsDisabled = true
	}
	if c.AdminClients != "" {
		pool := x509.NewCertPool()
		if err := addCertificates(pool, "listen.admin_clients", c.AdminClients); err != nil {
			return p, err
		}
		// Not required: clients of the proxy fetch PAC file and root here. One that is shown must be right.
		p.tls.ClientAuth, p.tls.ClientCAs = tls.VerifyClientCertIfGiven, pool // config.Check: there is a certificate
	}
	p.token, err = readAdminToken(c)
	return p, err
}

// readAdminToken reads the token; the zero one where there is none.
func readAdminToken(c *config.Listen) (console.Token, error) {
	const key = "listen.admin_token_file"
	if c.AdminTokenFile == "" {
		return console.Token{}, nil
	}
	text, err := readPrivate(key, c.AdminTokenFile)
	if err != nil {
		return console.Token{}, err
	}
	token, err := console.ParseToken(text)
	if err != nil {
		return token, fmt.Errorf("%s: %s: %w", key, c.AdminTokenFile, err)
	}
	return token, nil
}

// adminTLS is how the admin listener speaks TLS; nil where it does not.
func (d *credentialStore) adminTLS() *tls.Config {
	return reloadableTLS(func() *tls.Config { return d.current.Load().admin.tls })
}
