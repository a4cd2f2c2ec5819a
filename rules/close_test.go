package rules_test

import (
	"strings"
	"testing"
	"time"

	"autodiscover-guard/rules"
)

// TestClose: of the names above a host that are opened or closed, the nearest counts.
func TestClose(t *testing.T) {
	c := rules.Config{
		Open:  []string{"hoster.net", "mail.wiki.corp.example.net"},
		Close: []string{"Wiki.corp.example.net.", "bank.lab.test", "www.hoster.net"},
		Rules: []rules.Rule{pin},
	}
	p, err := rules.New(c)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"corp.example.net": true, "autodiscover.corp.example.net": true, "wiki.corp.example.net": false, "a.WIKI.corp.example.net": false, "mail.wiki.corp.example.net": true,
		"a.mail.wiki.corp.example.net": true, "evilwiki.corp.example.net": true,
		"lab.test": true, "bank.lab.test": false, "hoster.net": true, "www.hoster.net": false, "hoster.org": false,
	} {
		if got := p.Opens(host); got != want {
			t.Errorf("%s: opened %v, want %v", host, got, want)
		}
		if got := p.Closes(host); got != (!want && host != "hoster.org") {
			t.Errorf("%s: closed %v, opened %v", host, got, want)
		}
	}
	if w := p.Warnings(time.Now()); len(w) != 0 {
		t.Errorf("warned of %q", w)
	}
	c.Close = nil
	if open, err := rules.New(c); err != nil || open.Revision() == p.Revision() {
		t.Errorf("the revision is the same without what is closed, or %v", err)
	}
}

// TestClose_warnings: what is harmless, or the operator's to decide, is said.
func TestClose_warnings(t *testing.T) {
	for host, want := range map[string]string{
		"wiki.lab.test": "", "wiki.hoster.net": "would not be opened without that", "autodiscover.lab.test": "discovery there passes unread", "autoconfig.corp.test": "discovery there passes unread",
	} {
		p, err := rules.New(rules.Config{Close: []string{host}})
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(p.Warnings(time.Now()), "\n")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

// TestClose_refused: a name that is opened for itself cannot be closed, and a pattern is none.
func TestClose_refused(t *testing.T) {
	for _, host := range []string{"example.com", "corp.example.net", "hoster.net", "live.thunderbird.net", "*.lab.test", "test", "https://wiki.lab.test", ""} {
		if _, err := rules.New(rules.Config{Open: []string{"hoster.net"}, Close: []string{host}, Rules: []rules.Rule{pin}}); err == nil || !strings.Contains(err.Error(), "cannot be closed") {
			t.Errorf("%q: %v", host, err)
		}
	}
}
