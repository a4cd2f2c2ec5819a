package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"time"
)

// The three kinds of certificate.
//
// Which constraints, and why no others: DNS names are permitted by list, and iPAddress is excluded whole, both families
// (0.0.0.0/0 and ::/0), because RFC 5280, section 4.2.1.10, leaves every type of name free that no constraint speaks
// of. E-mail addresses and URIs stay free of constraints on purpose: there is no spelling of "none at all" for them
// that the RFC defines and all verifiers read alike, a verifier must reject what it cannot process in a critical
// extension, and the certificates are good for serverAuth only (Extended Key Usage on both tiers, which verifiers read
// as a limit on everything below), where no client looks at such names. This is what the CA/Browser Forum's Baseline
// Requirements, section 7.1.2.5, call technically constrained.
const (
	product = "autodiscover-guard"

	// The root is installed by hand on every client, so it lives as long as such an installation may. The name
	// constraints, not the date, are what bounds the harm.
	rootLife = 10 * 365 * 24 * time.Hour
	// The issuing key is on the machine that faces the clients: three months, as public CAs do for such keys, and a
	// month of that to notice that renewing does not work.
	issuingLife = 90 * 24 * time.Hour
	renewBefore = 30 * 24 * time.Hour
	// Leaves are made on demand, so they can be short; two weeks survive a client whose clock is days off. Every limit
	// of browsers and operating systems (398 days, 47 days from 2029) is far above.
	leafLife = 14 * 24 * time.Hour
	// Clients' clocks are behind, too, mostly by less than a day: they have the wrong time zone.
	backdate = 24 * time.Hour
)

// issuer is a certificate that may sign others, with its key.
type issuer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (i *issuer) validAt(now time.Time) bool {
	return !now.Before(i.cert.NotBefore) && !now.After(i.cert.NotAfter)
}

// newRoot makes a root for names, which must be canonical.
func newRoot(names []string, now time.Time) (*issuer, error) {
	t, err := authorityTemplate("root", names)
	if err != nil {
		return nil, err
	}
	t.NotBefore, t.NotAfter = now.Add(-backdate), now.Add(rootLife)
	t.MaxPathLen = -1 // no limit: a root that follows this one comes between, see newCross
	return newIssuer(t, nil)
}

// reissueRoot makes another root with the key of one that is there: with other names, fresh dates, and a subject of its own. With the same
// subject, a client that trusts both would have to try both, which OpenSSL, GnuTLS and NSS do not: they take the first that they find.
func reissueRoot(root *issuer, names []string, now time.Time) (*issuer, error) {
	t, err := authorityTemplate("root", names)
	if err != nil {
		return nil, err
	}
	t.SubjectKeyId = root.cert.SubjectKeyId
	t.NotBefore, t.NotAfter = now.Add(-backdate), now.Add(rootLife)
	t.ExcludedDNSDomains = root.cert.ExcludedDNSDomains
	t.MaxPathLen = -1
	cert, err := sign(t, &issuer{cert: t, key: root.key}, root.key.Public())
	if err != nil {
		return nil, err
	}
	return &issuer{cert: cert, key: root.key}, nil
}

// newCross has a former root, whose key is the same, vouch for its successor, within the former one's names. Those are what tells for which
// leaves it is of use. Addresses are left to the certificates above and below: Java (17.0.15, NameConstraintsExtension) fails with an index
// out of bounds where two certificates of a chain constrain both IPv4 and IPv6.
//
// lists is as for newCrosses: Schannel wants a list for this certificate, too.
func newCross(root *issuer, former *x509.Certificate, lists string) (*x509.Certificate, error) {
	t, err := authorityTemplate("root", former.PermittedDNSDomains)
	if err != nil {
		return nil, err
	}
	t.RawSubject, t.SubjectKeyId = root.cert.RawSubject, root.cert.SubjectKeyId
	// Older than the root itself, because NSS prefers the younger of two certificates with one subject.
	t.NotBefore = former.NotBefore
	t.NotAfter = earliest(root.cert.NotAfter, former.NotAfter)
	t.ExcludedDNSDomains, t.ExcludedIPRanges = former.ExcludedDNSDomains, nil
	t.MaxPathLen = -1
	if lists != "" {
		t.CRLDistributionPoints = []string{lists + formerCRLPath(former.RawSubject)}
	}
	return sign(t, &issuer{cert: former, key: root.key}, root.key.Public())
}

