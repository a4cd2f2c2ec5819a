package review

import (
	"slices"

	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

// Detail is what an [Explainer] says of one exchange, in parts. All text is [terminal.Printable].
type Detail struct {
	Facts       []Fact
	Suggestions []Change
	// Strangers are the hosts that the domain must not be told; Leaked says that one of them, or a secret, was not stopped.
	Strangers []string
	Leaked    bool
}

// Fact is a short name, such as rule, and what there is to say.
type Fact struct{ Name, Text string }

// Change is a suggestion before and after.
type Change struct{ Protocol, Kind, Before, After, Verdict, Where string }

// Explain tells what became of an exchange. It keeps nothing of r but its strings.
func Explain(r *Record) Detail {
	var l leakCheck
	l.check(r)
	d := Detail{Leaked: l.leaked()}
	for _, f := range facts(r, &l) {
		d.Facts = append(d.Facts, Fact{f.Name, terminal.Printable(f.Text)})
	}
	for _, host := range slices.Compact(slices.Sorted(slices.Values(l.strangers))) {
		d.Strangers = append(d.Strangers, terminal.Printable(host))
	}
	for _, g := range r.Suggestions {
		d.Suggestions = append(d.Suggestions, Change{
			terminal.Printable(g.Protocol), terminal.Printable(g.Kind), terminal.Printable(g.Was), terminal.Printable(after(r, g)), terminal.Printable(g.Verdict), terminal.Printable(g.Path),
		})
	}
	return d
}
