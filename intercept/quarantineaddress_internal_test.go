package intercept

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// A host is looked up once while it is in quarantine, and again after a while where that failed; whoever comes in between waits for the answer.
func TestHostAddresses_lookedUpOnce(t *testing.T) {
	known := []netip.Addr{netip.MustParseAddr("192.0.2.10")}
	for name, c := range map[string]struct {
		err   error
		want  []netip.Addr
		again time.Duration
	}{
		"found":     {nil, known, 10 * time.Minute},
		"not found": {errors.New("no such host"), nil, addressRetry},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newHostAddresses()
				asked := 0
				find := func() []netip.Addr {
					return w.find(t.Context(), "stranger.net", time.Now(), time.Now().Add(10*time.Minute), func(context.Context, string) ([]netip.Addr, error) {
						asked++
						time.Sleep(time.Second)
						return known, c.err
					})
				}
				var got [2][]netip.Addr
				for i := range got {
					go func() { got[i] = find() }()
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if !slices.Equal(got[0], c.want) || !slices.Equal(got[1], c.want) || asked != 1 {
					t.Errorf("got %v, asked %d times; want %v, once", got, asked, c.want)
				}
				time.Sleep(c.again - 2*time.Second)
				if find(); asked != 1 {
					t.Error("it was forgotten too early")
				}
				time.Sleep(time.Second)
				if find(); asked != 2 {
					t.Error("it was remembered for too long")
				}
			})
		})
	}
}

// Who waits is let go in time, and a guard that ends remembers nothing of it.
func TestHostAddresses_inTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHostAddresses()
		asked := 0
		slow := func(ctx context.Context, _ string) ([]netip.Addr, error) {
			asked++
			<-ctx.Done()
			return []netip.Addr{netip.IPv6Loopback()}, ctx.Err() // half an answer is none
		}
		find := func(ctx context.Context) {
			if got := w.find(ctx, "stranger.net", time.Now(), time.Now().Add(time.Hour), slow); got != nil {
				t.Errorf("got %v", got)
			}
		}
		ended, end := context.WithCancel(t.Context())
		go find(ended)
		synctest.Wait()
		end()
		synctest.Wait()
		before := time.Now()
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), addressWait)
			go func() { defer cancel(); find(ctx) }()
		}
		synctest.Wait()
		time.Sleep(addressWait)
		synctest.Wait()
		if took := time.Since(before); took != addressWait || asked != 2 {
			t.Errorf("asked %d times in %v", asked, took)
		}
		if w.until.IsZero() {
			t.Error("that nobody answered was forgotten")
		}
	})
}

// A host may be mapped to another place for another port: what was found there is not this one's.
func TestHostAddresses_ofAnotherName(t *testing.T) {
	w := newHostAddresses()
	for _, name := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.1"} {
		got := w.find(t.Context(), name, time.Now(), time.Now().Add(time.Hour), func(_ context.Context, name string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(name)}, nil
		})
		if len(got) != 1 || got[0].String() != name {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// Each look-up gives its slot back, whatever comes of it.
func TestLocate_seats(t *testing.T) {
	p := &Plugin{dialer: &dialer{untrusted: new(net.Dialer)}}
	p.quarantine.lookups = make(chan struct{}, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 3 {
		if _, err := p.lookUp(ctx, "192.0.2.1"); err != nil { // an address is its own
			t.Fatal(err)
		}
	}
	if len(p.quarantine.lookups) != 0 {
		t.Error("a slot is taken")
	}
}

// A host is looked up where nothing else says where a tunnel to it would lead, and not at all where a parent proxy would know.
func TestQuarantinedAt_looksUp(t *testing.T) {
	dials := func(proxy string) *dialer {
		d, err := newDialer("guard", &UpstreamConfig{Proxy: proxy}, 0, new(self), nil)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	client := netip.MustParseAddr("192.0.2.50")
	p := &Plugin{logger: zap.NewNop(), clock: time.Now, phases: phases{ending: t.Context()}, dialer: dials("")}
	p.quarantine.duration, p.quarantine.lookups = time.Hour, make(chan struct{}, 1)
	p.quarantine.add(client, "localhost", time.Now())
	for addr, want := range map[string]bool{"127.0.0.1": true, "::ffff:127.0.0.1": true, "192.0.2.9": false} {
		if got := p.quarantinedAt(client, target{host: addr, port: 993}); got != want {
			t.Errorf("%s is shut: %t, want %t", addr, got, want)
		}
	}
	if name, ok := dials("http://192.0.2.1:8080").dialName(target{host: "stranger.net", port: 993}); ok {
		t.Errorf("by way of a parent proxy %s is looked up", name)
	}
}

// An address is a host's in whatever form a resolver gives it, and where it carries it.
func TestLeadsTo(t *testing.T) {
	for _, c := range []struct {
		to, host string
		want     bool
	}{
		{"192.0.2.10", "192.0.2.10", true},
		{"192.0.2.10", "::ffff:192.0.2.10", true}, // as net.Resolver.LookupNetIP has them
		{"64:ff9b::192.0.2.10", "::ffff:192.0.2.10", true},
		{"2001:db8::1", "2001:db8::1", true},
		{"::ffff:192.0.2.10", "192.0.2.10", true}, // as a client may write it
		{"192.0.2.11", "192.0.2.10", false},
		{"64:ff9b::192.0.2.11", "192.0.2.10", false},
	} {
		if got := leadsTo(netip.MustParseAddr(c.to), netip.MustParseAddr(c.host)); got != c.want {
			t.Errorf("%s, %s: got %v", c.to, c.host, got)
		}
	}
}
