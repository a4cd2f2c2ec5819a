package dialect_test

import (
	"fmt"
	"testing"

	"autodiscover-guard/rules/dialect"
)

// Few subjects are compared one by one, many are looked up: the answer is the same.
func TestMailboxes(t *testing.T) {
	subjects := []dialect.Subject{{Address: "Anna.Schmidt@lab.test"}, {Address: `"wei li"@lab.test`}, {Domain: "lab.test"}}
	few := dialect.MailboxesOf(subjects)
	for i := range 100 {
		subjects = append(subjects, dialect.Subject{Address: fmt.Sprintf("u%d@lab.test", i)})
	}
	for name, m := range map[string]dialect.Mailboxes{"few": few, "many": dialect.MailboxesOf(subjects)} {
		for word, want := range map[string]bool{"anna.schmidt": true, "ANNA.SCHMIDT": true, "wei li": true, "anna": false, "lab.test": false, "": false, "u99": name == "many"} {
			if got := m.Have(word); got != want {
				t.Errorf("%s: %q: got %v, want %v", name, word, got, want)
			}
		}
		if m.None() {
			t.Errorf("%s: none", name)
		}
	}
	if none := (dialect.Mailboxes{}); !none.None() || none.Have("") || none.Have("anna") {
		t.Error("the zero Mailboxes are some")
	}
}
