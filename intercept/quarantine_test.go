package intercept_test

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// A client that was kept from a host cannot reach its mail ports for a while; everybody else, and every other port and host, is as before.
func TestQuarantine_mailPorts(t *testing.T) {
	dialled := new(atomic.Int64)
	addr := listen(t, func(c net.Conn) {
		dialled.Add(1)
		_, _ = io.WriteString(c, "* OK\r\n")
	})
	var options []option
	ports := []string{"25", "110", "143", "465", "587", "993", "995", "4190"}
	for _, port := range append(ports, "443", "2525") {
		options = append(options, resolve(stranger+":"+port, addr), resolve("imap.lab.test:"+port, addr))
	}
	var now atomic.Int64
	now.Store(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC).Unix())
	options = append(options, func(c *intercept.Config, _ *proxyServer, _ *world) {
		c.Clock = func() time.Time { return time.Unix(now.Load(), 0) }
	})
	w := newWorld(t, jsonAnswer(suggest("user@lab.test", "imap.lab.test", stranger)), options...)
	reach := func(target string) error {
		c, err := w.connect(target)
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	if err := reach(stranger + ":993"); err != nil {
		t.Fatalf("before: %v", err)
	}
	send(t, w.client(true), ask(t, "https", "user@lab.test"))
	before := dialled.Load()
	for n, port := range ports {
		for _, spelling := range []string{stranger, strings.ToUpper(stranger) + "."} {
			if err := reach(spelling + ":" + port); err == nil || !strings.Contains(err.Error(), "403") || !strings.Contains(err.Error(), "kept from") {
				t.Errorf("port %s: got %v, want a 403", port, err)
			}
		}
		if got := w.plugin.Stats().RefusedQuarantine; got != int64(2*n+2) {
			t.Errorf("got %d refused, want %d", got, 2*n+2)
		}
	}
	if n := dialled.Load(); n != before {
		t.Errorf("the host was dialled %d times", n-before)
	}
	for _, target := range []string{stranger + ":443", stranger + ":2525", "imap.lab.test:993"} {
		if err := reach(target); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
	if line := w.told("tunnel refused"); line["host"] != stranger+":25" || line["client"] != "127.0.0.1" {
		t.Errorf("got %v", line)
	}
	if w.decisions.Len() != 1 {
		t.Errorf("got %d records, want the exchange's alone", w.decisions.Len())
	}
	other := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	if c, err := other.Dial("tcp", w.addr); err == nil {
		defer c.Close()
		_, _ = io.WriteString(c, "CONNECT "+stranger+":993 HTTP/1.1\r\nHost: "+stranger+":993\r\n\r\n")
		if got := answer(t, c, "CONNECT"); got.StatusCode != 200 {
			t.Errorf("another client: got %s", got.Status)
		}
	}
	now.Add(10*60 - 1)
	if err := reach(stranger + ":993"); err == nil {
		t.Error("after 9:59: the quarantine is over")
	}
	now.Add(1)
	if err := reach(stranger + ":993"); err != nil {
		t.Errorf("after 10 minutes: %v", err)
	}
	if s := w.plugin.Stats(); s.Quarantined != 0 {
		t.Errorf("got %d in quarantine, want none", s.Quarantined)
	}
}

// What is refused as a whole goes into quarantine too, but for what the rule allows; what nobody guards, what is only monitored, and a
// quarantine that is off put nothing there.
func TestQuarantine_whatGoesIn(t *testing.T) {
	for name, c := range map[string]struct {
		account string
		hosts   []string
		lasting time.Duration
		want    int
	}{
		"the incident":      {"email@example.com", []string{stranger, "smtpgms.jnet.sei.co.jp"}, 0, 2},
		"own hosts":         {"user@lab.test", []string{stranger, "imap.lab.test"}, time.Hour, 1},
		"an empty set":      {"email@example.com", []string{stranger, "imap.example.com"}, time.Hour, 2},
		"nobody guarded":    {"user@corp-mail.net", []string{stranger}, 0, 0},
		"nothing forbidden": {"user@lab.test", []string{"imap.lab.test"}, 0, 0},
		"off":               {"email@example.com", []string{stranger}, -1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, jsonAnswer(suggest(c.account, c.hosts...)),
				func(k *intercept.Config, _ *proxyServer, _ *world) { k.Quarantine = c.lasting })
			send(t, w.client(true), ask(t, "https", c.account))
			if got := w.plugin.Stats().Quarantined; got != c.want {
				t.Errorf("got %d in quarantine, want %d", got, c.want)
			}
		})
	}
}

// One client's questions do not push another one's quarantine out, and memory is bounded.
func TestQuarantine_bounds(t *testing.T) {
	var hosts []string
	for i := range 150 {
		hosts = append(hosts, "h"+strings.Repeat("x", i)[:i%50]+string(rune('a'+i%26))+string(rune('a'+i/26))+".stranger.net")
	}
	w := newWorld(t, jsonAnswer(suggest("email@example.com", hosts...)))
	client := w.client(true)
	for range 3 {
		send(t, client, ask(t, "https", "email@example.com"))
	}
	if got := w.plugin.Stats().Quarantined; got != 64 {
		t.Errorf("got %d in quarantine, want 64", got)
	}
}
