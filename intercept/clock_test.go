package intercept_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"autodiscover-guard/intercept"
	"autodiscover-guard/rules"
)

// The computer's clock is set forward and back, by years, also in the middle of an exchange: what is guarded stays guarded, a rule's last day is asked
// of the clock as it stands, each exchange has its record with the clock's time, and none took less than no time. Leaves after a jump are
// package certs' to renew, whose tests have that.
func TestClock_jumps(t *testing.T) {
	start := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	var now, jump atomic.Int64 // jump is how far the clock moves while upstream answers
	lab := rules.Rule{Name: "guests", Domains: []string{"lab.test"}, Allow: []string{"*.lab.test", stranger}, Until: start.AddDate(0, 1, 0)}
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		now.Add(jump.Load())
		account, _, _ := r.BasicAuth()
		jsonAnswer(suggest(account, "imap.lab.test", stranger))(rw, r)
	}, governed(operator(t, lab)), func(c *intercept.Config, _ *proxyServer, _ *world) {
		c.Clock = func() time.Time { return time.Unix(now.Load(), 0) }
	})
	client := w.client(true)
	for n, c := range []struct {
		at    time.Time
		jumps time.Duration
		rule  string
	}{
		{start, 0, "guests"},
		{start.AddDate(10, 0, 0), 0, "private-use"},
		{start.AddDate(-30, 0, 0), 0, "guests"},
		{start, time.Hour * 24 * 365, "guests"}, // as it was when the exchange began
		{start.AddDate(10, 0, 0), -time.Hour * 24 * 365 * 10, "private-use"},
		{start, -time.Hour, "guests"},
	} {
		now.Store(c.at.Unix())
		jump.Store(int64(c.jumps / time.Second))
		got := send(t, client, ask(t, "https", "user@lab.test"))
		if passed := strings.Contains(got.body, stranger); got.StatusCode != http.StatusOK || passed != (c.rule == "guests") {
			t.Errorf("%s %s: got %d %q", c.at, c.jumps, got.StatusCode, got.body)
		}
		record := w.decision(2*n + 1)
		if record["rule"] != c.rule || record["took_ms"].(int64) < 0 {
			t.Errorf("%s %s: got %v, want rule %s and no time below zero", c.at, c.jumps, record, c.rule)
		}
		if at := w.decisions.All()[2*n].Time; !at.Equal(c.at.Add(c.jumps)) {
			t.Errorf("%s %s: the record is of %s", c.at, c.jumps, at)
		}
		jump.Store(0)
		quiet(t, send(t, client, ask(t, "https", somehow)))
		w.decision(2*n + 2)
	}
}
