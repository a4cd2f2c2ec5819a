package certs

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Level says how pressing the end of a certificate is.
type Level int

// The levels. There is no use for the zero value.
const (
	// LevelFine needs nobody.
	LevelFine Level = iota + 1
	// LevelNotice is 60 days or less: time to ask for a certificate that somebody else has to issue.
	LevelNotice
	// LevelWarning is 30 days or less.
	LevelWarning
	// LevelUrgent is 7 days or less.
	LevelUrgent
	// LevelExpired is the end.
	LevelExpired
)

// String is a word for people and scripts.
func (l Level) String() string {
	switch l {
	case LevelFine:
		return "fine"
	case LevelNotice:
		return "notice"
	case LevelWarning:
		return "warning"
	case LevelUrgent:
		return "urgent"
	case LevelExpired:
		return "expired"
	}
	return fmt.Sprintf("Level(%d)", int(l))
}

// LevelOf is the level of a certificate that has left to live and that nothing renews.
func LevelOf(left time.Duration) Level {
	const oneDay = 24 * time.Hour
	switch {
	case left < 0:
		return LevelExpired
	case left <= 7*oneDay:
		return LevelUrgent
	case left <= 30*oneDay:
		return LevelWarning
	case left <= 60*oneDay:
		return LevelNotice
	}
	return LevelFine
}

// Status is what an operator should know of an authority at a moment.
type Status struct {
	// Own is false for an authority that was imported: only its CA can renew and widen it.
	Own bool
	// Names are what the certificates permit, sorted, each with everything below it; one with a dot in front is without itself.
	Names []string
	// Unconstrained reports that the issuing key could sign for more than Names, and that an operator has agreed to that.
	Unconstrained bool
	// RootKey says where the root's key is. It is needed only to renew and to widen.
	RootKey KeyState
	// Root, and Chain from the issuing certificate up to below the root. The caller must not modify them.
	Root  *x509.Certificate
	Chain []*x509.Certificate
	// Former are the roots that Root has followed, the latest first: a client that trusts only one of them accepts fewer names, or for a
	// shorter time.
	Former []*x509.Certificate
	// Ends is when the first certificate of the chain ends, and with it all leaves.
	Ends time.Time
	// Warnings are what needs somebody, the most pressing first. Empty where all is well.
	Warnings []Warning
}

// Warning is something about an authority that needs somebody.
type Warning struct {
	Level Level
	Text  string // what is the matter, in the form of this package's errors
	Cure  string // what to do, as an imperative
}

// Status tells how the authority stands at now. It reads where the root's key is and which roots came before from the directory.
func (a *Authority) Status(now time.Time) Status {
	t := a.tiers.Load()
	former, err := loadFormer(a.dir)
	former = slices.DeleteFunc(former, t.root.Equal) // a crash may have left it there while it is not followed yet
	s := Status{
		Own: t.own(), Names: t.names(), Unconstrained: missingChainConstraints(t) != nil, RootKey: keyState(a.dir),
		Root: t.root, Chain: t.signers(), Former: former, Ends: t.end(),
	}
	if err != nil {
		cure := "see to that" // nothing is known to be wrong with the file itself
		if _, ok := errors.AsType[*DamagedError](err); ok {
			cure = "restore the file, or remove it"
		}
		s.Warnings = append(s.Warnings, Warning{LevelNotice, err.Error(), cure})
	}
	s.Warnings = append(s.Warnings, a.warnings(t, s, now)...)
	for i := 1; i < len(s.Warnings); i++ { // there are seven at most
		for j := i; j > 0 && s.Warnings[j].Level > s.Warnings[j-1].Level; j-- {
			s.Warnings[j], s.Warnings[j-1] = s.Warnings[j-1], s.Warnings[j]
		}
	}
	return s
}

func (a *Authority) warnings(t *tiers, s Status, now time.Time) []Warning {
	var all []Warning
	failed := a.RenewalErr()
	if failed != nil {
		all = append(all, Warning{
			max(LevelWarning, LevelOf(t.end().Sub(now))), fmt.Sprintf("the last renewal did not work: %v", failed),
			"see to that, and renew again",
		})
	}
	if err := a.lastReloadErr(); err != nil {
		cure := "see to that, and have the authority read again"
		if damaged, ok := errors.AsType[*DamagedError](err); ok {
			cure = damaged.Remedy
		}
		all = append(all, Warning{LevelWarning, err.Error(), cure})
	}
	if begin := t.begin(); now.Before(begin) {
		all = append(all, Warning{
			LevelUrgent, fmt.Sprintf("nothing can be signed before %s, and this computer's clock says %s", day(begin), day(now)), "check the clock",
		})
	}
	ended := t.end().Before(t.root.NotAfter)
	switch level := LevelOf(t.end().Sub(now)); {
	case level == LevelFine || !ended:
	case !s.Own:
		all = append(all, Warning{level, lifetime("issuing certificate", t.end(), now), "have its CA issue another one, and import that"})
	case s.RootKey != KeyPresent:
		all = append(all, Warning{
			level, lifetime("issuing certificate", t.end(), now),
			"put " + rootKeyFile + " back for a moment and renew; a replica imports what the others have renewed",
		})
	case level >= LevelUrgent || failed != nil: // whoever signs has renewed it long ago, unless he cannot: the key may be another user's
		all = append(all, Warning{level, lifetime("issuing certificate", t.end(), now), "renew it: the root's key is here"})
	}
	if level := LevelOf(t.root.NotAfter.Sub(now)); level != LevelFine {
		cure := "renew the root, and have every client trust the new certificate"
		if !s.Own {
			cure = "ask its CA for the root that comes next, and import an authority below that"
		}
		all = append(all, Warning{level, lifetime("root certificate", t.root.NotAfter, now), cure})
	}
	return append(all, sizeWarning(t)...)
}

func lifetime(what string, end, now time.Time) string {
	left := end.Sub(now)
	if left < 0 {
		return fmt.Sprintf("%s has ended %s", what, day(end))
	}
	return fmt.Sprintf("%s ends %s, in %d days", what, day(end), int(left/(24*time.Hour)))
}
