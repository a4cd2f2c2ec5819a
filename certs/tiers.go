package certs

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"sync"
	"time"
)

// tiers is what an authority consists of at a moment. It is never changed, only replaced as a whole, so that nobody sees one authority's
// key with another's certificate.
type tiers struct {
	issuer
	intermediates []*x509.Certificate // above the issuing certificate and below the root; an authority of our own has none
	root          *x509.Certificate
	// cross are sent along for clients that trust only a former root: each vouches for the subject of the one before, the first for root's.
	cross   []*x509.Certificate
	rootCRL []byte // DER, what root says about issuing certificates; nil where none was made
	// formerCRLs are the same of those who vouch for cross, by the path where they are served.
	formerCRLs map[string][]byte
	// consent reports that an operator has agreed to an issuing certificate that nothing constrains.
	consent bool

	named sync.Once
	name  string // of root, see fingerprint

	// limits are the name constraints of every certificate: each new leaf asks for them, and whole lists of names do.
	limited sync.Once
	limits  map[*x509.Certificate]constraints
}

// fingerprint names the root. It is asked for with every decision.
func (t *tiers) fingerprint() string {
	t.named.Do(func() { t.name = fingerprint(t.root) })
	return t.name
}

// arrange sorts what came with the issuing certificate into what lies below the root and what lies beside it.
func (t *tiers) arrange(root *x509.Certificate, others []*x509.Certificate) {
	t.root, t.intermediates, t.cross = root, nil, nil
	below := t.cert
	for i, c := range others {
		if bytes.Equal(below.RawIssuer, root.RawSubject) {
			t.cross = others[i:]
			return
		}
		t.intermediates = append(t.intermediates, c)
		below = c
	}
}

// chain lists the certificates from the issuing one up to the root.
func (t *tiers) chain() []*x509.Certificate {
	return append(t.signers(), t.root)
}

// signers is the chain without the root.
func (t *tiers) signers() []*x509.Certificate {
	return append([]*x509.Certificate{t.cert}, t.intermediates...)
}

// sent is what a server sends behind a leaf for a normalised name. What leads to a former root that does not permit the name would only lead
// astray: GnuTLS (3.7.9) follows it where both roots are trusted.
func (t *tiers) sent(name string) []*x509.Certificate {
	all := t.signers()
	for _, c := range t.cross {
		if !t.cachedConstraints(c).permit(name) {
			break
		}
		all = append(all, c)
	}
	return all
}

// all is everything but the root.
func (t *tiers) all() []*x509.Certificate { return append(t.signers(), t.cross...) }

// own reports whether this package made the root and, with its key, can make another issuing certificate. What lies between is a root
// that has not taken its place yet; see widen.go.
func (t *tiers) own() bool {
	another := func(c *x509.Certificate) bool {
		return !bytes.Equal(c.RawSubjectPublicKeyInfo, t.root.RawSubjectPublicKeyInfo)
	}
	return checkAuthority(t.root) == nil && !slices.ContainsFunc(t.intermediates, another)
}

// begin and end bound the time in which every certificate of the chain is valid.
func (t *tiers) begin() time.Time {
	begin := t.root.NotBefore
	for _, c := range t.signers() {
		begin = latest(begin, c.NotBefore)
	}
	return begin
}

func (t *tiers) end() time.Time {
	end := t.root.NotAfter
	for _, c := range t.signers() {
		end = earliest(end, c.NotAfter)
	}
	return end
}

func (t *tiers) validAt(now time.Time) bool {
	return !now.Before(t.begin()) && !now.After(t.end())
}

// permits reports whether every certificate of the chain lets it vouch for a normalised name.
func (t *tiers) permits(name string) bool {
	return !slices.ContainsFunc(t.chain(), func(c *x509.Certificate) bool { return !t.cachedConstraints(c).permit(name) })
}

// cachedConstraints returns the name constraints of one of the certificates, which are read once.
func (t *tiers) cachedConstraints(cert *x509.Certificate) constraints {
	t.limited.Do(func() {
		t.limits = map[*x509.Certificate]constraints{t.root: constraintsOf(t.root)}
		for _, c := range t.all() {
			t.limits[c] = constraintsOf(c)
		}
	})
	return t.limits[cert]
}

// lacks lists those of some normalised names that it does not permit.
func (t *tiers) lacks(names []string) []string {
	var missing []string
	for _, name := range names {
		if !t.permits(name) {
			missing = append(missing, name)
		}
	}
	return missing
}

// names are what the chain permits: those of the lowest certificate that lists any, where the others agree. Nil means any name.
func (t *tiers) names() []string {
	for _, c := range t.chain() {
		if len(c.PermittedDNSDomains) == 0 {
			continue
		}
		names := make([]string, 0, len(c.PermittedDNSDomains))
		for _, name := range c.PermittedDNSDomains {
			name = normalise(name)
			meant := name
			if strings.HasPrefix(name, ".") { // only what is below it
				meant = "*" + name
			}
			if t.permits(meant) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		return names
	}
	return nil
}

func (t *tiers) equal(other *tiers) bool {
	return t.consent == other.consent && t.root.Equal(other.root) &&
		slices.EqualFunc(t.all(), other.all(), (*x509.Certificate).Equal)
}

// sameRootKey reports whether two chains lead to one root, in whatever edition.
func (t *tiers) sameRootKey(other *tiers) bool {
	return bytes.Equal(t.root.RawSubjectPublicKeyInfo, other.root.RawSubjectPublicKeyInfo)
}
