package certs

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What is looked at before another CA's certificate may act as ours, so that what fails fails here, with its name, and not at a client, as
// "unknown certificate".

// checkImport returns all that is wrong with a chain of another CA, each as an [*ImportError].
func (t *tiers) checkImport(now time.Time, unconstrained bool) error {
	var all []error
	chain := t.chain()
	for i, c := range chain {
		all = append(all, checkImportedCA(c, i, now)...)
		if i == len(chain)-1 {
			break
		}
		all = append(all, checkBelowRoot(c, chain[i+1])...)
	}
	if missing := missingChainConstraints(t); missing != nil && !unconstrained {
		for _, err := range missing {
			all = append(all, importError("constraints", t.cert, "is not bound to the names that it is for: %v", err))
		}
	}
	if names := t.names(); names != nil && len(names) == 0 {
		all = append(all, importError("constraints", t.cert, "and those above it permit no name together"))
	}
	if all == nil {
		// A second opinion, from whoever will judge it at clients.
		if err := t.verify(now); err != nil {
			all = append(all, importError("chain", t.cert, "is refused by the standard library: %v", err))
		}
	}
	return errors.Join(all...)
}

// checkImportedCA looks at one certificate, which has below other CA certificates beneath it.
func checkImportedCA(c *x509.Certificate, below int, now time.Time) []error {
	var all []error
	if err := checkCA(c); err != nil {
		all = append(all, importError("CA", c, "is not fit to sign: %v", err))
	}
	if limit := c.MaxPathLen; c.BasicConstraintsValid && limit >= 0 && below > limit {
		all = append(all, importError("path length", c, "allows %d CA certificates below it, and there are %d", limit, below))
	}
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		all = append(all, importError("validity", c, "is valid from %s to %s, and this computer's clock says %s", day(c.NotBefore), day(c.NotAfter), day(now)))
	}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 {
			all = append(all, importError("key", c, "has an RSA key of %d bits; clients want 2048 at least", key.N.BitLen()))
		}
	case ed25519.PublicKey:
		all = append(all, importError("key", c, "has an Ed25519 key, which browsers and Windows do not take"))
	}
	if len(c.UnhandledCriticalExtensions) != 0 {
		var ids []string
		for _, id := range c.UnhandledCriticalExtensions {
			ids = append(ids, id.String())
		}
		all = append(all, importError("critical extensions", c, "has some that clients will not understand: %s", strings.Join(ids, ", ")))
	}
	if len(c.SubjectKeyId) == 0 {
		all = append(all, importError("key identifiers", c, "has no subject key identifier, by which what it signs is matched to it"))
	}
	return all
}

// checkBelowRoot looks at what matters in each certificate but the root.
func checkBelowRoot(c, above *x509.Certificate) []error {
	var all []error
	if id := c.AuthorityKeyId; len(id) != 0 && !bytes.Equal(id, above.SubjectKeyId) {
		all = append(all, importError("key identifiers", c, "names the issuer's key %s, and %q has %s", hexID(id), above.Subject, hexID(above.SubjectKeyId)))
	}
	usages := c.ExtKeyUsage
	if len(usages)+len(c.UnknownExtKeyUsage) != 0 && !slices.Contains(usages, x509.ExtKeyUsageServerAuth) && !slices.Contains(usages, x509.ExtKeyUsageAny) {
		all = append(all, importError("extended key usage", c, "is not for TLS servers"))
	}
	return all
}

func hexID(id []byte) string { return fmt.Sprintf("%X", id) }
