package intercept

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A host is looked up once while it is in quarantine, and again after a while where that failed; whoever comes in between waits for the answer.
func TestWhereabouts_lookedUpOnce(t *testing.T) {
	known := []netip.Addr{netip.MustParseAddr("192.0.2.10")}
	for name, c := range map[string]struct {
		err   error
		want  []netip.Addr
		again time.Duration
	}{
		"found":     {nil, known, 10 * time.Minute},
		"not found": {errors.New("no such host"), nil, whereaboutsAgain},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWhereabouts()
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
func TestWhereabouts_inTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWhereabouts()
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
			ctx, cancel := context.WithTimeout(t.Context(), whereaboutsTime)
			go func() { defer cancel(); find(ctx) }()
		}
		synctest.Wait()
		time.Sleep(whereaboutsTime)
		synctest.Wait()
		if took := time.Since(before); took != whereaboutsTime || asked != 2 {
			t.Errorf("asked %d times in %v", asked, took)
		}
		if w.until.IsZero() {
			t.Error("that nobody answered was forgotten")
		}
	})
}
