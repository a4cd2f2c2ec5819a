package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// Judge decides on upstream's answer. The plan must come from the same policy.
func (p *Policy) Judge(plan *Plan, a dialect.Answer) Decision {
	if plan.Step != Forward && plan.Step != Scrub {
		return p.Unanswered(plan, "an answer to a question that was not asked")
	}
	if plan.placeholder != nil && a.Status != 401 {
		return p.judgeNamed(plan, a)
	}
	d, monitored := p.judge(plan, a, enforced)
	if monitored {
		p.judgeWould(&d, plan, a)
	}
	return d
}

// judgeWould judges once more, as if rules that only monitor were enforced, and notes in the decision what it would have been.
func (p *Policy) judgeWould(d *Decision, plan *Plan, a dialect.Answer) {
	if plan.strict != nil {
		plan = plan.strict
	}
	if plan.Step == Refuse || plan.Step == Reply {
		d.setWould(plan.Decision)
		return
	}
	would, _ := p.judge(plan, a, func(all []binding) []binding { return all })
	d.setWould(would)
}

// judge decides by the rules that which selects; monitored reports whether it left out some that only monitor.
func (p *Policy) judge(plan *Plan, a dialect.Answer, which func([]binding) []binding) (d Decision, monitored bool) {
	doc, err := dialect.Read(plan.Inquiry, a)
	defer doc.Free()
	j := judgement{decision: plan.Decision, plan: *plan, answer: a, doc: doc}
	j.plan.Inquiry.Subjects = slices.Concat(plan.Inquiry.Subjects, doc.Subjects)
	all := p.bindings(j.plan.Inquiry.Subjects, plan.ruleContext)
	j.bindings = which(all)
	j.decision.Subjects = domains(j.plan.Inquiry.Subjects)
	j.decision.Suggestions = doc.Suggestions
	j.decision.Rule, j.decision.ReservedBy, j.decision.Mode, j.decision.Would = "", "", 0, 0
	if len(j.bindings) == 0 {
		j.pass("no subject is guarded")
		return j.decision, len(all) > 0
	}
	j.decision.setRule(j.bindings)
	if len(j.bindings) > maxGuarded {
		j.refuse(reasonMany, nil)
	} else {
		j.decide(err)
	}
	return j.decision, len(j.bindings) < len(all)
}

// judgement is one answer on its way to a decision.
type judgement struct {
	decision Decision
	plan     Plan
	bindings []binding
	answer   dialect.Answer
	doc      *dialect.Document
	// removed are the hosts of suggestions that the client does not get, and keptByOthers those that another subject keeps; leaks fills them in.
	removed, keptByOthers hostSet
	// settings are what the rules whose servers stand in for strangers say to whoever asks.
	settings map[*rule]dialect.Settings
	// mailboxes are those that were asked about; isAskedMailbox reads them when it is first called.
	mailboxes     dialect.Mailboxes
	mailboxesRead bool
}

func (j *judgement) allows(host string) bool { return allowed(j.bindings, host) }

// decide decides on an answer to which a rule applies. err is why the answer could not be read.
func (j *judgement) decide(err error) {
	strangers, servers := j.judgeSuggestions()
	j.blockSubjects()
	j.dropPages()
	switch {
	case j.isChallenge():
		unreadable := err != nil && !errors.Is(err, dialect.ErrNoSettings)
		j.challenge(strangers > 0 || unreadable || !j.doc.Plain)
	case errors.Is(err, dialect.ErrNoSettings) && strangers == 0 && j.isBodilessAnswer():
		j.pass("the asked host is inside the rule, and what it says of itself names nobody else")
	case errors.Is(err, dialect.ErrNoSettings) && strangers == 0:
		j.refuse("the answer holds no settings", nil)
		j.sendElsewhere(j.answer.Status >= 400 || j.isPage())
	case err != nil && !errors.Is(err, dialect.ErrNoSettings):
		j.refuse("the answer cannot be read beyond doubt", err)
		j.sendElsewhere(j.answer.Status >= 400)
	case err != nil:
		j.refuse(fmt.Sprintf("the answer holds no settings, and its header names %d strangers", strangers), nil)
	case strangers > 0 && j.blocksAll():
		j.refuse(fmt.Sprintf("%d of %d suggestions name hosts outside the rule", strangers, servers), nil)
	case len(redirectTargets(j.decision.Suggestions)) > maxRedirects:
		j.refuse("the answer sends the client to more places than it can go to", nil)
	case strangers == 0 && j.doc.Plain && !j.leaksUnedited(j.answer.Header):
		j.pass("every suggestion is inside the rule")
	default:
		j.edit(strangers, servers)
	}
}

// isBodilessAnswer reports whether this is the answer of a host in the set to OPTIONS or HEAD, without a body and without any host outside the set: a browser asks so before it lets a page of
// another origin look for its JMAP session (Fetch Standard, section 4.8), a WebDAV client for what the server can do (RFC 4918, section 18), and a monitor whether it is there.
func (j *judgement) isBodilessAnswer() bool {
	q := j.plan.Inquiry.Request
	return (q.Method == "OPTIONS" || q.Method == "HEAD") && j.plan.Step == Forward && j.answer.Status/100 == 2 && len(j.answer.Body) == 0 &&
		j.allows(reserved.Canonical(q.Host())) && !j.leaks(j.answer.Header, nil)
}

