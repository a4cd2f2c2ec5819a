package main

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"autodiscover-guard/cmd/autodiscover-guard/internal/doctor"
	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// Actions of findings that are no decisions.
const (
	actionPass   = "pass"
	actionTunnel = "tunnel"
	actionOpen   = "open"
	// actionJudge: what upstream would say is not known offline.
	actionJudge = "judge"
)

const reasonJudge = "the answer is judged when it comes: only hosts inside the rule may be named"

// saved is one exchange to decide on; without an answer only the question is judged.
type saved struct {
	request dialect.Request
	answer  *dialect.Answer
}

// findExchange decides on one saved exchange.
func findExchange(policy *rules.Policy, source string, x saved, from rules.From) finding {
	plan := policy.Plan(x.request, from)
	f := finding{Source: source, Asked: x.request.Method + " " + withoutSecrets(x.request.URL), Step: plan.Step.String()}
	d := plan.Decision
	switch {
	case plan.Step == rules.Ignore:
		f.Action, f.Reason = actionPass, "not a discovery request"
		return f
	case plan.Step == rules.Refuse || plan.Step == rules.Reply:
	case plan.Step == rules.Watch:
		var sniffed bool
		if x.answer != nil {
			d, sniffed = policy.Sniff(&plan, *x.answer)
		}
		if !sniffed {
			f.Action, f.Reason = actionPass, "not a discovery request, but about somebody guarded: the answer is looked at, and passes unless it is one"
			return f
		}
	case x.answer != nil:
		d = policy.Judge(&plan, *x.answer)
	case !plan.Guarded && d.Mode != rules.Monitor:
		d.Action, d.Reason = rules.ActionPass, "no subject is guarded"
	case !plan.Guarded:
		d.Action = rules.ActionPass
		if d.Would == 0 {
			d.Reason += reasonJudge
			f.Would = actionJudge
		}
	}
	f.Dialect, f.Rule, f.Reason, f.ReservedBy, f.Subjects = d.Dialect.String(), d.Rule, d.Reason, d.ReservedBy, d.Subjects
	f.Action, f.Forwarded = d.Action.String(), d.Credentials.Forwarded
	if d.Would != 0 {
		f.Would = d.Would.String()
	}
	if d.Action == 0 {
		f.Action, f.Reason = actionJudge, reasonJudge
	}
	for _, s := range d.Suggestions {
		f.Suggestions = append(f.Suggestions, suggestionLine{s.Path, s.Kind.String(), s.Was, s.Now, s.Verdict.String()})
	}
	if d.Action > rules.ActionPass {
		f.Sent = &sent{d.Answer.Status, d.Answer.Header.Get("Content-Type"), string(d.Answer.Body)}
	}
	return f
}

// withoutSecrets is a URL for people: without user information, and with the names of its parameters alone.
func withoutSecrets(u *url.URL) string {
	shown := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	text := shown.String()
	if u.RawQuery == "" {
		return text
	}
	var names []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name+"=…")
	}
	return text + "?" + strings.Join(names, "&")
}

