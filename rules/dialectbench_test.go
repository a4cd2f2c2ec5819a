package rules_test

import (
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// BenchmarkJudge_dialects decides on the largest exchange of each dialect in the project's own corpus: the cost that a real document can
// have, for somebody guarded and, asked by the same client under a policy that guards nobody, for everybody else.
func BenchmarkJudge_dialects(b *testing.B) {
	guarding := allServices(b)
	largest := map[dialect.ID]exchange{}
	for _, x := range loadCorpus(b) {
		plan, d := decide(guarding, x.request, x.answer)
		asked := plan.Step == rules.Forward || plan.Step == rules.Scrub
		if asked && plan.Guarded && len(x.answer.Body) > len(largest[d.Dialect].answer.Body) {
			largest[d.Dialect] = x
		}
	}
	for _, info := range dialect.All() {
		x, ok := largest[info.ID]
		if !ok {
			b.Errorf("the corpus has no exchange of %s about somebody guarded", info.Name)
			continue
		}
		for name, p := range map[string]*rules.Policy{"guarded": guarding, "not-guarded": unguarded(b)} {
			b.Run(info.Name+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(len(x.answer.Body)))
				b.ReportAllocs()
				for b.Loop() {
					decide(p, x.request, x.answer)
				}
			})
		}
	}
}
