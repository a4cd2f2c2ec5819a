package doctor

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

// reachable connects, as what follows depends on it, and has the guard open a host.
func (e *examination) reachable(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	at := e.route.address()
	conn, err := e.route.dial(ctx)
	if err != nil {
		return []Finding{e.unreachable(at, err)}
	}
	if local, err := netip.ParseAddrPort(conn.LocalAddr().String()); err == nil {
		e.client = local.Addr().Unmap()
	}
	conn.Close()
	e.placeOwn()
	host := e.openHost()
	leaf, r, err := e.route.leaf(ctx, host)
	switch {
	case err == nil && leaf == nil:
		return []Finding{denied(e.route.proxy.Scheme, at, host, r)}
	case err != nil:
		return []Finding{e.badCertificate(at, host, err)}
	}
	e.reached, e.leaf = true, leaf
	return []Finding{ok(at, fmt.Sprintf("answers, and opens %s with a certificate of %q", host, leaf.Issuer.CommonName))}
}

// openHost is a host that the policy opens: where an account of the documentation name is asked for, if it can be.
func (e *examination) openHost() string {
	if host := "autodiscover." + documentation; e.Policy.Opens(host) {
		return host
	}
	return "autodiscover." + e.Policy.Scope()[0]
}

func (e *examination) unreachable(at string, err error) Finding {
	do := "start it: autodiscover-guard run; or name the one that runs: --proxy URL, --state DIR, --config FILE"
	var timeout net.Error
	switch {
	case errors.Is(err, errRefused):
		what := "nothing listens there"
		if !e.Local {
			what += ", and no guard holds the state directory " + e.State
		}
		return fail(at, what, do)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fail(at, "no answer within 10 s", "see whether the computer is up, and whether a packet filter lets this one in")
	}
	return fail(at, rootCause(err), do)
}

// denied is for a guard that does not want us.
func denied(scheme, at, host string, r reply) Finding {
	what := fmt.Sprintf("answers CONNECT %s with %s", host, r.text)
	switch r.code {
	case http.StatusProxyAuthRequired:
		return fail(at, what+": it asks for a name and a password of its own", "name them: --proxy "+scheme+"://NAME:PASSWORD@"+at)
	case http.StatusForbidden:
		return fail(at, what+": it does not take this client", "let clients.allow have this computer's address")
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return fail(at, what+": it is at a limit, or stopping", "look at its log, and at /readyz of its admin listener")
	}
	return fail(at, what+": this is another proxy, or a guard that cannot open it", "name the guard: --proxy URL")
}

func (e *examination) badCertificate(at, host string, err error) Finding {
	_, not := errors.AsType[x509.UnknownAuthorityError](err)
	switch {
	case not && e.Root == nil:
		return fail(at, fmt.Sprintf("answers, but this computer does not trust the certificate for %s, and %s has no authority to compare it with", host, e.State),
			"have this computer trust the guard's root, which autodiscover-guard ca export writes there, or name the state directory with --state")
	case not:
		return fail(at, fmt.Sprintf("answers, but the certificate for %s is not of this authority", host),
			"another guard or proxy runs there, or this one was given another authority: name its state directory with --state, or start it again")
	}
	return fail(at, fmt.Sprintf("answers, but does not open %s: %s", host, rootCause(err)), "name the guard's own configuration with --config; its log may say more")
}

// ask asks the admin listener, and looks at its clock.
func (e *examination) ask(ctx context.Context, path string) (status int, body []byte, err error) {
	reply, err := e.Admin.Get(ctx, path)
	if err != nil {
		return 0, nil, err
	}
	if date, err := http.ParseTime(reply.Header.Get("Date")); err == nil && e.date.IsZero() {
		e.date, e.offset = date, time.Since(date)
	}
	return reply.Status, reply.Body, nil
}

