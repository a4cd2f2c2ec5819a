package certs

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Renewing the issuing certificate: when the authority is opened, and by itself when a leaf is minted or Refresh is called, so that a
// process that runs for months keeps working. The root's key is read for that moment only and not kept.

// retryAfter keeps a renewal that cannot work from being tried for every leaf.
const retryAfter = time.Minute

// renewalDue reports whether an issuing certificate should be replaced now. One that is not valid yet was made while the
// clock was wrong, and is replaced as well. One that ends with its root would not get longer.
func renewalDue(t *tiers, now time.Time) bool {
	if !t.validAt(now) {
		return true
	}
	return now.After(t.end().Add(-renewBefore)) && t.end().Before(t.root.NotAfter)
}

// tiersAt returns the tiers that sign at now. It renews when that is due; if that does not work, what is there goes
// on being used for as long as it is valid.
func (a *Authority) tiersAt(now time.Time) (*tiers, error) {
	if t := a.tiers.Load(); !renewalDue(t, now) {
		return t, nil
	}
	patience := turnPatience
	if t := a.tiers.Load(); t.validAt(now) { // what is there does for now: no handshake waits for whoever changes the directory
		if !a.renewing.TryLock() {
			return t, nil
		}
		patience = 0
	} else {
		a.renewing.Lock()
	}
	defer a.renewing.Unlock()
	if since := now.Sub(a.lastTry); renewalDue(a.tiers.Load(), now) && (since < 0 || since >= retryAfter) {
		a.lastTry = wallTime(now)
		a.renewErr = a.refresh(now, patience)
	}
	t := a.tiers.Load()
	if !t.validAt(now) {
		return nil, a.notValidError(t, now, a.renewErr)
	}
	return t, nil
}

// wallTime is a time without its monotonic part, which stands still while a computer sleeps and does not follow a clock that is set: by that, what was tried
// months ago in the time of certificates may have been tried a minute ago.
func wallTime(t time.Time) time.Time { return t.Round(0) }

// notValidError is for a chain that is not valid at now; cause is why nobody has renewed it.
func (a *Authority) notValidError(t *tiers, now time.Time, cause error) error {
	remedy := "check the clock, put " + rootKeyFile + " back into the directory, and start again"
	if !t.own() {
		remedy = "check the clock"
	}
	return &DamagedError{
		Path: filepath.Join(a.dir, issuingFile),
		Problem: fmt.Sprintf("is valid from %s to %s, this computer's clock says %s, and it cannot be renewed",
			day(t.begin()), day(t.end()), day(now)),
		Remedy: remedy,
		Err:    cause,
	}
}

// Refresh takes over what another process, a replica or an operator's command, has put into the directory, and renews the issuing
// certificate when that is due. A process that runs for long should call it now and then: leaves alone do so only when they are asked for.
// The error is what [Authority.RenewalErr] goes on returning, or why what is in the directory now cannot be taken over: it cannot be read, its time is
// over, or it was made for fewer names than are signed for. [Authority.Status] warns of both. What is in use stays in use.
func (a *Authority) Refresh() error {
	if a.closed.Load() {
		return ErrClosed
	}
	a.renewing.Lock()
	defer a.renewing.Unlock()
	now := time.Now()
	a.lastTry = wallTime(now)
	a.renewErr = a.refresh(now, turnPatience)
	return cmp.Or(a.renewErr, a.reloadErr)
}

// refresh reloads what is on disk, writes what could not be written before, and renews when that is due and its turn comes within patience. The lock is held.
func (a *Authority) refresh(now time.Time, patience time.Duration) error {
	a.reload(now, nil)
	if a.saveErr == nil && !renewalDue(a.tiers.Load(), now) {
		return nil
	}
	end, err := takeTurn(a.dir, patience)
	if err != nil {
		return err
	}
	defer end()
	a.reload(now, nil) // whose turn it was may have done it
	if a.saveErr != nil && a.reloadErr == nil {
		a.save(a.tiers.Load())
	}
	if !renewalDue(a.tiers.Load(), now) {
		return a.saveErr
	}
	return a.renew(now)
}

// reload takes over what is on disk, whatever that is: the next start would. Where a start could not use it, what is in use stays, and reloadErr says
// why. What is in use also stays where it is newer and could not be written yet. wanted are names that are about to be signed for, nil for those of
// the scope. The lock is held.
func (a *Authority) reload(now time.Time, wanted []string) {
	old := a.tiers.Load()
	a.reloadErr = nil
	t, err := load(a.dir)
	if err == nil && (t.equal(old) || a.saveErr != nil && t.sameRootKey(old) && t.cert.NotBefore.Before(old.cert.NotBefore)) {
		return
	}
	if err == nil {
		err = a.checkUsable(t, now, wanted)
	}
	if err != nil {
		would := "fail"
		if empty, _ := absent(a.dir); empty {
			would = "make another authority, which no client trusts"
		}
		a.reloadErr = fmt.Errorf("what is in the directory now cannot be taken over, and the next start would %s: %w", would, err)
		return
	}
	a.tiers.Store(t)
	a.renewErr, a.saveErr, a.lastTry = nil, nil, time.Time{} // it may have to be renewed at once
}

