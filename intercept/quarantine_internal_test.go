package intercept

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// Where memory is full what would be forgotten next goes, of a client's hosts and of clients; a computer with another of its IPv6 addresses is the same client.
func TestQuarantine_memory(t *testing.T) {
	q := quarantine{duration: time.Hour}
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	client, elsewhere := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2:3:4:5")
	host := func(i int) string { return fmt.Sprintf("h%d.stranger.net", i) }
	for i := range quarantineHosts {
		q.add(client, host(i), now.Add(time.Duration(i)))
	}
	q.add(client, host(1), now.Add(time.Second))
	if !q.holds(client, host(0), now) {
		t.Error("a host had to go for one that was there")
	}
	q.add(client, host(quarantineHosts), now.Add(time.Second))
	for _, c := range []struct {
		host  int
		after time.Duration
		want  bool
	}{{0, time.Minute, false}, {1, time.Minute, true}, {2, time.Minute, true}, {2, time.Hour + 2, false}, {1, time.Hour + 2, true}, {quarantineHosts, time.Hour + 2, true}} {
		if got := q.holds(elsewhere, host(c.host), now.Add(c.after)); got != c.want {
			t.Errorf("%s is shut after %v: %t, want %t", host(c.host), c.after, got, c.want)
		}
	}
	other := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	for i := range quarantineClients {
		q.add(other(i), host(0), now.Add(2*time.Second))
	}
	if q.holds(client, host(1), now.Add(time.Minute)) || !q.holds(other(0), host(0), now.Add(time.Minute)) || len(q.clients) != quarantineClients {
		t.Errorf("%d clients, want %d without the first one", len(q.clients), quarantineClients)
	}
	if q.holds(other(0), host(0), now.Add(2*time.Hour)) || len(q.clients) != quarantineClients-1 {
		t.Errorf("%d clients, want one less: its time is over", len(q.clients))
	}
}
