package rules_test

import (
	"bytes"
	"maps"
	"regexp"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// xmlName is the name in the first tag of an XML document.
var xmlName = regexp.MustCompile(`<[A-Za-z][^>/]*>`)

// TestPlain_inEveryDialect: what parsers read in different ways is not passed as it stands, however own its hosts are: a comment in XML, and JSON that is not called so.
func TestPlain_inEveryDialect(t *testing.T) {
	seen := make(map[dialect.ID]bool)
	for _, x := range loadCorpus(t) {
		p := policyFor(t, x)
		plan, d := decide(p, x.request, x.answer)
		if !plan.Guarded || d.Action != rules.ActionPass || d.Would != 0 || len(d.Suggestions) == 0 || len(x.answer.Body) == 0 || d.Dialect == dialect.Suspected {
			continue
		}
		a := x.answer
		a.Header = maps.Clone(a.Header)
		if at := xmlName.FindIndex(a.Body); at != nil {
			a.Body = bytes.Join([][]byte{a.Body[:at[1]], a.Body[at[1]:]}, []byte("<!-- x -->"))
		} else {
			a.Header["Content-Type"] = []string{"text/plain"}
		}
		seen[d.Dialect] = true
		if _, got := decide(p, x.request, a); got.Action == rules.ActionPass {
			t.Errorf("%s: passed as it stands", x.name)
		}
	}
	for _, info := range dialect.All() {
		if !seen[info.ID] && info.ID != dialect.Suspected { // that one goes by words alone
			t.Errorf("dialect %s has no own answer that passes", info.Name)
		}
	}
}
