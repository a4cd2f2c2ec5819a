package review

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// Filter says which decisions and events count. Of each list one entry must fit; an empty list fits everything. The zero Filter lets all through.
type Filter struct {
	// Since and Until are Unix times in nanoseconds, the first included, the last not; zero is no limit.
	Since, Until int64
	// Domains are mail domains as [ParseDomain] gives them; each stands for itself and everything below it.
	Domains []string
	Clients []netip.Prefix
	// Actions and Dialects are of those that the functions of that name list, Rules names of rules.
	Actions  []string
	Dialects []string
	Rules    []string
}

// ParseMoment reads a point in time as people give it: RFC 3339, a date or a date and time (UTC, as the log has it), or how long ago it was (24h, 7d, 2w).
func ParseMoment(text string, now time.Time) (int64, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			at, err := unixTime(t)
			if err != nil {
				err = fmt.Errorf("%q: %w", text, err)
			}
			return at, err
		}
	}
	if ago, ok := parseAgo(text); ok {
		return now.Add(-ago).UnixNano(), nil
	}
	return 0, fmt.Errorf("%q is not a time: want 2026-11-24, 2026-11-24T06:05:00Z, or how long ago (90m, 24h, 7d, 2w)", text)
}

func parseAgo(text string) (time.Duration, bool) {
	if d, err := time.ParseDuration(text); err == nil {
		return d, d >= 0
	}
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if n, err := strconv.ParseUint(strings.TrimSuffix(text, suffix), 10, 16); err == nil && strings.HasSuffix(text, suffix) {
			return time.Duration(n) * unit, time.Duration(n) <= math.MaxInt64/unit
		}
	}
	return 0, false
}

// ParseDomain reads a domain as people write it, in the spelling in which records have domains.
func ParseDomain(text string) (string, error) {
	domain := strings.TrimLeft(reserved.Canonical(text), ".")
	if domain == "" || strings.ContainsAny(domain, " \t@/*:") {
		return "", fmt.Errorf("%q is not a domain: want one such as example.com, which stands for all below it, too", text)
	}
	return domain, nil
}

// Actions are what records say in action.
func Actions() []string { return append(actionNames[:], actionTunnel) }

// Dialects are what records say in dialect: those that are recognised, and what stands where none is.
func Dialects() []string {
	var names []string
	for _, d := range dialect.All() {
		names = append(names, d.Name)
	}
	return append(names, dialect.None.String())
}

// ParseClient reads an address or a range of addresses (CIDR).
func ParseClient(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		if meant, mapped := reserved.MappedRange(p); mapped {
			if !meant.IsValid() {
				return netip.Prefix{}, fmt.Errorf("%q is not a client: want a range of IPv4 as 192.0.2.0/24", text)
			}
			return netip.Prefix{}, fmt.Errorf("%q is not a client: did you mean %s?", text, meant)
		}
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not a client: want an address (192.0.2.7) or a range of them (192.0.2.0/24)", text)
	}
	return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
}

// Match reports whether a record counts.
func (f *Filter) Match(r *Record) bool { return f.inTime(r.At) && f.decision(r) }

// inTime reports whether a time is within the window.
func (f *Filter) inTime(at int64) bool {
	return at >= f.Since && (f.Until == 0 || at < f.Until)
}

// decision reports whether a record counts, its time apart.
func (f *Filter) decision(r *Record) bool {
	return fits(f.Actions, r.Action) && fits(f.Dialects, r.Dialect) && fits(f.Rules, r.Rule) &&
		(len(f.Domains) == 0 || slices.ContainsFunc(r.Subjects, f.domain)) && f.client(r.Client)
}

// event reports whether an event counts, its time apart. Events know no action, dialect or rule.
func (f *Filter) event(e *Event) bool {
	return len(f.Actions) == 0 && len(f.Dialects) == 0 && len(f.Rules) == 0 && (len(f.Domains) == 0 || f.domain(e.Host)) && f.client(e.Client)
}

func fits(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }

func (f *Filter) domain(name string) bool {
	for _, d := range f.Domains {
		if within(name, d) {
			return true
		}
	}
	return false
}

// within reports whether a name is a domain or below it.
func within(name, domain string) bool {
	rest, ok := strings.CutSuffix(name, domain)
	return ok && domain != "" && (rest == "" || strings.HasSuffix(rest, "."))
}

func (f *Filter) client(address string) bool {
	if len(f.Clients) == 0 {
		return true
	}
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("") // a range has no zone, and holds no address that has one
	for _, p := range f.Clients {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
