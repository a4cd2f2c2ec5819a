package rules_test

import (
	"testing"

	"autodiscover-guard/rules/dialect"
)

// No beginning of an answer that is discovery is taken for something else, wherever it is cut.
func TestHead_ofDiscovery(t *testing.T) {
	seen := 0
	for _, x := range loadCorpus(t) {
		q, ok := dialect.Sniff(x.request, x.answer)
		if !ok || q.Dialect == dialect.Suspected {
			continue
		}
		seen++
		for n := range x.answer.Body {
			head := x.answer.Body[:n]
			if dialect.NotDiscovery(x.answer.Header, head) || !dialect.MayBeDiscovery(x.answer.Header, head, false) {
				t.Errorf("%s: %v is given up after %d bytes", x.name, q.Dialect, n)
				break
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d answers of the corpus are discovery, want more", seen)
	}
}