// findEmail plays the first questions of the dialects for an account, with made-up credentials.
func findEmail(policy *rules.Policy, address string, from rules.From) ([]finding, error) {
	domain := mailDomain(address)
	if domain == "" {
		return nil, hint(fmt.Errorf("%q is not a mail address", address), "for example: user@example.com; for a domain or host use --host")
	}
	login := []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(address+":made-up"))}
	var all []finding
	for _, q := range []struct{ method, url, contentType, body string }{
		{http.MethodGet, "https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect?app=outlookdesktopBasic", "", ""},
		{http.MethodPost, "https://" + domain + "/autodiscover/autodiscover.xml", "text/xml; charset=utf-8", doctor.POX(address)},
		{http.MethodPost, "https://autodiscover." + domain + "/autodiscover/autodiscover.xml", "text/xml; charset=utf-8", doctor.POX(address)},
		{http.MethodGet, "http://autodiscover." + domain + "/autodiscover/autodiscover.xml", "", ""},
		{http.MethodPost, "https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml", "text/xml; charset=utf-8", doctor.POX(address)},
		{http.MethodGet, "https://autodiscover." + domain + "/autodiscover/autodiscover.json?Email=" + url.QueryEscape(address) + "&Protocol=ActiveSync", "", ""},
		{http.MethodGet, "https://autoconfig." + domain + "/mail/config-v1.1.xml?emailaddress=" + url.QueryEscape(address), "", ""},
		{http.MethodGet, "http://autoconfig." + domain + "/mail/config-v1.1.xml?emailaddress=" + url.QueryEscape(address), "", ""},
		{http.MethodGet, "https://" + domain + "/.well-known/autoconfig/mail/config-v1.1.xml", "", ""},
		{http.MethodGet, "https://autoconfig.thunderbird.net/v1.1/" + domain, "", ""},
		{http.MethodGet, "https://ua-auto-config." + domain + "/.well-known/user-agent-configuration.json", "", ""},
		{http.MethodGet, "https://" + domain + "/.well-known/jmap", "", ""},
		{http.MethodGet, "https://" + domain + "/.well-known/caldav", "", ""},
	} {
		u, err := url.Parse(q.url)
		if err != nil {
			return nil, err
		}
		r := dialect.Request{Method: q.method, URL: u, Header: dialect.Header{}, Body: []byte(q.body)}
		if u.Scheme == "https" {
			r.Header["Authorization"] = login
		}
		if q.contentType != "" {
			r.Header["Content-Type"] = []string{q.contentType}
		}
		f := findExchange(policy, address, saved{request: r}, from)
		if tunnelled(policy, u) {
			f = finding{Source: address, Asked: f.Asked, Dialect: f.Dialect, Step: actionTunnel, Action: actionTunnel, Reason: notOpened(policy, u.Hostname())}
		}
		all = append(all, f)
	}
	return all, nil
}

// tunnelled reports whether the guard lets a request go by unread: what it does not open, it cannot decide on, whoever that is about.
func tunnelled(policy *rules.Policy, u *url.URL) bool {
	_, shunned := policy.Shun(u.Hostname())
	return u.Scheme == "https" && !shunned && !policy.Opens(u.Hostname())
}

// notOpened says why a host is not opened.
func notOpened(policy *rules.Policy, host string) string {
	why := "the host is neither guarded nor a service that is switched on"
	if policy.Closes(host) {
		why = "policy.close leaves the host closed"
	}
	return why + ": its traffic is tunnelled, unread"
}

// findHost says what happens to a connection, to port 443 where none is said.
func findHost(policy *rules.Policy, raw string) ([]finding, error) {
	if u, err := url.Parse(raw); err == nil && u.Host != "" {
		return nil, hint(fmt.Errorf("%q is a URL: want HOST or HOST:PORT", raw), "--host %s", u.Host)
	}
	host, port := hostName(raw), "443"
	if name, given, err := net.SplitHostPort(raw); err == nil {
		if n, err := strconv.ParseUint(given, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("%q is not a port: want a number from 1 to 65535", given)
		}
		host, port = hostName(name), given
	}
	if host == "" {
		return nil, hint(fmt.Errorf("%q is not a host name", raw), "for example: autodiscover.example.com; for an account use --email")
	}
	f := finding{Source: raw, Asked: "CONNECT " + net.JoinHostPort(host, port), Step: actionTunnel, Action: actionTunnel, Reason: notOpened(policy, host)}
	if d, shunned := policy.Shun(host); shunned {
		f.Step, f.Action, f.Rule, f.Reason = rules.Refuse.String(), d.Action.String(), d.Rule, d.Reason
		return []finding{f}, nil
	}
	if !policy.Opens(host) {
		return []finding{f}, nil
	}
	if port != "443" && port != "80" {
		f.Reason = "the port is neither 443 nor 80: its traffic is tunnelled, unread, unless the host was just kept from the client (clients.quarantine)"
		return []finding{f}, nil
	}
	f.Step, f.Action, f.Reason = actionOpen, actionOpen, "a central discovery service that is switched on, or a host that the configuration opens"
	if entry, ok := reserved.All().Match(host); ok && slices.Contains(policy.Scope(), entry.Name) { // of a set that is on
		f.Reason = fmt.Sprintf("below %s, a %s name: discovery is judged, everything else on the host passes unread", entry.Name, entry.Nature)
		f.ReservedBy = entry.Authority + ", " + entry.Citation
	}
	return []finding{f}, nil
}
