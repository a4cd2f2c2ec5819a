package review

import (
	"slices"
	"strings"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// maxSubjects bounds the domains that one record is counted for.
const maxSubjects = 8

// actionTunnel is the action of a tunnel to discovery that was not opened.
const actionTunnel = "tunnel"

// How a leak was not stopped.
const (
	howMonitored = "monitored"
	howTunnelled = "tunnelled"
	howSecrets   = "credentials forwarded"
)

// leakCheck is what one record says about strangers. Its memory is used again for the next record.
type leakCheck struct {
	strangers []string // hosts that the domain must not be told
	asked     string   // the asked host, without its port
	central   bool     // the asked host answers for anybody's domain
	// monitored: it was passed on, because the rule only records. kept: it was kept back.
	monitored, kept bool
	// secrets: credentials went where they must not.
	secrets bool
}

// check finds that out.
func (l *leakCheck) check(r *Record) {
	l.strangers, l.asked, l.central, l.secrets = l.strangers[:0], "", false, false
	l.monitored = changes(r.Would) && r.Action == "pass" || r.Action == actionTunnel
	l.kept = changes(r.Action)
	if !l.monitored && !l.kept && !r.Credentials.Forwarded {
		return
	}
	l.asked = stripPort(r.Host)
	own := isOwn(r, l.asked)
	l.secrets = r.Credentials.Forwarded && !own && (l.monitored || r.Rule == rules.RuleDocumentation)
	if !l.monitored && !l.kept {
		return
	}
	l.central = isCentral(l.asked)
	l.suggested(r)
	// A question that a stranger was not asked, or was asked because nobody enforced that it was not.
	if len(l.strangers) == 0 && !own && !l.central && (!r.Upstream.Asked && r.Action == "refuse" || l.monitored) {
		l.strangers = append(l.strangers, l.asked)
	}
}

// suggested lists the strangers among the suggestions. A record of an older guard does not name them: then every host counts that was taken out of
// an edited answer; of a refused or monitored one, every host that is not the domain's own.
func (l *leakCheck) suggested(r *Record) {
	if r.Named {
		l.strangers = append(l.strangers, r.Strangers...)
		return
	}
	for i := range r.Suggestions {
		s := &r.Suggestions[i]
		if s.Kind == "port" || s.Was == "" || l.kept && s.Verdict == "keep" {
			continue
		}
		host := suggestedHost(s)
		if r.Action != "edit" && isOwn(r, host) {
			continue
		}
		if !slices.Contains(l.strangers, host) {
			l.strangers = append(l.strangers, host)
		}
	}
}

// changes reports whether an action gives the client something else than upstream's answer.
func changes(action string) bool { return action == "edit" || action == "refuse" || action == "answer" }

// isOwn reports whether a host is the domain's own, so that its rule can name it: below the domain or, for private-use names, a private address.
// Documentation names have no hosts at all.
func isOwn(r *Record, host string) bool {
	if r.Rule == rules.RuleDocumentation || r.Rule == rules.RuleBackOff {
		return false
	}
	for _, domain := range r.Subjects {
		if within(host, domain) {
			return true
		}
	}
	if r.Rule != rules.RulePrivateUse {
		return false
	}
	a, _ := reserved.ParseAddr(strings.Trim(host, "[]"))
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()
}

// isPin reports whether a rule pins a domain that nobody reserves: its accounts' real domain.
func isPin(r *Record) bool {
	return r.Rule != "" && r.ReservedBy == "" && r.Rule != rules.RuleDocumentation && r.Rule != rules.RulePrivateUse && r.Rule != rules.RuleBackOff
}

func isCentral(host string) bool {
	for i := range centralServices {
		if centralServices[i].Covers(host) {
			return true
		}
	}
	return false
}

// centralServices are those of all dialects.
var centralServices = func() (all []dialect.Service) {
	for _, info := range dialect.All() {
		all = append(all, info.Services...)
	}
	return all
}()

// suggestedHost is the host in a suggestion's value; where there is none that can be read, the value.
func suggestedHost(s *Suggestion) string {
	host := s.Was
	if _, rest, ok := strings.Cut(host, "://"); ok {
		host = rest
		if i := strings.IndexByte(host, '/'); i >= 0 {
			host = host[:i]
		}
	}
	return strings.TrimSuffix(strings.ToLower(stripPort(host)), ".")
}

// stripPort takes the port away.
func stripPort(host string) string {
	if strings.HasPrefix(host, "[") {
		if i := strings.IndexByte(host, ']'); i > 0 {
			return host[1:i]
		}
		return host
	}
	if i := strings.IndexByte(host, ':'); i >= 0 && i == strings.LastIndexByte(host, ':') {
		return host[:i]
	}
	return host
}
