package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
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
	tls       *tls.Config // nil: no TLS
	passwords *passwords.File
	admin     adminCredentials
}

// replace puts others in force, which know who has logged in already.
func (d *credentialStore) replace(others *doorCredentials) {
	if former := d.current.Load().passwords; former != nil && others.passwords != nil {
		others.passwords.Follow(former)
	}
	d.current.Store(others)
}

// readDoorCredentials reads the files that the configuration names.
func readDoorCredentials(c *config.Config) (*doorCredentials, error) {
	p := new(doorCredentials)
	var err error
	if p.tls, err = readCertificate("listen.certificate", "listen.key", c.Listen.Certificate, c.Listen.Key); err != nil {
		return nil, err
	}
	if c.Clients.Certificates != "" {
		pool := x509.NewCertPool()
		if err := addCertificates(pool, "clients.certificates", c.Clients.Certificates); err != nil {
			return nil, err
		}
		p.tls.ClientAuth, p.tls.ClientCAs = tls.RequireAndVerifyClientCert, pool // config.Check: there is a certificate
	}
	if c.Clients.Passwords != "" {
		if p.passwords, err = passwords.Read(c.Clients.Passwords); err != nil {
			return nil, fmt.Errorf("clients.passwords: %w", err)
		}
	}
	p.admin, err = readAdminCredentials(&c.Listen)
	return p, err
}

// readCertificate reads what a door shows to clients; nil where there is none. The key may stand in the certificate's file.
func readCertificate(certificateKey, keyKey, file, keyFile string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	read := readNamed
	if keyFile == "" {
		read = readPrivate
	}
	chain, err := read(certificateKey, file)
	if err == nil {
		err = checkPEM(certificateKey, file, chain)
	}
	if err != nil {
		return nil, err
	}
	key, at := chain, certificateKey+" "+file
	if keyFile != "" {
		if key, err = readPrivate(keyKey, keyFile); err != nil {
			return nil, err
		}
		at += ", " + keyKey + " " + keyFile
	}
	certificate, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, hint(fmt.Errorf("%s: %w", at, err), "want PEM: the certificate first, then the chain up to its issuer; the key in the same file, or in %s", keyKey)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1", "http/1.0"}, Certificates: []tls.Certificate{certificate}}, nil
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
	return reloadableTLS(func() *tls.Config { return d.current.Load().tls })
}

// reloadableTLS is a listener's configuration that has each client served with what inForce gives, which is the same one until a reload: the keys of session
// tickets live in it. It is nil where inForce is: whether a listener speaks TLS takes a restart to change.
func reloadableTLS(inForce func() *tls.Config) *tls.Config {
	if inForce() == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return inForce(), nil },
	}
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
