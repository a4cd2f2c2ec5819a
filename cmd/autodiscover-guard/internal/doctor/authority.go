package doctor

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"autodiscover-guard/certs"
	"autodiscover-guard/certs/truststore"
)

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// authority asks how long it can sign, for what, and where the root's key is.
func (e *examination) authority(context.Context) []Finding {
	a, err := e.Authority()
	switch {
	case errors.Is(err, fs.ErrPermission):
		return []Finding{skipped("", "this user may not read its keys: examine as the user that the guard runs as")}
	case err != nil:
		return []Finding{fail("", err.Error(), "autodiscover-guard ca show says what to do")}
	}
	defer a.Close()
	now := time.Now()
	s := a.Status(now)
	all := []Finding{ok("", fmt.Sprintf("%d names permitted; it can sign until %s, %d days", len(s.Names), s.Ends.UTC().Format(time.DateOnly), days(s.Ends.Sub(now))))}
	if len(s.Warnings) > 0 {
		all = nil
	}
	for _, w := range s.Warnings {
		f := warning("", w.Text, w.Cure)
		if w.Level >= certs.LevelUrgent {
			f.State = Fail
		}
		all = append(all, f)
	}
	if s.Unconstrained {
		all = append(all, warning("", "its key could sign for any name", "have its CA issue one with name constraints"))
	}
	return append(all, rootKey(s))
}

func rootKey(s certs.Status) Finding {
	f := ok("", "not on this computer")
	if s.RootKey != certs.KeyAbsent {
		f = warning("", "still on this computer", "move authority/root.key to a place that is not on this computer: it is needed only to renew and to widen")
	}
	if !s.Own {
		f = ok("", "with the CA that issued the authority")
	}
	f.Check = "root-key"
	return f
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }

const install = "autodiscover-guard ca install; then start the programs again that use it"

// trust says of every store whether clients that use it accept what the guard opens.
func (e *examination) trust(ctx context.Context) []Finding {
	if e.Root == nil {
		return []Finding{skipped("", "no root to look for: "+e.RootErr.Error())}
	}
	reports, err := e.Trust(ctx)
	if err != nil {
		return []Finding{skipped("", err.Error())}
	}
	var all []Finding
	present := false
	for _, r := range reports {
		subject := r.Store + " " + r.Path
		switch {
		case r.Status == truststore.Present:
			present = true
			all = append(all, ok(subject, r.Program+" trusts the root"))
		case r.Status == truststore.Skipped:
			all = append(all, skipped(subject, r.Note))
		case r.Status == truststore.Failed:
			all = append(all, warning(subject, "cannot be looked at: "+r.Note, "autodiscover-guard ca verify says more"))
		case r.Recorded:
			all = append(all, fail(subject, "the root was put there, and is there no more", install))
		default:
			all = append(all, warning(subject, r.Program+" does not trust the root: its programs refuse what the guard opens", install))
		}
	}
	return append(all, e.anyTrust(present))
}

// anyTrust is wrong where no store at all has the root, but for a gateway: its clients are other computers.
func (e *examination) anyTrust(present bool) Finding {
	const what = "no trust store of this computer has the root"
	switch {
	case present:
		return ok("", "the root is trusted on this computer")
	case e.servesOthers():
		return warning("", what+"; its clients are other computers", "have those trust it: autodiscover-guard ca export, or the admin listener's /setup")
	}
	return fail("", what+": its mail clients refuse what the guard opens", install)
}

// servesOthers reports whether the guard serves other computers.
func (e *examination) servesOthers() bool {
	host := e.Proxy.Hostname()
	return e.Everywhere || host != "localhost" && !strings.HasPrefix(host, "127.") && host != "::1"
}

// desktop says whether programs are sent to the guard.
func (e *examination) desktop(ctx context.Context) []Finding {
	results, err := e.Desktop(ctx)
	if err != nil {
		return []Finding{skipped("", err.Error())}
	}
	var all []Finding
	on := false
	for _, r := range results {
		subject := strings.TrimSpace(r.Name + " " + r.Where)
		note := string(r.State)
		if r.Note != "" {
			note += ": " + r.Note
		}
		switch {
		case !r.Good():
			all = append(all, fail(subject, note, "autodiscover-guard setup status; setup off takes settings back, setup on puts them in place"))
		case r.State == "on" && r.Note != "":
			on = true
			all = append(all, warning(subject, "uses the guard's PAC, but "+r.Note, "where such programs are used: see to that, and start them again"))
		case r.State == "on":
			on = true
			all = append(all, ok(subject, "uses the guard's PAC"))
		default:
			all = append(all, skipped(subject, note))
		}
	}
	const what = "no setting of this computer sends programs to the guard"
	switch {
	case on || slices.ContainsFunc(all, func(f Finding) bool { return f.State == Fail }):
	case e.servesOthers():
		all = append(all, skipped("", what+"; its clients are other computers"))
	default:
		all = append(all, warning("", what+": unless each is told by itself, they go past it", "autodiscover-guard setup on"))
	}
	return all
}
