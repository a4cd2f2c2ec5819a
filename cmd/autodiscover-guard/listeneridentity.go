package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
)

// listenerIdentity is what a listener shows, and whose certificates it asks for.
type listenerIdentity struct {
	certificate *tls.Certificate // nil: no TLS
	clients     *x509.CertPool   // nil: none are asked for
	tls         *tls.Config      // made of both
}

func (l listenerIdentity) config(ask tls.ClientAuthType) *tls.Config {
	if l.certificate == nil {
		return nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1", "http/1.0"}, Certificates: []tls.Certificate{*l.certificate}}
	if l.clients != nil {
		c.ClientAuth, c.ClientCAs = ask, l.clients
	}
	return c
}

// readIdentity reads a listener's files: the names of the keys are for errors.
func readIdentity(certificateKey, keyKey, file, keyFile, clientsKey, clientsFile string) (l listenerIdentity, err error) {
	if l.certificate, err = readCertificate(certificateKey, keyKey, file, keyFile); err != nil || clientsFile == "" {
		return l, err
	}
	l.clients = x509.NewCertPool()
	return l, addCertificates(l.clients, clientsKey, clientsFile)
}

// readCertificate reads what a listener shows to clients; nil where there is none. The key may stand in the certificate's file.
func readCertificate(certificateKey, keyKey, file, keyFile string) (*tls.Certificate, error) {
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
	return &certificate, nil
}

// reloadableTLS is a listener's configuration that has each client served with what inForce gives. The keys of session tickets are its own (go1.26, common.go: ticketKeys), and so outlive
// a reload; whose certificate a session was begun with is asked anew (anyValidVerifiedChain). It is nil where inForce is: whether a listener speaks TLS takes a restart to change.
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
