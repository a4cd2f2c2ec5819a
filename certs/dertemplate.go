package certs

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// Leaves of one issuing certificate differ in serial number, dates and name alone. The standard library makes the first one; the others take from it
// what does not change. That saves composing it by reflection and checking the signature, which x509.CreateCertificate does (go1.26) in case a signer is
// out of order: two thirds of what a leaf costs. Ours is a key in memory, and was checked with the first leaf.

// derTemplate is the DER of a leaf without what differs between leaves.
type derTemplate struct {
	by *tiers
	// As RFC 5280, section 4.1, has them: version, serial number, algorithm, issuer, dates, subject, key, extensions.
	version, algorithm, issuer, key []byte
	before, after                   []byte // the extensions on both sides of the subjectAltName
}

// dnsName is the tag of a host name in a subjectAltName (RFC 5280, section 4.2.1.6).
const dnsName = der.Tag(2)

// subjectAltName is id-ce-subjectAltName (RFC 5280, section 4.2.1.6).
var subjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// newDERTemplate takes what does not change from a leaf that the standard library has made. It returns nil for one that is no template for others: where
// the name is too long for the subject, the subjectAltName is critical, and other keys than those of our own authorities want other signatures.
func newDERTemplate(by *tiers, model *x509.Certificate) *derTemplate {
	if model.SignatureAlgorithm != x509.ECDSAWithSHA256 || model.Subject.CommonName == "" {
		return nil
	}
	in := cryptobyte.String(model.RawTBSCertificate)
	var tbs, version, serial, algorithm, issuer, dates, subject, key, extensions, all cryptobyte.String
	if !in.ReadASN1(&tbs, der.SEQUENCE) ||
		!tbs.ReadASN1Element(&version, der.Tag(0).ContextSpecific().Constructed()) ||
		!tbs.ReadASN1Element(&serial, der.INTEGER) ||
		!tbs.ReadASN1Element(&algorithm, der.SEQUENCE) ||
		!tbs.ReadASN1Element(&issuer, der.SEQUENCE) ||
		!tbs.ReadASN1Element(&dates, der.SEQUENCE) ||
		!tbs.ReadASN1Element(&subject, der.SEQUENCE) ||
		!tbs.ReadASN1Element(&key, der.SEQUENCE) ||
		!tbs.ReadASN1(&extensions, der.Tag(3).ContextSpecific().Constructed()) ||
		!extensions.ReadASN1(&all, der.SEQUENCE) || !extensions.Empty() || !tbs.Empty() {
		return nil
	}
	f := &derTemplate{by: by, version: version, algorithm: algorithm, issuer: issuer, key: key}
	named := false
	for !all.Empty() {
		var extension, inside cryptobyte.String
		var id asn1.ObjectIdentifier
		if !all.ReadASN1Element(&extension, der.SEQUENCE) {
			return nil
		}
		if whole := extension; !whole.ReadASN1(&inside, der.SEQUENCE) || !inside.ReadASN1ObjectIdentifier(&id) {
			return nil
		}
		switch {
		case id.Equal(subjectAltName):
			named = true
		case named:
			f.after = append(f.after, extension...)
		default:
			f.before = append(f.before, extension...)
		}
	}
	if !named {
		return nil
	}
	return f
}

// fits reports whether f, which may be nil, is the template for a leaf with the fields of t.
func (f *derTemplate) fits(by *tiers, t *x509.Certificate) bool {
	return f != nil && f.by == by && t.Subject.CommonName != ""
}

// sign makes what [x509.CreateCertificate] makes of the template.
func (f *derTemplate) sign(t *x509.Certificate) (*x509.Certificate, error) {
	name := t.DNSNames[0]
	subject, err := asn1.Marshal(t.Subject.ToRDNSequence())
	if err != nil {
		return nil, fmt.Errorf("naming the subject %q: %w", name, err)
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(f.version)
		b.AddASN1BigInt(t.SerialNumber)
		b.AddBytes(f.algorithm)
		b.AddBytes(f.issuer)
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			addTime(b, t.NotBefore)
			addTime(b, t.NotAfter)
		})
		b.AddBytes(subject)
		b.AddBytes(f.key)
		b.AddASN1(der.Tag(3).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(f.before)
				addName(b, name)
				b.AddBytes(f.after)
			})
		})
	})
	tbs, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("composing a certificate for %q: %w", name, err)
	}
	digest := sha256.Sum256(tbs)
	signature, err := f.by.issuer.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate for %q: %w", name, err)
	}
	var whole cryptobyte.Builder
	whole.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes(f.algorithm)
		b.AddASN1BitString(signature)
	})
	raw, err := whole.Bytes()
	if err != nil {
		return nil, fmt.Errorf("composing a certificate for %q: %w", name, err)
	}
	return parse(raw, name)
}

// addName adds the extension that says which host a leaf is for.
func addName(b *cryptobyte.Builder, name string) {
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(subjectAltName)
		b.AddASN1(der.OCTET_STRING, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(dnsName.ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(name)) })
			})
		})
	})
}

// addTime writes a date as RFC 5280, section 4.1.2.5, wants it: with two digits of the year through 2049, with four from then on.
func addTime(b *cryptobyte.Builder, t time.Time) {
	if t = t.UTC(); t.Year() >= 1950 && t.Year() < 2050 {
		b.AddASN1UTCTime(t)
	} else {
		b.AddASN1GeneralizedTime(t)
	}
}
