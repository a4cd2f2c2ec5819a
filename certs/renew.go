package certs

import (
	"fmt"
	"path/filepath"
	"time"
)

// Renewing the issuing certificate: when the authority is opened, and by itself when a leaf is minted, so that a
// process that runs for months keeps working. The root's key is read for that moment only and not kept.

// retryAfter keeps a renewal that cannot work from being tried for every leaf.
const retryAfter = time.Minute

// due reports whether an issuing certificate should be replaced now. One that is not valid yet was made while the
// clock was wrong, and is replaced as well. One that ends with its root would not get longer.
func (a *Authority) due(iss *issuer, now time.Time) bool {
	if !iss.validAt(now) {
		return true
	}
	return now.After(iss.cert.NotAfter.Add(-renewBefore)) && iss.cert.NotAfter.Before(a.root.NotAfter)
}

// signer returns the issuer to sign with at now. It renews when that is due; if that does not work, what is there goes
// on being used for as long as it is valid.
func (a *Authority) signer(now time.Time) (*issuer, error) {
	if iss := a.issuer.Load(); !a.due(iss, now) {
		return iss, nil
	}
	a.renewing.Lock()
	defer a.renewing.Unlock()
	if since := now.Sub(a.tried); a.due(a.issuer.Load(), now) && (since < 0 || since >= retryAfter) {
		a.tried = now
		if !a.adopt(now) {
			a.renewErr = a.renew(now)
		}
	}
	iss := a.issuer.Load()
	if !iss.validAt(now) {
		return nil, &DamagedError{
			Path: filepath.Join(a.dir, issuingFile),
			Problem: fmt.Sprintf("is valid from %s to %s, this computer's clock says %s, and it cannot be renewed",
				day(iss.cert.NotBefore), day(iss.cert.NotAfter), day(now)),
			Remedy: "check the clock, put " + rootKeyFile + " back into the directory, and start again",
			Err:    a.renewErr,
		}
	}
	return iss, nil
}

// adopt takes over what another process, a replica or an operator's command, has already put on disk.
func (a *Authority) adopt(now time.Time) bool {
	iss, err := loadIssuer(a.dir, a.root)
	if err != nil || a.due(iss, now) {
		return false
	}
	for _, name := range a.scope.Load().asked {
		if !permits(iss.cert, name) {
			return false
		}
	}
	a.issuer.Store(iss)
	a.renewErr = nil
	return true
}

// renew makes a new issuing certificate, writes it and takes it into use. If only the writing does not work, the new
// one is used all the same, from memory: a full or read-only disk is no reason to stop, now or when the old one ends.
func (a *Authority) renew(now time.Time) error {
	key, err := loadRootKey(a.dir, a.root)
	if err != nil {
		return fmt.Errorf("renewing needs the root's key: %w", err)
	}
	iss, err := newIssuing(&issuer{cert: a.root, key: key}, now)
	if err != nil {
		return err
	}
	text, err := encodeIssuer(iss)
	if err == nil {
		err = replaceFile(filepath.Join(a.dir, issuingFile), text)
	}
	a.issuer.Store(iss)
	if err != nil {
		return fmt.Errorf("renewed issuing certificate is in use but not saved: %w", err)
	}
	return nil
}

// Renew replaces the issuing certificate and its key now, whether that is due or not. Leaves are minted anew as they
// are asked for; the root, and so what clients trust, stays. It needs root.key in the directory. A process that is
// already running goes on with the old certificate until that one is due.
func (a *Authority) Renew() error {
	if a.closed.Load() {
		return ErrClosed
	}
	a.renewing.Lock()
	defer a.renewing.Unlock()
	a.renewErr = a.renew(time.Now())
	return a.renewErr
}

// RenewalErr returns why the last renewal did not work, or nil if it did or none has been needed. Leaves are still
// signed while it is not nil, up to the NotAfter of [Authority.Issuing]; it is there to be shown to an operator.
func (a *Authority) RenewalErr() error {
	a.renewing.Lock()
	defer a.renewing.Unlock()
	return a.renewErr
}