// judgeSuggestions gives every suggestion its verdict and counts those that name a host; a port follows the host that it belongs to.
func (j *judgement) judgeSuggestions() (strangers, servers int) {
	for i := range j.decision.Suggestions {
		s := &j.decision.Suggestions[i]
		s.Verdict, s.Now = dialect.Remove, ""
		ok := j.allowsFor(*s)
		if ok {
			s.Verdict, s.Now = dialect.Keep, s.Was
		} else {
			j.replace(s)
		}
		if s.Kind == dialect.KindPort {
			continue
		}
		servers++
		if !ok {
			strangers++
			if s.Host != "" && len(j.decision.Strangers) < maxStrangers && !slices.Contains(j.decision.Strangers, s.Host) {
				j.decision.Strangers = append(j.decision.Strangers, s.Host)
			}
		}
	}
	return strangers, servers
}

// allowsFor reports whether a suggestion may reach the client: its host is in the set of everybody whom it is for.
func (j *judgement) allowsFor(s dialect.Suggestion) bool {
	for _, b := range j.bindings {
		if (s.Subject == "" || s.Subject == b.domain) && !b.allowsSuggestion(s) {
			return false
		}
	}
	return true
}

// blocksAll reports whether a stranger is suggested to everybody, and somebody's rule then refuses the whole answer.
func (j *judgement) blocksAll() bool {
	for _, s := range j.decision.Suggestions {
		if s.Subject != "" || s.Verdict == dialect.Keep {
			continue
		}
		for _, b := range j.bindings {
			if b.blocks() && !b.allowsSuggestion(s) {
				return true
			}
		}
	}
	return false
}

// blockSubjects takes everything from a subject whose rule blocks and to whom a stranger was suggested; the others of the same answer keep
// theirs.
func (j *judgement) blockSubjects() {
	for _, b := range j.bindings {
		if !b.blocks() || !j.strangerFor(b.domain) {
			continue
		}
		for i := range j.decision.Suggestions {
			if s := &j.decision.Suggestions[i]; s.Subject == b.domain {
				s.Verdict, s.Now = dialect.Remove, ""
			}
		}
	}
}

// maxStrangers bounds Decision.Strangers; who names more has made that up.
const maxStrangers = 256

func (j *judgement) strangerFor(domain string) bool {
	for _, s := range j.decision.Suggestions {
		if s.Subject == domain && s.Verdict != dialect.Keep {
			return true
		}
	}
	return false
}

// isChallenge reports whether the answer asks for credentials: the host's, or (407) those that the client has for the guard, which are no host's business.
func (j *judgement) isChallenge() bool { return j.answer.Status == 401 || j.answer.Status == 407 }

const reasonChallenge = "only a host inside the rule may ask for credentials"

// challenge lets a host in the set ask for the password. A challenge from anywhere else never reaches the client: Thunderbird 153 asks for
// the password at the first 401, before any settings exist. Servers put a page beside the challenge, and fields of their own, that may name anybody; what a
// client logs in by are the challenges, and those that name strangers go, too, or get another realm.
//
// doubtful says that of settings beside the challenge not all are own beyond doubt, if there are any.
func (j *judgement) challenge(doubtful bool) {
	asked := reserved.Canonical(j.plan.Inquiry.Request.Host())
	if j.answer.Status != 401 || j.plan.Step != Forward || !j.allows(asked) || len(j.plan.bindings) == 0 {
		j.refuse(reasonChallenge, nil)
		return
	}
	const reason = "the asked host is inside the rule and may ask for credentials"
	leaks := j.leaksUnedited(j.answer.Header)
	if !leaks && !(doubtful && j.givesSettings()) {
		j.pass(reason)
		return
	}
	var own []string // Exchange asks for a cloud's tokens and for its own log-ins
	for _, challenge := range splitChallenges(j.answer.Header["Www-Authenticate"]) {
		scheme, _, _ := strings.Cut(challenge, " ")
		switch {
		case !j.leaks(dialect.Header{"Www-Authenticate": {challenge}}, nil):
			own = append(own, challenge)
		case strings.EqualFold(scheme, "Basic"): // its realm, a hoster's name perhaps, is only shown (RFC 7617, section 2)
			own = append(own, `Basic realm="`+asked+`"`)
		}
	}
	if len(own) == 0 {
		j.refuse(reasonChallenge, nil)
		return
	}
	why := ", but names hosts outside of it, too"
	if !leaks {
		why = ", but not suggest what stands beside that"
	}
	j.refuse(reason+why, nil)
	j.decision.Action = ActionEdit
	j.decision.Answer = dialect.Answer{Status: 401, Header: dialect.Header{"Www-Authenticate": own, "Cache-Control": {"no-store"}}}
}

