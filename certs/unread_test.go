package certs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/certs"
)

// What is on disk and cannot be read is told by whoever was asked to take it over; what was read before goes on signing, and with the file mended all is
// well again.
func TestRefresh_tellsWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := place(t)
	a := open(t, dir, "example.com")
	issuing := filepath.Join(dir, "issuing.pem")
	good, before := read(t, issuing), a.Issuing()
	for what, spoil := range map[string]func() error{
		"garbage":   func() error { return os.WriteFile(issuing, []byte("garbage\n"), 0o600) },
		"missing":   func() error { return os.Remove(issuing) },
		"no longer": func() error { return os.Rename(dir, dir+".away") },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		would := "the next start would fail: "
		if what == "no longer" {
			would = "the next start would make another authority, which no client trusts: "
		}
		for name, err := range map[string]error{"Refresh": a.Refresh(), "Rescope": a.Rescope(certs.Scope{Names: []string{"example.com"}})} {
			if err == nil || !strings.Contains(err.Error(), would) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%s: %s returned %v", what, name, err)
			}
		}
		if got := a.Status(time.Now()).Warnings; len(got) == 0 || !strings.Contains(got[0].Text, "cannot be taken over") || got[0].Cure == "" {
			t.Errorf("%s: warnings %v", what, got)
		}
		if !a.Issuing().Equal(before) || a.RenewalErr() != nil {
			t.Errorf("%s: another issuing certificate, or %v", what, a.RenewalErr())
		}
		mint(t, a)

		_ = os.Rename(dir+".away", dir)
		write(t, issuing, good)
		if err := a.Rescope(certs.Scope{Names: []string{"example.com"}}); err != nil {
			t.Errorf("%s, mended: %v", what, err)
		}
		if got := a.Status(time.Now()).Warnings; len(got) != 0 {
			t.Errorf("%s, mended: warnings %v", what, got)
		}
	}
}
