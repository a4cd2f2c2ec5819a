package certs

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// A new edition of the root: more names, or more time. Three files change, one after the other, and whatever moment a crash picks, what is
// there fits together, because all editions share key and subject: the former root is written down first, then the new one takes its
// place, under which the old issuing certificate is as good as before, and then comes an issuing certificate with the new names. An
// authority that was left before that last step is completed when it is opened.

// Widen lets the authority permit the names of scope in addition to those that it permits now, and reports whether that took a new root
// certificate. It needs root.key in the directory.
//
// The new root has the key and the subject of the old one, so that no client is cut off: one that trusts only the old root goes on
// accepting all leaves for the old names, and refuses those for the new ones until it trusts the new root, too. The old certificate is kept
// in former.pem.
func (a *Authority) Widen(scope Scope) (bool, error) {
	names, err := scope.canonical()
	if err != nil {
		return false, err
	}
	return a.reissue(names)
}

// RenewRoot gives the root a new certificate with the same key, subject and names and another ten years, in the way of [Authority.Widen].
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
	now := time.Now()
	root, err := a.rootWithKey(now)
	if err != nil {
		return false, err
	}
	var lacking []string
	for _, name := range more {
		switch {
		case permits(root.cert, name):
		case !permits(&x509.Certificate{ExcludedDNSDomains: root.cert.ExcludedDNSDomains}, name):
			return false, fmt.Errorf("root certificate excludes %q, and a new one would do the same", name)
		default:
			lacking = append(lacking, name)
		}
	}
	if more != nil && lacking == nil {
		return false, a.put(root, now)
	}
	names, err := Scope{Names: slices.Concat(root.cert.PermittedDNSDomains, lacking)}.canonical()
	if err != nil {
		return false, err
	}
	next, err := newEdition(root, names, now)
	if err != nil {
		return false, err
	}
	if err := a.retire(root); err != nil {
		return false, err
	}
	if err := replaceFile(filepath.Join(a.dir, rootFile), encodeCertificate(next.cert)); err != nil {
		return false, err
	}
	return true, a.put(next, now)
}

// retire adds a root to those that clients may still trust.
func (a *Authority) retire(root *issuer) error {
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