// newIssuing makes an issuing certificate with all the names of its root, and not beyond the root's dates. points is where clients find
// whether it was revoked, nil for nowhere.
func newIssuing(root *issuer, points []string, now time.Time) (*issuer, error) {
	if !root.validAt(now) {
		return nil, fmt.Errorf("root certificate is valid from %s to %s, and this computer's clock says %s",
			day(root.cert.NotBefore), day(root.cert.NotAfter), day(now))
	}
	t, err := authorityTemplate("issuing", root.cert.PermittedDNSDomains)
	if err != nil {
		return nil, err
	}
	t.NotBefore = latest(now.Add(-backdate), root.cert.NotBefore)
	t.NotAfter = earliest(now.Add(issuingLife), root.cert.NotAfter)
	t.ExcludedDNSDomains = root.cert.ExcludedDNSDomains
	t.CRLDistributionPoints = points
	t.MaxPathLenZero = true
	return newIssuer(t, root)
}

// authorityTemplate is what root and issuing certificate have in common. The tag makes the subjects of two
// installations, and of an issuing certificate and its successor, differ: verifiers look issuers up by subject, and
// people must be able to tell two roots apart in a list. It is random rather than the host's name, which would tell
// every client's trust store, and every peer in a handshake, what the machine is called.
func authorityTemplate(tier string, names []string) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	tag := make([]byte, 4)
	if _, err := rand.Read(tag); err != nil {
		return nil, fmt.Errorf("reading random bytes: %w", err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject: pkix.Name{
			Organization: []string{product},
			CommonName:   product + " " + tier + " " + hex.EncodeToString(tag),
		},
		BasicConstraintsValid: true, // critical, as the standard library writes it
		IsCA:                  true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		PermittedDNSDomainsCritical: true, // the whole extension, not only the DNS names
		PermittedDNSDomains:         names,
		ExcludedIPRanges:            everyAddress(),
	}, nil
}

func everyAddress() []*net.IPNet {
	return []*net.IPNet{
		{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)},
		{IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)},
	}
}

// newIssuer makes a key for the template and has it signed by parent, or by itself if parent is nil.
func newIssuer(t *x509.Certificate, parent *issuer) (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generating a key: %w", err)
	}
	if parent == nil {
		parent = &issuer{cert: t, key: key}
	}
	cert, err := sign(t, parent, key.Public())
	if err != nil {
		return nil, err
	}
	return &issuer{cert: cert, key: key}, nil
}

// sign makes the certificate of the template for pub. The standard library adds the key identifiers.
func sign(t *x509.Certificate, parent *issuer, pub crypto.PublicKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, parent.cert, pub, parent.key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate for %q: %w", t.Subject.CommonName, err)
	}
	return parse(der, t.Subject.CommonName)
}

// parse reads a certificate that was just made.
func parse(der []byte, name string) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate for %q: %w", name, err)
	}
	return cert, nil
}

// newSerial returns 127 random bits, positive and short enough (RFC 5280, section 4.1.2.2: at most 20 octets).
func newSerial() (*big.Int, error) {
	b := make([]byte, 16)
	for {
		if _, err := rand.Read(b); err != nil {
			return nil, fmt.Errorf("reading random bytes: %w", err)
		}
		b[0] &= 0x7f
		if n := new(big.Int).SetBytes(b); n.Sign() > 0 {
			return n, nil
		}
	}
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func day(t time.Time) string { return t.UTC().Format(time.DateTime) + " UTC" }
