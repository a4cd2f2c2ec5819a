package rules

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/rules/dialect"
)

// TestRule_text: a revision is made of words that are the same in every process, and every word that matters is in it.
func TestRule_text(t *testing.T) {
	r := &rule{Rule: Rule{
		Name: "office", Domains: []string{"lab.test"}, Clients: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")},
		Services: []string{"ispdb"}, Dialects: []string{"pox"}, Allow: []string{"*.lab.test"}, Otherwise: Rewrite, Answer: AnswerLocal, Upstream: AskNever,
		Mode: Enforce, Until: time.Unix(1_800_000_000, 0), Servers: []dialect.Server{{Protocol: "imap", Host: "imap.lab.test", Port: 1143}}, Note: "for people",
	}}
	text := r.text()
	for _, want := range []string{
		"office", "lab.test", "10.0.0.0/8", "2001:db8::/32", "ispdb", "pox", "*.lab.test", "rewrite", "local", "never", "enforce", "1800000000", "imap.lab.test", "1143",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if strings.Contains(text, "0x") {
		t.Errorf("an address in memory in %s", text)
	}
}
