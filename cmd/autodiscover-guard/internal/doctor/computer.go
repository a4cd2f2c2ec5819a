package doctor

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// maxClockSkew is how far clocks may differ: certificates begin a day before they are made, so clients do not notice that.
const maxClockSkew = 5 * time.Minute

// clock compares this computer's with the guard's and with the certificates. No time server is asked.
func (e *examination) clock(context.Context) []Finding {
	now := time.Now()
	const do = "set the clock, and keep it right (NTP)"
	if e.Root != nil && now.Before(e.Root.NotBefore) {
		return []Finding{fail("", fmt.Sprintf("%s is before the root certificate begins, %s", now.UTC().Format(time.DateTime), e.Root.NotBefore.UTC().Format(time.DateTime)), do)}
	}
	if e.leaf != nil && (now.Before(e.leaf.NotBefore) || now.After(e.leaf.NotAfter)) {
		return []Finding{fail("", "the certificates that the guard makes now are not valid now", do)}
	}
	if e.date.IsZero() {
		for _, x := range e.exchanges {
			if date, err := time.Parse(time.RFC1123, x.answer.Header.Get("Date")); err == nil && !x.plan.Decision.Credentials.Forwarded {
				e.date, e.offset = date, now.Sub(date)-now.Sub(e.begun)
				break
			}
		}
	}
	switch {
	case e.date.IsZero() && e.leaf == nil:
		return []Finding{skipped("", "there is nothing to compare it with")}
	case e.offset.Abs() > maxClockSkew:
		return []Finding{fail("", fmt.Sprintf("it differs from the guard's by %s", e.offset.Abs().Round(time.Second)), do)}
	}
	return []Finding{ok("", "within the certificates' time, and as the guard's")}
}

const (
	// diskLeast is where records and certificates are about to be lost; diskEnough, where somebody should look.
	diskLeast  = 16 << 20
	diskEnough = 256 << 20
)

// disk asks how much room there is for state and log.
func (e *examination) disk(context.Context) []Finding {
	dirs := []string{e.State}
	if e.log.path != "" && filepath.Dir(e.log.path) != e.State {
		dirs = append(dirs, filepath.Dir(e.log.path))
	}
	var all []Finding
	for _, dir := range slices.Compact(dirs) {
		free, err := freeBytes(dir)
		if err != nil {
			all = append(all, skipped(dir, err.Error()))
			continue
		}
		all = append(all, diskSpace(dir, free))
	}
	return all
}

func diskSpace(dir string, free uint64) Finding {
	what := fmt.Sprintf("%d MiB free", free>>20)
	const do = "make room, or let the log keep less: log.rotate"
	switch {
	case free < diskLeast:
		return fail(dir, what, do)
	case free < diskEnough:
		return warning(dir, what, do)
	}
	return ok(dir, what)
}
