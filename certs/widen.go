package certs

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// A new edition of the root: more names, or more time. It has the former one's key and another subject, and the former one vouches for it
// (newCross), so that a client that trusts either gets to a root that it knows, and one that trusts both does not have to choose.
//
// Three files change, one after the other, and whatever moment a crash picks, what is there fits together. First the former root is written
// down. Then comes an issuing certificate below the new root, with what makes it good below the former one, which is still in place: the
// authority works as before, for the old names. Last the new root takes its place.

// maxFormer bounds what every handshake carries.
const maxFormer = 4

// newCrosses makes the former roots, the latest first, vouch for what followed them: the first for root, the next for the first. It stops at
// one that has ended. lists is the address below which their revocation lists are, "" for nowhere.
func newCrosses(root *issuer, former []*x509.Certificate, lists string, now time.Time) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	next := root
	for _, f := range former {
		if now.After(f.NotAfter) || len(all) == maxFormer {
			break
		}
		if f.Equal(root.cert) {
			continue
		}
		cross, err := newCross(next, f, lists)
		if err != nil {
			return nil, err
		}
		all = append(all, cross)
		next = &issuer{cert: f, key: root.key}
	}
	return all, nil
}

// Widen lets the authority permit the names of scope in addition to those that it permits now, and reports whether that took a new root
// certificate. It needs root.key in the directory.
//
// The former root vouches for the new one, so that no client is cut off: one that trusts only the former goes on accepting all leaves for the
// old names, and refuses those for the new ones until it trusts the new root, too. The former root is kept in former.pem. When every client
// trusts the new one, that file can be removed, and the next renewal sends nothing for it any more.
func (a *Authority) Widen(scope Scope) (bool, error) {
	names, err := scope.canonical()
	if err != nil {
		return false, err
	}
	return a.reissue(names)
}

// RenewRoot gives the root a new certificate with the same key and names, another subject and another ten years, in the way of [Authority.Widen]. It needs
// root.key in the directory. The former root is kept in former.pem; every client has to trust the new one before the former ends.
func (a *Authority) RenewRoot() error {
	_, err := a.reissue(nil)
	return err
}

// reissue makes a new edition of the root: with more names if it lacks some, or, for no names, with new dates.
func (a *Authority) reissue(more []string) (bool, error) {
	if a.closed.Load() {
		return false, ErrClosed
	}
	a.renewing.Lock()
	defer a.renewing.Unlock()
	end, err := takeTurn(a.dir, turnPatience)
	if err != nil {
		return false, err
	}
	defer end()
	now := time.Now()
	root, err := a.rootWithKey()
	if err != nil {
		return false, err
	}
	var lacking []string
	had := constraintsOf(root.cert)
	for _, name := range more {
		switch {
		case had.permit(name):
		case had.excluded.covers(name):
			return false, fmt.Errorf("root certificate excludes %q, and a new one would do the same", name)
		default:
			lacking = append(lacking, name)
		}
	}
	if more != nil && lacking == nil {
		return false, a.issueBelow(root, now)
	}
	names, err := Scope{Names: slices.Concat(root.cert.PermittedDNSDomains, lacking)}.canonical()
	if err != nil {
		return false, err
	}
	next, err := reissueRoot(root, names, now)
	if err != nil {
		return false, err
	}
	if err := a.addFormer(root); err != nil {
		return false, err
	}
	if err := a.issueBelow(next, now); err != nil {
		return false, err
	}
	return true, replaceFile(filepath.Join(a.dir, rootFile), encodeCertificate(next.cert))
}

// addFormer writes a root into former.pem, the first of those that clients may still trust.
func (a *Authority) addFormer(root *issuer) error {
	former, err := loadFormer(a.dir)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	text.Write(encodeCertificate(root.cert))
	for _, c := range former {
		if !c.Equal(root.cert) {
			text.Write(encodeCertificate(c))
		}
	}
	return replaceFile(filepath.Join(a.dir, formerFile), text.Bytes())
}
