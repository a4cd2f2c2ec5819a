package certs

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Revocation lists. Nothing is ever in them: a leaf lives for two weeks and its key never leaves the process, and an issuing key that was
// stolen is answered with a new authority. They exist because Schannel, unlike all others, asks for one for every certificate below the
// root, and takes a certificate that names no list for one that cannot be checked (CRYPT_E_NO_REVOCATION_CHECK).
const (
	// IssuingCRLPath is where, below the address of [RevocationAt], the list of [Authority.RevocationList] has to be served.
	IssuingCRLPath = "/authority.crl"
	// RootCRLPath is the same for [Authority.RootRevocationList].
	RootCRLPath = "/root.crl"
	// FormerCRLs is where, below the same address, the lists of [Authority.FormerRevocationList] have to be served, each under a name of its own.
	FormerCRLs = "/former/"

	// A list is made anew each day and good for a week: a client that keeps it does not ask while the guard is down for a weekend.
	crlLife  = 7 * 24 * time.Hour
	crlFresh = 24 * time.Hour
)

// Option changes how an authority is opened.
type Option func(*Authority) error

// RevocationAt has leaves, and issuing certificates made from now on, name a place where clients can ask whether they were revoked: base,
// such as "http://127.0.0.1:8081", with [IssuingCRLPath] and [RootCRLPath] below it. It must be plain http, as a list for TLS cannot be
// fetched with TLS (RFC 5280, section 8), without account, query and fragment. The empty string is no place, as without this option.
func RevocationAt(base string) Option {
	return func(a *Authority) error {
		base = strings.TrimSuffix(base, "/")
		if base == "" {
			return nil
		}
		u, err := url.Parse(base)
		if err != nil || u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("address for revocation lists %q is not of the form http://HOST[:PORT]", base)
		}
		a.revocation = base
		return nil
	}
}

// crl is a list together with what it was made by.
type crl struct {
	by   *tiers
	der  []byte
	made time.Time
}

// leafDistributionPoints is where a leaf says that its revocation can be looked up. A certificate of another CA may not be allowed to sign lists.
func (a *Authority) leafDistributionPoints(by *tiers) []string {
	if a.revocation == "" || by.cert.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return nil
	}
	return []string{a.revocation + IssuingCRLPath}
}

// issuingDistributionPoints is the same for an issuing certificate: as [RevocationAt] says, or else what its predecessor had.
func (a *Authority) issuingDistributionPoints() []string {
	if a.revocation != "" {
		return []string{a.revocation + RootCRLPath}
	}
	if t := a.tiers.Load(); t != nil {
		return t.cert.CRLDistributionPoints
	}
	return nil
}

// RevocationList returns the list of revoked leaves, which is empty, in DER (RFC 5280, section 5), signed by the issuing certificate. It is
// good for at least six days from now. Replicas that share an issuing certificate may serve it for each other.
func (a *Authority) RevocationList(now time.Time) ([]byte, error) {
	by, err := a.tiersAt(now)
	if err != nil {
		return nil, err
	}
	if c := a.crl.Load(); c != nil && c.by == by {
		// By the wall clock: a laptop may have slept.
		if age := now.Round(0).Sub(c.made); age >= 0 && age < crlFresh {
			return c.der, nil
		}
	}
	der, err := newCRL(&by.issuer, now, now.Add(crlLife))
	if err != nil {
		return nil, err
	}
	a.crl.Store(&crl{by: by, der: der, made: now.Round(0)})
	return der, nil
}

// RootRevocationList returns the list of revoked issuing certificates, which is empty, in DER, signed by the root when the issuing
// certificate was made and good for as long as that is. It is nil if the issuing certificate names no such list of ours.
func (a *Authority) RootRevocationList() []byte { return a.tiers.Load().rootCRL }

// FormerRevocationList returns the list of a former root, which is empty and about what it vouches for, in DER, by the path that certificates name. Each path is one
// root's for ever, as clients keep lists by their address. Nil is what no certificate in use names.
func (a *Authority) FormerRevocationList(path string) []byte { return a.tiers.Load().formerCRLs[path] }

// formerCRLPath is where the list of a former root is.
func formerCRLPath(subject []byte) string {
	sum := sha256.Sum256(subject)
	return FormerCRLs + hex.EncodeToString(sum[:8]) + ".crl"
}

// newFormerCRLs makes the lists of those who vouch for what stands beside the chain, where it names a place for them.
func newFormerCRLs(root *issuer, crosses, former []*x509.Certificate, now, until time.Time) (map[string][]byte, error) {
	all := map[string][]byte{}
	for _, c := range crosses {
		by := slices.IndexFunc(former, func(f *x509.Certificate) bool { return bytes.Equal(f.RawSubject, c.RawIssuer) })
		if len(c.CRLDistributionPoints) == 0 || by < 0 {
			continue
		}
		der, err := newCRL(&issuer{cert: former[by], key: root.key}, now, until)
		if err != nil {
			return nil, err
		}
		all[formerCRLPath(c.RawIssuer)] = der
	}
	return all, nil
}

// addCRL keeps a list that came with the certificates: that of a former root, or else the root's.
func (t *tiers) addCRL(der []byte) {
	list, err := x509.ParseRevocationList(der)
	vouches := func(c *x509.Certificate) bool { return err == nil && bytes.Equal(c.RawIssuer, list.RawIssuer) }
	if !slices.ContainsFunc(t.cross, vouches) || vouches(t.cert) {
		t.rootCRL = der
		return
	}
	if t.formerCRLs == nil {
		t.formerCRLs = map[string][]byte{}
	}
	t.formerCRLs[formerCRLPath(list.RawIssuer)] = der
}

func newCRL(by *issuer, now, until time.Time) ([]byte, error) {
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number:     big.NewInt(now.UnixNano()), // grows with time, and so for all replicas together
		ThisUpdate: latest(now.Add(-backdate), by.cert.NotBefore),
		NextUpdate: until,
	}, by.cert, by.key)
	if err != nil {
		return nil, fmt.Errorf("signing a revocation list: %w", err)
	}
	return der, nil
}
