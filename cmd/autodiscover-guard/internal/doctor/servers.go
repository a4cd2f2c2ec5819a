package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"autodiscover-guard/rules/reserved"
)

// serverReply is how far the questions to one host came, the best of them.
type serverReply uint8

const (
	replyAbsent   serverReply = iota // its name does not resolve, or nobody listens
	replyFailed                      // it is there, and its answers do not arrive
	replyOther                       // it answers, with no settings
	replySettings                    // clients get settings from it
)

// server is a host of the operator's own domain.
type server struct {
	reply serverReply
	// problem says why its answers do not arrive, and do what helps.
	problem, do string
}

// servers tells what became of the questions to the hosts of the operator's own domain: to a client, a server that cannot be asked is as quiet as one
// that has no settings.
func (e *examination) servers(context.Context) []Finding {
	if e.own == "" || !e.log.readable() { // of the log, its own check has told
		return nil
	}
	domain, found := e.own, map[string]*server{}
	for _, d := range e.mine {
		if d.Upstream.Asked && reserved.Below(d.Host, domain) {
			if found[d.Host] == nil {
				found[d.Host] = &server{}
			}
			found[d.Host].see(d)
		}
	}
	if len(found) == 0 {
		return []Finding{skipped(domain, "none of its hosts was asked: the policy does not let them be asked, or answers itself")}
	}
	var all []Finding
	for _, host := range slices.Sorted(maps.Keys(found)) {
		if s := found[host]; s.problem != "" {
			all = append(all, warning(domain, host+" "+s.problem, s.do))
		}
	}
	for _, group := range []struct {
		reply serverReply
		what  string
	}{
		{replySettings, "clients get settings from %s"},
		{replyOther, "no settings for the made-up account at %s"},
	} {
		if hosts := hostsWith(found, group.reply); hosts != "" {
			all = append(all, ok(domain, fmt.Sprintf(group.what, hosts)))
		}
	}
	if len(all) == 0 {
		all = append(all, ok(domain, "it has none: no name resolves to a host that takes the connection"))
	}
	return all
}

func hostsWith(found map[string]*server, reply serverReply) string {
	var hosts []string
	for host, s := range found {
		if s.reply == reply {
			hosts = append(hosts, host)
		}
	}
	return hostList(hosts)
}

func (s *server) see(d decision) {
	reply, problem, do := replyOther, "", ""
	switch class := d.Upstream.Error; class {
	case "":
		if d.Action != "refuse" && slices.ContainsFunc(d.Suggestions, func(s suggestion) bool { return s.Verdict == "keep" }) {
			reply = replySettings
		}
	case "dns", "connect":
		reply = replyAbsent
	case "private address":
		reply, problem, do = replyFailed, "has a private address, and is not dialled", "list its network in upstream.private"
	case "tls":
		reply, problem = replyFailed, "is not believed: its TLS failed the check "+d.Upstream.Check
		do = "give it a valid certificate for its name, or name the CA that signed it in upstream.roots"
	default:
		reply, problem, do = replyFailed, "gave no answer: "+class, "see its decision records: they have how long it took, and what was asked"
	}
	s.reply = max(s.reply, reply)
	if s.problem == "" {
		s.problem, s.do = problem, do
	}
}