// checkUsable returns why a start could not use t, which is on disk; nil where it could. One whose time is over is usable where it can be renewed, which comes next.
func (a *Authority) checkUsable(t *tiers, now time.Time, wanted []string) error {
	if err := checkDates(a.dir, t.root, now); err != nil {
		return err
	}
	if !t.validAt(now) {
		if !t.own() {
			return a.notValidError(t, now, errAnotherCA)
		}
		if _, err := loadRootKey(a.dir, t.root); err != nil {
			return a.notValidError(t, now, fmt.Errorf("renewing needs the root's key: %w", err))
		}
	}
	var served []string
	if s := a.scope.Load(); s != nil {
		served = s.asked
	}
	missing := t.lacks(served)
	if missing != nil && wanted != nil {
		missing = t.lacks(wanted)
	}
	if missing != nil {
		return &ScopeError{Dir: a.dir, Missing: missing, Foreign: !t.own()}
	}
	return nil
}

// updateDistributionPoint makes a new issuing certificate where the one in use names another place for revocation lists than [RevocationAt] does, if the
// root's key is here. It is as
// good as before where that fails.
func (a *Authority) updateDistributionPoint(now time.Time) {
	t := a.tiers.Load()
	if !t.own() || slices.Equal(t.cert.CRLDistributionPoints, a.issuingDistributionPoints()) || keyState(a.dir) != KeyPresent {
		return
	}
	a.renewing.Lock()
	defer a.renewing.Unlock()
	a.renewErr = a.renewInTurn(now)
}

// renewInTurn is renew while no other process changes the directory.
func (a *Authority) renewInTurn(now time.Time) error {
	end, err := takeTurn(a.dir, turnPatience)
	if err != nil {
		return err
	}
	defer end()
	return a.renew(now)
}

// renew makes a new issuing certificate, writes it and takes it into use. If only the writing does not work, the new
// one is used all the same, from memory: a full or read-only disk is no reason to stop, now or when the old one ends.
func (a *Authority) renew(now time.Time) error {
	root, err := a.rootWithKey()
	if err != nil {
		return err
	}
	return a.issueBelow(root, now)
}

var errAnotherCA = errors.New("the issuing certificate is another CA's: have that issue a new one, and import it")

// rootWithKey reads the root and its key from disk: another process may have widened it.
func (a *Authority) rootWithKey() (*issuer, error) {
	if t := a.tiers.Load(); !t.own() {
		return nil, errAnotherCA
	}
	cert, err := loadRoot(a.dir)
	if err != nil {
		return nil, err
	}
	key, err := loadRootKey(a.dir, cert)
	if err != nil {
		return nil, fmt.Errorf("renewing needs the root's key: %w", err)
	}
	return &issuer{cert: cert, key: key}, nil
}

// issueBelow makes an issuing certificate below root, and has it saved and in use.
func (a *Authority) issueBelow(root *issuer, now time.Time) error {
	former, err := loadFormer(a.dir)
	if err != nil {
		return err
	}
	t, err := a.newTiers(root, former, now)
	if err != nil {
		return err
	}
	a.save(t)
	a.tiers.Store(t)
	return a.saveErr
}

// save writes what is to be in use. Where that does not work it is tried again with each refresh: whoever takes the root's key away once the
// disk has space again must find it there.
func (a *Authority) save(t *tiers) {
	text, err := encodeTiers(t)
	if err == nil {
		err = replaceFile(filepath.Join(a.dir, issuingFile), text)
	}
	if err != nil {
		a.saveErr = fmt.Errorf("renewed issuing certificate is not saved, and lost with this process: %w", err)
		return
	}
	a.reloadErr, a.saveErr = nil, nil
}

// newTiers makes an issuing certificate below root, what clients need that trust only one of the former roots, and, if the issuing
// certificate names a place for one, the roots' revocation lists.
func (a *Authority) newTiers(root *issuer, former []*x509.Certificate, now time.Time) (*tiers, error) {
	points := a.issuingDistributionPoints()
	iss, err := newIssuing(root, points, now)
	if err != nil {
		return nil, err
	}
	t := &tiers{issuer: *iss, root: root.cert}
	lists := ""
	if len(points) != 0 {
		lists = strings.TrimSuffix(points[0], RootCRLPath)
	}
	if t.cross, err = newCrosses(root, former, lists, now); err != nil || lists == "" {
		return t, err
	}
	if t.formerCRLs, err = newFormerCRLs(root, t.cross, former, now, iss.cert.NotAfter); err != nil {
		return nil, err
	}
	t.rootCRL, err = newCRL(root, now, iss.cert.NotAfter)
	return t, err
}

// Renew replaces the issuing certificate and its key now, whether that is due or not. Leaves are minted anew as they
// are asked for; the root, and so what clients trust, stays. It needs root.key in the directory. A process that is
// already running takes the new one over with its next [Authority.Refresh].
func (a *Authority) Renew() error {
	if a.closed.Load() {
		return ErrClosed
	}
	a.renewing.Lock()
	defer a.renewing.Unlock()
	a.renewErr = a.renewInTurn(time.Now())
	return a.renewErr
}

// RenewalErr returns why the last renewal did not work, or nil if it did or none has been needed. Leaves are still
// signed while it is not nil, up to the NotAfter of [Authority.Issuing]; it is there to be shown to an operator.
func (a *Authority) RenewalErr() error {
	a.renewing.Lock()
	defer a.renewing.Unlock()
	return a.renewErr
}

// lastReloadErr is why what is on disk was not taken over the last time.
func (a *Authority) lastReloadErr() error {
	a.renewing.Lock()
	defer a.renewing.Unlock()
	return a.reloadErr
}
