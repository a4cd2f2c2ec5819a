package rules

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"autodiscover-guard/rules/dialect"
)

// answersLocally reports whether a rule answers by itself.
func answersLocally(all []binding) bool {
	for _, b := range all {
		if b.operator != nil && b.operator.Answer == AnswerLocal {
			return true
		}
	}
	return false
}

// reply composes the answer from the rule's servers, and refuses where that cannot be: the subjects have different rules, the dialect has no
// place for the servers, or the question is only a probe for a server to log in to. Where one of the servers itself is asked, and nobody could be sent elsewhere, it answers.
func (plan *Plan) reply() {
	r := plan.bindings[0].operator
	for _, b := range plan.bindings {
		if b.operator != r {
			plan.refuse("the subjects have different rules, and one of them is to be answered by its own servers")
			return
		}
	}
	q := plan.Inquiry
	if isProbe(q) {
		plan.refuse("the question names nobody, and the rule answers by itself: no server is named to a probe")
		return
	}
	answer, err := dialect.Compose(q, r.settings(q))
	switch {
	case errors.Is(err, dialect.ErrOwnPlace):
		plan.forward()
		return
	case err != nil:
		plan.refuse("the rule answers by its own servers, for which this dialect has no place")
		return
	}
	plan.Step = Reply
	d := &plan.Decision
	d.Action, d.Answer, d.Reason = ActionAnswer, answer, "answered with the rule's own servers; nobody was asked"
	if doc, err := dialect.Read(q, answer); err == nil {
		for _, s := range doc.Suggestions {
			s.Was, s.Now, s.Verdict = "", s.Was, dialect.Rewrite
			d.Suggestions = append(d.Suggestions, s)
		}
	}
}

// isProbe reports whether a client only looks whether there is a server, before it sends the question itself.
func isProbe(q dialect.Inquiry) bool {
	asksByPost := q.Dialect == dialect.POX || q.Dialect == dialect.MobileSync || q.Dialect == dialect.SOAP
	return asksByPost && (q.Request.Method == "GET" || q.Request.Method == "HEAD")
}

// settings are the rule's servers for whoever asks, each with whom to log in as. Mozilla's format has placeholders of its own, so that one document serves every alias;
// everywhere else they are filled in.
func (r *rule) settings(q dialect.Inquiry) dialect.Settings {
	s := dialect.Settings{Servers: append([]dialect.Server(nil), r.Servers...)}
	if q.Dialect == dialect.Autoconfig || q.Dialect == dialect.ISPDB {
		return s
	}
	s.Address = q.AskedAddress()
	local, domain := s.Address, ""
	if at := strings.LastIndexByte(s.Address, '@'); at >= 0 {
		local, domain = s.Address[:at], s.Address[at+1:]
	}
	fill := strings.NewReplacer("%EMAILADDRESS%", s.Address, "%EMAILLOCALPART%", local, "%EMAILDOMAIN%", domain)
	for i := range s.Servers {
		s.Servers[i].Username = fill.Replace(cmp.Or(s.Servers[i].Username, "%EMAILADDRESS%"))
	}
	return s
}

// server is what a rule has for a protocol, in the words of any dialect and for whoever asks.
func (j *judgement) server(r *rule, protocol string) (dialect.Server, bool) {
	switch protocol {
	case "pop":
		protocol = "pop3"
	case "eas", "mobilesync":
		protocol = "activesync"
	}
	for i, v := range r.Servers {
		if v.Protocol != protocol {
			continue
		}
		if j.settings == nil {
			j.settings = make(map[*rule]dialect.Settings)
		}
		filled, known := j.settings[r]
		if !known {
			q := j.plan.Inquiry
			q.Subjects = j.asked() // not whom the stranger's answer names
			filled = r.settings(q)
			j.settings[r] = filled
		}
		return filled.Servers[i], true
	}
	return dialect.Server{}, false
}

// replace puts the rule's own server in the place of a stranger, if the first rule that objects says so, has one for the protocol, and
// nobody else objects to it. The URLs of a JMAP session belong together and are templates: none is replaced.
func (j *judgement) replace(s *dialect.Suggestion) {
	if j.decision.Dialect == dialect.JMAP {
		return
	}
	for _, b := range j.bindings {
		if s.Subject != "" && s.Subject != b.domain || b.allowsSuggestion(*s) {
			continue
		}
		if b.otherwise != Rewrite || b.operator == nil {
			return
		}
		server, ok := j.server(b.operator, s.Protocol)
		if !ok || !j.allowsFor(dialect.Suggestion{Host: server.Host, Subject: s.Subject}) {
			return
		}
		s.Replace(server)
		return
	}
}

// addPutIn notes in the decision what was written beside servers that were put in: their ports, and whom to log in as, where that is at a domain. What the answer had no place for, or another's
// user name, stands behind what the answer had, at its place in what the client gets, as a composed answer's does.
func (j *judgement) addPutIn() {
	judged := j.decision.Suggestions
	if !slices.ContainsFunc(judged, func(s dialect.Suggestion) bool { return s.Server != nil }) {
		return
	}
	doc, err := dialect.Read(j.plan.Inquiry, j.decision.Answer)
	defer doc.Free()
	if err != nil {
		return
	}
	var added []dialect.Suggestion
	for _, s := range doc.Suggestions {
		for len(judged) > 0 && judged[0].Verdict == dialect.Remove {
			judged = judged[1:]
		}
		switch {
		case len(judged) > 0 && judged[0].Kind == s.Kind && judged[0].Now == s.Was:
			judged = judged[1:]
		case s.Kind == dialect.KindPort && len(judged) > 0 && judged[0].Kind == s.Kind && judged[0].Host == s.Host: // beside two hosts, of which one was replaced
			judged[0].Now, judged[0].Verdict = s.Was, dialect.Rewrite
			judged = judged[1:]
		default:
			s.Was, s.Now, s.Verdict = "", s.Was, dialect.Rewrite
			added = append(added, s)
		}
	}
	j.decision.Suggestions = append(j.decision.Suggestions, added...)
}
