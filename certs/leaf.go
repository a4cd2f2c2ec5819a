package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"
)

// maxLeaves bounds the cache at about 20 MB. Names below a scope are endless, and a client may ask for any of them.
const maxLeaves = 10_000

// leaf is a certificate in the cache. When it must not be handed out any more is decided at each look-up, by the wall
// clock: the cache's own expiry counts monotonic time, which stands still while a laptop sleeps.
type leaf struct {
	cert    tls.Certificate
	tiers   *tiers
	renewAt time.Time
}

func (l *leaf) fresh(t *tiers, now time.Time) bool {
	return l.tiers == t && now.Before(l.renewAt) && !now.Before(l.cert.Leaf.NotBefore)
}

// Leaf returns a certificate for exactly name, signed by the issuing certificate, which it carries along with those
// that clients need to get to a root, a former one included; the root is not sent (RFC 8446, section 4.4.2). Case and one trailing dot do not matter. The result is cached and shared: the
// caller must not modify it. It has at least a third of its 14 days left, unless the issuing certificate ends sooner.
//
// The errors are [*NameError] for what is no host name, IP addresses and wildcards included, [*OutOfScopeError] for a
// name that [Open] was not asked for, [*DamagedError] when the issuing certificate has ended and cannot be renewed, and
// [ErrClosed].
func (a *Authority) Leaf(name string) (*tls.Certificate, error) {
	name = normalise(name)
	now := time.Now()
	// Only names that passed the checks below are in the cache; one can have left the scope while its leaf was made.
	if l, ok := a.leaves.GetIfPresent(name); ok && l.fresh(a.tiers.Load(), now) && a.scope.Load().set.covers(name) {
		return &l.cert, nil
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	if !a.scope.Load().set.covers(name) || !a.tiers.Load().permits(name) {
		return nil, &OutOfScopeError{Name: name}
	}
	if a.closed.Load() {
		return nil, ErrClosed
	}
	a.dropStale(name, now)
	// The cache has one load of a name at a time, which all callers wait for, and keeps no errors.
	l, err := a.leaves.Get(context.Background(), name, otter.LoaderFunc[string, *leaf](a.mint))
	if err != nil {
		return nil, err
	}
	return &l.cert, nil
}

// dropStale makes room for a new leaf, but never drops the fresh one that another goroutine has put there meanwhile.
func (a *Authority) dropStale(name string, now time.Time) {
	a.leaves.ComputeIfPresent(name, func(old *leaf) (*leaf, otter.ComputeOp) {
		if old.fresh(a.tiers.Load(), now) {
			return nil, otter.CancelOp
		}
		return nil, otter.InvalidateOp
	})
}

// newLeafCache has no expiry, so it has no goroutine of its own; see leaf for who decides.
func newLeafCache(size int) (*otter.Cache[string, *leaf], error) {
	cache, err := otter.New(&otter.Options[string, *leaf]{MaximumSize: size, StatsRecorder: stats.NewCounter()})
	if err != nil {
		return nil, fmt.Errorf("making the leaf cache: %w", err)
	}
	return cache, nil
}

// mint makes the leaf for a name that is in scope.
func (a *Authority) mint(_ context.Context, name string) (*leaf, error) {
	now := time.Now()
	by, err := a.tiersAt(now)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	t := a.leafTemplate(name, by)
	t.SerialNumber = serial
	t.NotBefore, t.NotAfter = latest(now.Add(-backdate), by.begin()), earliest(now.Add(leafLife), by.end())
	cert, err := a.signLeaf(t, by)
	if err != nil {
		return nil, err
	}
	l := &leaf{tiers: by, renewAt: cert.NotAfter}
	// One that ends with its chain would not get longer by being made again.
	if cert.NotAfter.Before(by.end()) {
		l.renewAt = cert.NotAfter.Add(-leafLife / 3)
	}
	l.cert = tls.Certificate{
		Certificate: [][]byte{cert.Raw},
		PrivateKey:  a.leafKey,
		Leaf:        cert,
	}
	for _, c := range by.sent(name) {
		l.cert.Certificate = append(l.cert.Certificate, c.Raw)
	}
	return l, nil
}

// leafTemplate is a leaf but for serial number and dates. What else than those and the name makes two leaves differ belongs into derTemplate.
func (a *Authority) leafTemplate(name string, by *tiers) *x509.Certificate {
	return &x509.Certificate{
		Subject:      subject(name),
		DNSNames:     []string{name},
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		SubjectKeyId: a.leafID,

		BasicConstraintsValid: true, // not a CA, said out loud
		CRLDistributionPoints: a.leafDistributionPoints(by),
	}
}

// signLeaf signs a leaf with the template that a leaf before it has left, or lets the standard library sign it and keeps that as the template.
func (a *Authority) signLeaf(t *x509.Certificate, by *tiers) (*x509.Certificate, error) {
	if f := a.template.Load(); f.fits(by, t) {
		return f.sign(t)
	}
	cert, err := sign(t, &by.issuer, a.leafKey.Public())
	if err != nil {
		return nil, err
	}
	if f := newDERTemplate(by, cert); f != nil {
		a.template.Store(f)
	}
	return cert, nil
}

// subject repeats the name as common name, for the clients that show it, where it fits: RFC 5280, appendix A.1, has
// ub-common-name at 64. Otherwise the subject is empty, and section 4.1.2.6 makes the subjectAltName critical, which
// the standard library sees to.
func subject(name string) pkix.Name {
	if len(name) > 64 {
		return pkix.Name{}
	}
	return pkix.Name{CommonName: name}
}