// console asks how the guard itself thinks that it is.
func (e *examination) console(ctx context.Context) []Finding {
	if e.Admin.Base == "" {
		return []Finding{skipped("", "the guard has no admin listener (listen.admin)")}
	}
	if status, _, err := e.ask(ctx, "/livez"); err != nil || status != http.StatusOK {
		return []Finding{fail(e.Admin.Base, fmt.Sprintf("the admin listener does not answer /livez with 200 (%d, %v)", status, err), adminRemedy(err))}
	}
	s, err := e.Admin.Status(ctx)
	if err != nil {
		return []Finding{fail(e.Admin.Base, err.Error(), "another program may listen there")}
	}
	if s.Version == "" { // the short form, for those who show nothing
		return []Finding{ready(s), skipped(e.Admin.Base, "it tells more only to those who have a certificate of listen.admin_clients")}
	}
	return append([]Finding{e.sameVersion(s), ready(s), e.samePolicy(s)}, e.sameRoot(s)...)
}

// adminRemedy is what to do about an admin listener that does not answer.
func adminRemedy(err error) string {
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		return "have " + name.Name + " (listen.admin_url) resolve, here as at its clients"
	}
	return "start the guard again, and look at its log"
}

func (e *examination) sameVersion(s console.Status) Finding {
	if s.Version != e.Version {
		return warning("", fmt.Sprintf("the guard that runs is %s, this program is %s", s.Version, e.Version), "start the guard again, so that the installed version runs")
	}
	return ok("", "the guard is "+s.Version+", as this program")
}

func ready(s console.Status) Finding {
	f := ok("", "it takes new work")
	if !s.Ready {
		f = fail("", "it takes no new work: "+s.Reason, "wait until it has ended, and start it again")
	}
	f.Check = "ready"
	return f
}

func (e *examination) samePolicy(s console.Status) Finding {
	f := ok("", "revision "+s.Policy+" is in force, as the configuration has it")
	switch here := e.Policy.Revision(); {
	case s.Stale:
		f = fail("", "the policy in force is older than the file, which could not be taken: "+strings.ReplaceAll(s.Reload, "\n", "; "), "mend the file; a change of it is taken at once, or by SIGHUP")
	case s.Policy != here:
		f = fail("", fmt.Sprintf("revision %s is in force, and the configuration makes %s", s.Policy, here),
			"name the guard's own configuration with --config, or have it read the file again (SIGHUP)")
	}
	f.Check = "policy"
	return f
}

// sameRoot has nothing to say where they are the same.
func (e *examination) sameRoot(s console.Status) []Finding {
	if e.Root == nil || strings.EqualFold(strings.ReplaceAll(s.Authority, ":", ""), fingerprint(e.Root)) {
		return nil
	}
	f := fail("", "the guard signs with another authority than the one in "+e.State, "start the guard again")
	f.Check = "root"
	return []Finding{f}
}

// pac fetches the file that sends programs to the guard.
func (e *examination) pac(ctx context.Context) []Finding {
	if e.Admin.Base == "" {
		return []Finding{skipped("", "the guard has no admin listener, which serves it")}
	}
	address := e.Admin.Base + "/proxy.pac"
	status, body, err := e.ask(ctx, "/proxy.pac")
	if err != nil || status != http.StatusOK {
		return []Finding{fail(address, fmt.Sprintf("cannot be fetched (%d, %v): programs that use it go past the guard", status, err), adminRemedy(err))}
	}
	if bytes.Equal(body, companion.PAC(e.Policy, e.Advertised)) {
		return []Finding{ok(address, fmt.Sprintf("sends %d names and all below them to %s", len(e.Policy.Hosts().Below), e.Advertised.Address()))}
	}
	if missing := missing(string(body), e.Policy.Hosts().Below); len(missing) > 0 {
		return []Finding{fail(address, "lacks "+strings.Join(missing, ", ")+": clients go past the guard there", "have the guard read its configuration again (SIGHUP)")}
	}
	return []Finding{warning(address, "has every name, and is not the file that this configuration makes", "name the guard's own configuration with --config; start a guard of an older version again")}
}

// missing are the names that a PAC file's list of opened names lacks.
func missing(pac string, names []string) []string {
	_, list, _ := strings.Cut(pac, "var opened = ")
	list, _, _ = strings.Cut(list, ";")
	have := map[string]bool{}
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune("\" +\n\r\t", r) }) {
		have[name] = true
	}
	var all []string
	for _, name := range names {
		if !have[name] {
			all = append(all, name)
		}
	}
	return all
}
