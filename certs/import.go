package certs

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// Import makes m the authority in dir: an intermediate of another CA, or what [Authority.Replica] has written. Where dir is absent or empty
// it makes a new one, as whole and as private as [Open] does. Where an authority below the same root is there already, it replaces that one's
// issuing certificate, and the root's by a newer edition. One below another root, or an older edition, is left alone. Where root imports into what belongs to another user,
// a service, what is written is that user's.
//
// Everything that is wrong with m is reported together, each as an [*ImportError]; nothing is written then.
func Import(dir string, m Material) error {
	now := time.Now()
	t, err := m.assemble()
	if err != nil {
		return err
	}
	if err := t.checkImport(now, m.Unconstrained); err != nil {
		return err
	}
	if dir, err = resolveDir(dir); err != nil {
		return fmt.Errorf("importing into %q: %w", dir, err)
	}
	issuing, err := encodeTiers(t)
	if err != nil {
		return err
	}
	sweep(dir)
	empty, err := absent(dir)
	if err == nil && empty {
		err = makeParents(dir)
	}
	if err == nil && empty {
		err = createDir(dir, []file{{rootFile, encodeCertificate(t.root)}, {issuingFile, issuing}}, true)
	}
	if err != nil {
		return fmt.Errorf("importing into %q: %w", dir, err)
	}
	return replaceIssuing(dir, t, issuing)
}

// replaceIssuing puts the text of t in the place of an authority's that is there, unless its root is another.
func replaceIssuing(dir string, t *tiers, text []byte) error {
	end, err := takeTurn(dir, turnPatience)
	if err != nil {
		return err
	}
	defer end()
	if err := checkDir(dir); err != nil {
		return err
	}
	root, err := loadRoot(dir)
	if err != nil {
		return err
	}
	if !bytes.Equal(root.RawSubjectPublicKeyInfo, t.root.RawSubjectPublicKeyInfo) {
		return fmt.Errorf("directory %q holds an authority below another root, SHA-256 %s: move it away, or name another directory",
			dir, fingerprint(root))
	}
	if t.root.NotBefore.Before(root.NotBefore) {
		return fmt.Errorf("directory %q holds a newer edition of that root, SHA-256 %s, valid since %s, which clients may trust already: bring what was exported later, or move it away",
			dir, fingerprint(root), day(root.NotBefore))
	}
	if err := replaceFile(filepath.Join(dir, issuingFile), text); err != nil {
		return err
	}
	if root.Equal(t.root) {
		return nil
	}
	if err := (&Authority{dir: dir}).addFormer(&issuer{cert: root}); err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, rootFile), encodeCertificate(t.root))
}

// Replica returns, in PEM, what another machine needs to sign with the same issuing certificate, for [Import] there: the issuing key, the
// certificates, the root's revocation list, and never the root's key. It is as secret as issuing.pem.
func (a *Authority) Replica() ([]byte, error) {
	t := a.tiers.Load()
	// Without the consent, which is given on each machine.
	text, err := encodeTiers(&tiers{issuer: t.issuer, intermediates: t.intermediates, cross: t.cross, rootCRL: t.rootCRL, formerCRLs: t.formerCRLs})
	return append(text, encodeCertificate(t.root)...), err
}

// ImportError is one thing that is wrong with what was to be imported.
type ImportError struct {
	Check   string // what was looked at, such as "path length"
	Subject string // the certificate at fault, or empty
	Problem string // continues the subject's name, or stands alone
}

// Error is the check and what it found.
func (e *ImportError) Error() string {
	if e.Subject == "" {
		return e.Check + ": " + e.Problem
	}
	return fmt.Sprintf("%s: certificate %q %s", e.Check, clip(e.Subject), e.Problem)
}

func importError(check string, cert *x509.Certificate, format string, a ...any) error {
	e := &ImportError{Check: check, Problem: fmt.Sprintf(format, a...)}
	if cert != nil {
		e.Subject = cert.Subject.String()
	}
	return e
}

// assemble finds the key's certificate and follows the issuers up to a root.
func (m *Material) assemble() (*tiers, error) {
	if len(m.Keys) == 0 {
		return nil, importError("key", nil, "there is no private key in what was given")
	}
	t := &tiers{issuer: issuer{key: m.Keys[0]}, consent: m.Unconstrained}
	for _, key := range m.Keys[1:] {
		if other, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !other.Equal(t.key.Public()) {
			return nil, importError("key", nil, "there are %d private keys in what was given: leave only that of the issuing certificate", len(m.Keys))
		}
	}
	for _, c := range m.Certificates {
		if matches(c, t.key) && (t.cert == nil || c.NotBefore.After(t.cert.NotBefore)) {
			t.cert = c
		}
	}
	if t.cert == nil {
		return nil, importError("key match", nil, "none of the %d certificates in what was given has the public key of the private one", len(m.Certificates))
	}
	if selfIssued(t.cert) {
		return nil, importError("chain", t.cert, "is a root: bring an intermediate below it, so that the root's key can be kept elsewhere")
	}
	for c := t.cert; t.root == nil; {
		above, err := m.issuerOf(c, len(t.intermediates))
		switch {
		case err != nil:
			return nil, err
		case selfIssued(above):
			t.root = above
		default:
			t.intermediates = append(t.intermediates, above)
		}
		c = above
	}
	m.takeCrosses(t)
	return t, m.takeLists(t)
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

// maxIntermediates is more than any CA has, and ends a ring of certificates that sign each other.
const maxIntermediates = 8

func (m *Material) issuerOf(c *x509.Certificate, depth int) (*x509.Certificate, error) {
	if depth > maxIntermediates {
		return nil, importError("chain", c, "has more than %d issuers above each other", maxIntermediates)
	}
	var failed error
	var found *x509.Certificate
	for _, above := range m.Certificates {
		if above == c || !bytes.Equal(above.RawSubject, c.RawIssuer) {
			continue
		}
		if err := above.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature); err != nil {
			failed = importError("signature", c, "was not signed by %q, which it names as its issuer: %v", above.Subject, err)
		} else if found == nil || selfIssued(above) { // the shortest way to a root
			found = above
		}
	}
	switch {
	case found != nil:
		return found, nil
	case failed != nil:
		return nil, failed
	}
	return nil, importError("chain", c, "was issued by %q, whose certificate is missing: add all up to the root, and the root", c.Issuer)
}

// takeCrosses keeps what leads from the root to those that it has followed, which have the same key.
func (m *Material) takeCrosses(t *tiers) {
	for below := t.root; len(t.cross) < maxFormer; {
		i := slices.IndexFunc(m.Certificates, func(c *x509.Certificate) bool {
			return !selfIssued(c) && bytes.Equal(c.RawSubject, below.RawIssuer) && bytes.Equal(c.RawSubjectPublicKeyInfo, t.root.RawSubjectPublicKeyInfo) &&
				t.root.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
		})
		if i < 0 {
			return
		}
		below = m.Certificates[i]
		t.cross = append(t.cross, below)
	}
}

// takeLists keeps the root's list for issuing certificates, and those of the ones that it has followed, if there are such.
func (m *Material) takeLists(t *tiers) error {
	for _, list := range m.Lists {
		if err := list.CheckSignatureFrom(t.root); err != nil {
			return importError("revocation list", t.root, "has not signed it: %v", err)
		}
		t.addCRL(list.Raw)
	}
	return nil
}
