package intercept_test

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/intercept"
	"autodiscover-guard/rules"
)

// A tunnel that passes by unread has a record where its host's name says that it leads to discovery, and only there.
func TestBypass(t *testing.T) {
	off, err := rules.New(rules.Config{Services: map[string]rules.Mode{"autodetect": rules.Off}})
	if err != nil {
		t.Fatal(err)
	}
	closed, err := rules.New(rules.Config{Close: []string{docHost}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, to      string
		policy        *rules.Policy
		rule, subject string
		reason, host  string
	}{
		{"nobody's domain", "autodiscover.corp-mail.net:443", nil, "", "corp-mail.net", "the policy guards nobody there", "autodiscover.corp-mail.net"},
		{"nobody's domain, autoconfig", "autoconfig.corp-mail.net:80", nil, "", "corp-mail.net", "the policy guards nobody there", "autoconfig.corp-mail.net:80"},
		{"a guarded domain, by another port", docHost + ":8443", nil, "documentation", "example.com", "only ports 443 and 80 are opened", docHost + ":8443"},
		{"a service that is left alone", central + ":443", off, "", "", "the policy leaves this service alone", central},
		{"a host that is closed", docHost + ":443", closed, "documentation", "example.com", "the policy leaves this host closed", docHost},
		{"nobody's domain, and nobody reads what is for debugging", "autodiscover.corp-mail.net:443", nil, "", "", "", ""},
		{"a bank", bank + ":443", nil, "", "", "", ""},
		{"a mail server of a guarded domain", "imap.example.com:993", nil, "", "", "", ""},
		{"a top-level name", "autoconfig.net:443", nil, "", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, jsonAnswer("{}"), func(config *intercept.Config, _ *proxyServer, w *world) {
				for _, to := range []string{"autodiscover.corp-mail.net:443", "autoconfig.corp-mail.net:80", docHost + ":8443", "imap.example.com:993", "autoconfig.net:443"} {
					config.Upstream.Resolve[to] = w.secure.Listener.Addr().String()
				}
				if c.policy != nil {
					config.Policy = c.policy
				}
				if strings.HasPrefix(c.to, "autodiscover") && c.reason == "" {
					config.Decisions = config.Decisions.WithOptions(zap.IncreaseLevel(zap.InfoLevel))
				}
			})
			_ = w.tunnel(c.to).Close()
			w.stop()
			all := w.decisions.All()
			if c.reason == "" {
				if len(all) > 0 {
					t.Errorf("got %v, want no record", all)
				}
				return
			}
			if len(all) != 1 {
				t.Fatalf("%d records, want one", len(all))
			}
			got := all[0].ContextMap()
			subject := ""
			if s, ok := got["subjects"].([]any); ok && len(s) == 1 {
				subject, _ = s[0].(string)
			}
			reason, _ := got["reason"].(string)
			if got["action"] != "tunnel" || got["rule"] != c.rule || subject != c.subject || !strings.HasSuffix(reason, c.reason) || got["host"] != c.host || got["dialect"] != "none" {
				t.Errorf("got %v", got)
			}
			level := zap.DebugLevel
			if c.rule != "" {
				level = zap.WarnLevel
			}
			if all[0].Level != level || all[0].Time.Location() != time.UTC || (got["reserved_by"] != "") != (c.rule != "") || got["status"] != int64(0) || got["bytes_out"] != int64(0) {
				t.Errorf("got %v of %s at %s", got, all[0].Level, all[0].Time)
			}
		})
	}
}
