package intercept

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.uber.org/zap"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// Tunnels are nobody's business, but for one kind: where the host's name alone says that mail discovery is asked for, and the policy has it go by
// unread. Then the log says so, because what is asked and answered there, nobody will ever know.

// actionTunnel is the action of such a record. It is none of a decision: nothing was seen to decide on.
const actionTunnel = "tunnel"

// discoveryServices are the central services whose hosts serve nothing but discovery: those that are opened unless somebody says otherwise. The
// others share their hosts with mailboxes and log-ins.
var discoveryServices = func() (all []dialect.Service) {
	for _, info := range dialect.All() {
		for _, s := range info.Services {
			if s.Enforced {
				all = append(all, s)
			}
		}
	}
	return all
}()

// noteTunnel writes the record of a tunnel that is about to be made, if it leads to discovery by its host's name.
func (p *Plugin) noteTunnel(r *http.Request, t target, d door) {
	label, domain, _ := strings.Cut(t.host, ".")
	path := rules.DiscoveryPath(label)
	ok := path != "" && strings.Contains(domain, ".")
	if !ok && !slices.ContainsFunc(discoveryServices, func(s dialect.Service) bool { return s.Covers(t.host) }) {
		return
	}
	if !t.web() && !p.policy.Load().Opens(t.host) {
		return // no port of discovery, and nobody's domain
	}
	x := p.newExchange(r, d)
	x.url = url.URL{Scheme: "https", Host: t.host, Path: path}
	if ok { // whom it is about, as the policy sees it: whatever is asked there
		x.plan = x.policy.Plan(dialect.Request{Method: http.MethodGet, URL: &x.url}, x.from)
	}
	plan := x.plan.Decision
	x.decision = rules.Decision{Mode: plan.Mode, Rule: plan.Rule, ReservedBy: plan.ReservedBy, Subjects: plan.Subjects, Reason: tunnelReason(x.policy, t)}
	x.plan.Inquiry = dialect.Inquiry{} // a made-up one
	x.url = url.URL{Host: t.String()}
	if t.port == portHTTPS {
		x.url.Host = t.host
	}
	x.record.Do(func() { x.writeTunnel() })
}

// tunnelReason says why a tunnel was not opened.
func tunnelReason(policy *rules.Policy, t target) string {
	switch {
	case policy.Opens(t.host):
		return "tunnelled unread: only ports 443 and 80 are opened"
	case policy.Closes(t.host):
		return "tunnelled unread: the policy leaves this host closed"
	case slices.ContainsFunc(discoveryServices, func(s dialect.Service) bool { return s.Covers(t.host) }):
		return "tunnelled unread: the policy leaves this service alone"
	}
	return "tunnelled unread: the policy guards nobody there"
}

func (x *exchange) writeTunnel() {
	defer x.logPanicked()
	level := zap.DebugLevel
	if x.decision.Rule != "" {
		level = zap.WarnLevel
	}
	entry := x.p.decisions.Check(level, EventMessage)
	if entry == nil {
		return
	}
	entry.Time = x.p.clock().UTC()
	fields := x.fields(0, 0)
	for i := range fields {
		if fields[i].Key == keyAction {
			fields[i] = zap.String(keyAction, actionTunnel)
		}
	}
	entry.Write(fields...)
}
