package rules

import (
	"strings"

	"autodiscover-guard/rules/dialect"
)

// Action is what happens to one exchange.
type Action uint8

// The actions. The zero Action is invalid and must be treated like ActionRefuse.
const (
	_ Action = iota
	// ActionPass gives the client what upstream said, untouched.
	ActionPass
	// ActionEdit gives it a canonical document from which suggestions were removed or in which they were rewritten.
	ActionEdit
	// ActionRefuse gives it the dialect's own "no settings".
	ActionRefuse
	// ActionAnswer gives it a document that was composed from the rule's own servers.
	ActionAnswer
)

var actionNames = [...]string{"invalid", "pass", "edit", "refuse", "answer"}

func (a Action) String() string { return enumName(actionNames[:], int(a)) }

// Decision is what the policy says of one exchange, and why. It always carries its reason, and the rule's name where one applies.
type Decision struct {
	Action Action
	// Would is what would have happened if no rule were only monitoring; zero where none is.
	Would Action
	// Mode is Monitor where every rule that applies only monitors, else Enforce or zero.
	Mode Mode
	// Rule is the name of the rule that decided, empty where none applies; Reason says why, in words, without personal data.
	Rule, Reason string
	// ReservedBy cites who reserves the guarded domain, empty where a rule guards a domain that nobody reserved.
	ReservedBy string
	Dialect    dialect.ID
	// Subjects are the mail domains that the exchange is about, each once; never mailboxes.
	Subjects    []string
	Credentials Credentials
	// Suggestions are all that the answer suggested, judged; of a composed answer, all that it says, with nothing in Was.
	Suggestions []dialect.Suggestion
	// Strangers are the hosts outside the set that the client was kept from, or would have been by a rule that only monitors; each once, 256 at most. Of a refused answer Suggestions says less: there
	// everything goes, whatever stands beside a stranger too.
	Strangers []string
	// Answer is what the client gets, unless Action is ActionPass.
	Answer dialect.Answer
	// Err is why an answer could not be read; it contains nothing of the answer's text.
	Err error
}

// refuse makes the decision a refusal.
func (d *Decision) refuse(q dialect.Inquiry, reason string) {
	d.Action, d.Reason, d.Answer = ActionRefuse, reason, dialect.Refuse(q)
}

// setRule fills in the name of the rule and who reserved the domain: those of the first guarded subject.
func (d *Decision) setRule(all []binding) {
	if len(all) == 0 {
		return
	}
	d.Rule, d.ReservedBy = all[0].rule, ""
	if e := all[0].entry; e.Authority != "" {
		d.ReservedBy = e.Authority + ", " + e.Citation
	}
}

// setWould notes what would have happened: would is the decision as if rules that only monitor were enforced. Where no rule was enforced, the decision gets the name of the one
// that would have been.
func (d *Decision) setWould(would Decision) {
	d.Would = would.Action
	if d.Action == ActionPass {
		d.Strangers = would.Strangers
	}
	for i := range d.Suggestions { // both come from one answer, in its order; without a second judgement there are none
		if i < len(would.Suggestions) && would.Suggestions[i].Path == d.Suggestions[i].Path {
			d.Suggestions[i].Would = would.Suggestions[i].Verdict
		}
	}
	if d.Rule == "" {
		d.Mode, d.Rule, d.ReservedBy, d.Reason = Monitor, would.Rule, would.ReservedBy, monitoredOnly+would.Reason
	}
}

const monitoredOnly = "monitored only: "

// revertRefusal takes back the refusal of an answer of the dialect Suspected where that is not enforced, and the one that a monitoring rule would have made.
func (d *Decision) revertRefusal() {
	reason, monitored := strings.CutPrefix(d.Reason, monitoredOnly)
	if d.Action == ActionRefuse || monitored && d.Would == ActionRefuse {
		d.Reason = "reads like discovery of an unknown kind (" + reason + "), which is not enforced"
	}
	if d.Action == ActionRefuse {
		d.Action, d.Answer = ActionPass, dialect.Answer{}
		for i := range d.Suggestions {
			d.Suggestions[i].Verdict, d.Suggestions[i].Now = dialect.Keep, d.Suggestions[i].Was
		}
	}
	if d.Would == ActionRefuse {
		d.Would = ActionPass
		for i := range d.Suggestions {
			d.Suggestions[i].Would = dialect.Keep
		}
	}
}
