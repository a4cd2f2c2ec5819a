package review

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

// Explainer tells in words what became of one exchange. It implements Consumer.
type Explainer struct {
	exchange string
	out      io.Writer
	leak     leakCheck
	// Found is how many records had that name.
	Found int
}

// NewExplainer makes an explainer of the exchange with the given name (the key "exchange" of its record).
func NewExplainer(exchange string, out io.Writer) *Explainer {
	return &Explainer{exchange: exchange, out: out}
}

// Event implements Consumer.
func (*Explainer) Event(*Event, string) {}

// Decision implements Consumer.
func (x *Explainer) Decision(r *Record, _ string) {
	if r.Exchange != x.exchange {
		return
	}
	x.Found++
	x.leak.check(r)
	var b strings.Builder
	for _, line := range explanation(r, &x.leak) {
		b.WriteString(terminal.Printable(line) + "\n")
	}
	fmt.Fprint(x.out, b.String())
	if len(r.Suggestions) > 0 {
		s := Section{Columns: []string{"protocol", "kind", "before", "after", "verdict", "would be", "where"}}
		for _, g := range r.Suggestions {
			s.Rows = append(s.Rows, []any{g.Protocol, g.Kind, g.Was, after(r, g), g.Verdict, g.Would, g.Path})
		}
		var table strings.Builder
		s.writeColumns(&table)
		fmt.Fprint(x.out, "\nWhat the answer suggested:\n"+table.String())
	}
}

// after is what the client got in the place of a suggestion.
func after(r *Record, g Suggestion) string {
	switch {
	case g.Now != "":
		return g.Now
	case r.Action == "refuse":
		return "nothing"
	}
	return "taken out"
}

func explanation(r *Record, l *leakCheck) []string {
	lines := []string{fmt.Sprintf("Exchange %s, %s, client %s", r.Exchange, Moment(r.At), r.Client)}
	for _, f := range facts(r, l) {
		lines = append(lines, fmt.Sprintf("  %-10s %s", f.Name, f.Text))
	}
	return lines
}

// facts are what there is to know of an exchange, in the order in which one asks for it.
func facts(r *Record, l *leakCheck) []Fact {
	all := []Fact{
		{"asked", fmt.Sprintf("%s %s%s, dialect %s, through the door %q", r.Method, r.Host, r.Path, r.Dialect, r.Door)},
		{"about", about(r)},
		{"rule", rule(r)},
		{"decision", decision(r)},
		{"because", r.Reason},
	}
	if r.Would != "" && r.Mode == "monitor" {
		all = append(all, Fact{"monitored", "if the rule were enforced: " + clientGets(r.Would)})
	}
	all = append(all, Fact{"secrets", secrets(r)}, Fact{"upstream", upstreamStatus(r)},
		Fact{"took", fmt.Sprintf("%d ms; %d bytes in, %d bytes out; policy %s", r.TookMS, r.BytesIn, r.BytesOut, r.Policy)})
	if r.Authority != "" {
		all = append(all, Fact{"authority", r.Authority})
	}
	if r.Repeat > 1 {
		all = append(all, Fact{"repeated", fmt.Sprintf("this line stands for %d equal decisions", r.Repeat)})
	}
	switch {
	case l.leaked():
		all = append(all, Fact{"verdict", "NOT STOPPED: " + strings.Join(append(slices.Clip(l.strangers), leakedSecret(l)...), ", ")})
	case len(l.strangers) > 0:
		all = append(all, Fact{"verdict", "kept from the client: " + strings.Join(l.strangers, ", ")})
	}
	return all
}

func leakedSecret(l *leakCheck) []string {
	if l.secrets {
		return []string{"credentials went to " + l.asked}
	}
	return nil
}

func about(r *Record) string {
	if len(r.Subjects) == 0 {
		return "nobody in particular"
	}
	text := strings.Join(r.Subjects, ", ")
	if len(r.Accounts) > 0 {
		text += " (" + strings.Join(r.Accounts, ", ") + ")"
	}
	return text
}

func rule(r *Record) string {
	switch {
	case r.Rule == "":
		return "none: nobody is guarded"
	case r.ReservedBy != "":
		return r.Rule + ", reserved by " + r.ReservedBy
	}
	return r.Rule
}

func decision(r *Record) string {
	if r.Action == actionTunnel {
		return "tunnel: what was said inside went by unread"
	}
	return fmt.Sprintf("%s: %s (status %d)", r.Action, clientGets(r.Action), r.Status)
}

// clientGets says what the client gets by an action.
func clientGets(action string) string {
	switch action {
	case "pass":
		return "the client gets what upstream said"
	case "edit":
		return "the client gets the answer without what is outside the rule"
	case "refuse":
		return "the client gets the dialect's own \"no settings\""
	case "answer":
		return "the client gets the rule's own servers"
	}
	return "an action that this program does not know"
}

func secrets(r *Record) string {
	switch {
	case !r.Credentials.Present:
		return "none in the request"
	case r.Credentials.Forwarded:
		return r.Credentials.Scheme + ", sent on to " + r.Host
	}
	return r.Credentials.Scheme + ", kept back"
}

func upstreamStatus(r *Record) string {
	switch {
	case !r.Upstream.Asked:
		return "not asked"
	case r.Upstream.Check != "":
		return fmt.Sprintf("failed: %s (%s)", r.Upstream.Error, r.Upstream.Check)
	case r.Upstream.Error != "":
		return "failed: " + r.Upstream.Error
	}
	return fmt.Sprintf("asked, answered %d", r.Upstream.Status)
}
