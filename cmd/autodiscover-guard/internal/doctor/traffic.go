package doctor

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"autodiscover-guard/rules/reserved"
)

// tunnelled asks for tunnels to the hosts of accounts that nobody guards. They must lead out unopened, or nowhere.
func (e *examination) tunnelled(ctx context.Context) []Finding {
	var all []Finding
	for _, a := range e.unguardedAccounts {
		all = append(all, e.probeUnguarded(ctx, a))
	}
	return all
}

// probeUnguarded asks for all hosts of one account at once: a name that does not exist can take a while.
func (e *examination) probeUnguarded(ctx context.Context, a account) Finding {
	labels := [...]string{"", "autodiscover.", "autoconfig."}
	var found [len(labels)]Finding
	var led atomic.Int64
	var running sync.WaitGroup
	for i, label := range labels {
		running.Go(func() {
			f, out := e.probeTunnel(ctx, label+a.domain)
			if found[i] = f; out {
				led.Add(1)
			}
		})
	}
	running.Wait()
	worst := ok("", "not opened: its hosts were dialled, and do not exist or cannot be reached")
	if n := led.Load(); n > 0 {
		worst.What = fmt.Sprintf("not opened: %d of its hosts answer through the guard with certificates of their own", n)
	}
	for _, f := range found {
		if f.State.worse(worst.State) {
			worst = f
		}
	}
	worst.Subject = a.domain
	return worst
}

// probeTunnel asks for one tunnel. out says that somebody answered it.
func (e *examination) probeTunnel(ctx context.Context, host string) (f Finding, out bool) {
	if e.Policy.Opens(host) {
		return warning("", "the policy opens "+host+", though no rule concerns the account", doGuard(host)), false
	}
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	leaf, r, err := e.route.leaf(ctx, host)
	switch {
	case e.Root != nil && leaf != nil:
		return fail("", host+" is opened, and concerns nobody whom the policy guards", doPolicy), false
	case r.code == 0:
		return fail("", fmt.Sprintf("CONNECT %s is not answered: %s", host, rootCause(err)), "look at the guard's log"), false
	case r.code == http.StatusServiceUnavailable, r.code == http.StatusTooManyRequests:
		return warning("", fmt.Sprintf("CONNECT %s is answered with %s: the guard is at a limit", host, r.text), "raise limits.tunnels or limits.per_client"), false
	}
	return ok("", ""), r.code == http.StatusOK
}

// quarantine looks whether the mail ports of a stranger whom we were kept from are shut.
func (e *examination) quarantine(ctx context.Context) []Finding {
	if e.Settings.Clients.Quarantine == 0 {
		return []Finding{skipped("", "it is off (clients.quarantine)")}
	}
	for _, d := range e.mine {
		for _, host := range d.Strangers {
			if d.Action == "pass" || net.ParseIP(host) != nil || e.Policy.Opens(host) {
				continue
			}
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			conn, r, err := e.route.tunnel(ctx, net.JoinHostPort(host, "993"))
			switch {
			case err != nil:
				return []Finding{fail(host, "CONNECT to port 993 is not answered: "+rootCause(err), "look at the guard's log")}
			case conn != nil:
				conn.Close()
				return []Finding{fail(host, "we were kept from it, and still reach its port 993 through the guard", "see clients.quarantine, and whether the guard runs with this configuration")}
			case r.code != http.StatusForbidden:
				return []Finding{skipped(host, "port 993 is not reached: "+r.text)}
			}
			return []Finding{ok(host, "we were kept from it, and its mail ports are shut to us")}
		}
	}
	return []Finding{skipped("", "no service named a stranger")}
}

// secrets looks for the password where it must not be: in the log, and in answers.
func (e *examination) secrets(context.Context) []Finding {
	traces := e.passwordForms(slices.Concat(e.accounts, e.unguardedAccounts))
	holds := func(text string) bool {
		return slices.ContainsFunc(traces, func(trace string) bool { return strings.Contains(text, trace) })
	}
	for _, x := range e.exchanges {
		spoken := holds(string(x.answer.Body))
		for _, values := range x.answer.Header {
			spoken = spoken || slices.ContainsFunc(values, holds)
		}
		if spoken {
			return []Finding{fail("answers", "the password comes back in the answer to "+x.question(), "tell the makers of the service that answers")}
		}
	}
	all := []Finding{ok("answers", fmt.Sprintf("the password is in none of %d", e.answeredCount()))}
	switch {
	case !e.log.readable():
		return append(all, skipped("log", "it cannot be read from here"))
	case holds(e.log.text):
		return append(all, fail("log", "the password stands in "+e.log.path, "remove it from there, and report this as a fault of the guard"))
	case e.Settings.Log.Privacy != "full" && strings.Contains(e.log.text, e.local+"@"):
		return append(all, fail("log", "the whole address stands in "+e.log.path+", against log.privacy "+e.Settings.Log.Privacy, "start the guard again, so that it takes the configuration"))
	case e.log.missed:
		return append(all, skipped("log", "it was rotated meanwhile: what stood in it before was not looked at"))
	}
	return append(all, ok("log", "neither the password nor a whole address is in the records"))
}

// answeredCount counts the exchanges that came to an answer.
func (e *examination) answeredCount() int {
	n := 0
	for _, x := range e.exchanges {
		if x.skip == "" && x.err == nil {
			n++
		}
	}
	return n
}

// isOurSubject reports whether a domain is one that this examination asks about; others may ask about it, too.
func (e *examination) isOurSubject(domain string) bool {
	return slices.ContainsFunc(e.accounts, func(a account) bool {
		return reserved.Below(domain, reserved.Canonical(a.domain))
	})
}