// givesSettings reports whether a document of discovery stands beside a challenge. KDE reads it whatever the status is, and in more ways than the independent check knows: only
// the dialects read it beyond doubt.
func (j *judgement) givesSettings() bool {
	q, ok := dialect.Sniff(j.plan.Inquiry.Request, j.answer)
	return ok && q.Dialect != dialect.Suspected
}

// edit writes the answer afresh and lets the independent check look at the result.
func (j *judgement) edit(strangers, servers int) {
	reason := fmt.Sprintf("%d of %d suggestions name hosts outside the rule", strangers, servers)
	switch {
	case strangers > 0:
	case !j.doc.Plain:
		reason = "every suggestion is inside the rule, but clients may read the document in different ways"
	case j.leaks(j.answer.Header, nil):
		reason = reasonFields
	default:
		reason = reasonWord
	}
	answer, err := j.doc.Edit(j.decision.Suggestions)
	if err == nil && j.leaks(answer.Header, answer.Body) {
		answer.Body = dialect.SpaceOutDisplayNames(j.plan.Inquiry.Dialect, answer.Body, j.holdsRemoved)
		if reason != reasonWord {
			reason += ", and a name in it reads like a host"
		}
		if answer.Body == nil || j.leaks(answer.Header, answer.Body) {
			err = errLeak
		}
	}
	switch {
	case errors.Is(err, dialect.ErrNothingLeft):
		j.refuse(fmt.Sprintf("%d of %d suggestions name hosts outside the rule and nothing is left without them", strangers, servers), nil)
	case errors.Is(err, dialect.ErrFixed) && strangers == 0 && j.doc.Plain && j.passBodyOnly():
	case errors.Is(err, dialect.ErrFixed):
		j.refuse(fmt.Sprintf("%d of %d suggestions name hosts outside the rule, and such an answer is never edited", strangers, servers), nil)
	case errors.Is(err, errLeak):
		j.refuse("a host outside the rule stands where no suggestion is expected", err)
	case err != nil:
		j.refuse("the answer cannot be written without what is outside the rule", err)
	default:
		j.decision.Action, j.decision.Answer, j.decision.Reason = ActionEdit, answer, reason
		j.addPutIn()
	}
}

// passBodyOnly lets a document that is never edited pass without the header fields, in which servers and the proxies before them may name anybody. It reports false, and
// decides nothing, where the body names strangers, too.
func (j *judgement) passBodyOnly() bool {
	h := dialect.Header{"Cache-Control": {"no-store"}}
	for _, name := range [...]string{"Content-Type", "Content-Encoding"} {
		if values := j.answer.Header[name]; len(values) > 0 {
			h[name] = slices.Clone(values)
		}
	}
	if j.leaksUnedited(h) {
		return false
	}
	for i := range j.decision.Suggestions {
		if s := &j.decision.Suggestions[i]; strings.HasPrefix(s.Path, "header:") {
			s.Verdict, s.Now = dialect.Remove, ""
		}
	}
	j.decision.Action, j.decision.Answer = ActionEdit, dialect.Answer{Status: j.answer.Status, Header: h, Body: j.answer.Body}
	j.decision.Reason = reasonFields
	return true
}

const (
	reasonFields = "every suggestion is inside the rule, but header fields name hosts outside of it"
	reasonWord   = "every suggestion is inside the rule, but a word beside them reads like another host"
)

// errLeak is a decision's error where the independent check found what the dialect's reader had not.
var errLeak = errors.New("a host outside the rule is left in the answer")

func (j *judgement) pass(reason string) {
	j.decision.Action, j.decision.Reason, j.decision.Strangers = ActionPass, reason, nil
	for i := range j.decision.Suggestions {
		s := &j.decision.Suggestions[i]
		s.Verdict, s.Now = dialect.Keep, s.Was
	}
}

// refuse refuses; whatever was suggested then goes.
func (j *judgement) refuse(reason string, err error) {
	j.decision.refuse(j.refusalInquiry(), reason)
	if isDatabases(j.plan.Inquiry, j.bindings) {
		j.decision.Answer = dialect.Elsewhere(j.refusalInquiry())
	}
	j.decision.Err = err
	for i := range j.decision.Suggestions {
		s := &j.decision.Suggestions[i]
		s.Verdict, s.Now = dialect.Remove, ""
	}
}

// refusalInquiry is the inquiry that the refusal is composed from, and may repeat: its subjects are those that the client named and, of those that only the answer names, the
// guarded ones. The rest are strangers.
func (j *judgement) refusalInquiry() dialect.Inquiry {
	q := j.plan.Inquiry
	if len(j.doc.Subjects) == 0 {
		return q
	}
	guarded := make(map[string]bool, len(j.bindings))
	for _, b := range j.bindings {
		guarded[b.domain] = true
	}
	told := slices.Clone(j.asked())
	for _, s := range j.doc.Subjects {
		if guarded[s.Domain] {
			told = append(told, s)
		}
	}
	q.Subjects = told
	return q
}
