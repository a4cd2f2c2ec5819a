package intercept

import (
	"testing"

	"autodiscover-guard/rules/dialect"
)

// What clients write around an address may be a password, which no record has, whatever its Privacy is.
func TestAccounts_nothingAround(t *testing.T) {
	for given, want := range map[string]string{
		"user@example.com":                       "user@example.com",
		"First.Last+tag@EXAMPLE.com.":            "First.Last+tag@example.com",
		`"a:b@c"@example.com`:                    `"a:b@c"@example.com`,
		"user@example.com:geheim":                "user@example.com",
		"user@example.com geheim":                "user@example.com",
		"user@example.com\ngeheim":               "user@example.com",
		"user@example.com?password=geheim":       "user@example.com",
		"user@example.com#geheim":                "user@example.com",
		"user:geheim@example.com":                "user@example.com",
		"https://user:geheim@example.com/geheim": "user@example.com",
	} {
		p := &Plugin{privacy: PrivacyFull}
		subject := dialect.Subject{Domain: "example.com", Address: given}
		if got := p.accounts([]dialect.Subject{subject}); len(got) != 1 || got[0] != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
		p = &Plugin{privacy: PrivacyHash, privacyKey: []byte("key")}
		got := p.accounts([]dialect.Subject{subject, {Domain: "example.com", Address: want}})
		if len(got) != 1 {
			t.Errorf("%q: one account has two pseudonyms: %q", given, got)
		}
	}
}
