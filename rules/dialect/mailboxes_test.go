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

// The body says who is asked about, else whoever is named first, and whom the client logs in as only where nobody is.
func TestInquiry_AskedAddress(t *testing.T) {
	login, query, body, host := dialect.Subject{Address: "login@lab.test", Carrier: dialect.CarrierLogin}, dialect.Subject{Address: "query@lab.test", Carrier: "query"},
		dialect.Subject{Address: "body@lab.test", Carrier: "body"}, dialect.Subject{Domain: "lab.test", Carrier: dialect.CarrierHost}
	for want, all := range map[string][][]dialect.Subject{
		"":               {nil, {host}},
		"login@lab.test": {{login}, {host, login}, {login, {Address: "other@lab.test", Carrier: dialect.CarrierLogin}}},
		"query@lab.test": {{query, login}, {login, query}, {host, login, query}, {query, {Address: "other@lab.test", Carrier: "header"}}},
		"body@lab.test":  {{body, query}, {login, query, body}, {{Domain: "lab.test", Carrier: "body"}, body}},
	} {
		for _, subjects := range all {
			if got := (dialect.Inquiry{Subjects: subjects}).AskedAddress(); got != want {
				t.Errorf("%+v: got %q, want %q", subjects, got, want)
			}
		}
	}
}
