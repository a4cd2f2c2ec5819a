package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// ending is an authority whose certificates end.
type ending struct{ root, issuing time.Time }

func (e ending) Root() *x509.Certificate    { return &x509.Certificate{NotAfter: e.root} }
func (e ending) Issuing() *x509.Certificate { return &x509.Certificate{NotAfter: e.issuing} }

func TestWatchAuthority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		core, seen := observer.New(zap.DebugLevel)
		ctx, cancel := context.WithCancel(t.Context())
		begun := time.Now()
		go watchAuthority(ctx, ending{begun.Add(92 * day), begun.Add(22 * day)}, zap.New(core))
		time.Sleep(3*day + time.Hour)
		cancel()
		synctest.Wait()
		var got []string
		for _, e := range seen.All() {
			got = append(got, fmt.Sprintf("%s: %s after %v", e.Message, e.ContextMap()["certificate"], e.Time.Sub(begun)))
		}
		var want []string
		for hours := 36; hours <= 72; hours += 12 {
			if hours >= 60 {
				want = append(want, fmt.Sprintf("%s: root after %dh0m0s", messageEnding, hours))
			}
			want = append(want, fmt.Sprintf("%s: issuing after %dh0m0s", messageEnding, hours))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("warnings (-want +got):\n%s", d)
		}
	})
}
