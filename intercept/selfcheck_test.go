package intercept_test

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// slowIssuer hangs, or fails in one of several ways, when it is told to.
type slowIssuer struct {
	intercept.Issuer
	hang, fail, empty, panics atomic.Bool
	release                   chan struct{}
}

func (s *slowIssuer) Leaf(name string) (*tls.Certificate, error) {
	if s.fail.Load() {
		return nil, errors.New("the disk is on fire")
	}
	if s.empty.Load() {
		return nil, nil //nolint:nilnil // that is the point
	}
	if s.panics.Load() {
		panic("the issuer")
	}
	if s.hang.Load() {
		<-s.release
	}
	return s.Issuer.Leaf(name)
}

func TestPlugin_SelfCheck(t *testing.T) {
	issuer := &slowIssuer{release: make(chan struct{})}
	w := newWorld(t, jsonAnswer("{}"), func(c *intercept.Config, _ *proxyServer, _ *world) {
		issuer.Issuer = c.Issuer
		c.Issuer = issuer
	})
	before := w.plugin.Stats()
	for range 3 {
		if err := w.plugin.SelfCheck(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if s := w.plugin.Stats(); s.Handshakes["done"] != before.Handshakes["done"] || s.Tunnels != 0 {
		t.Errorf("a self check is counted as a client: %+v", s)
	}
	issuer.fail.Store(true)
	if err := w.plugin.SelfCheck(t.Context()); err == nil || !strings.Contains(err.Error(), "the disk is on fire") {
		t.Errorf("an issuer that fails: got %v", err)
	}
	issuer.fail.Store(false)
	issuer.empty.Store(true)
	if err := w.plugin.SelfCheck(t.Context()); err == nil || !strings.Contains(err.Error(), "neither a certificate nor an error") {
		t.Errorf("an issuer that gives nothing: got %v", err)
	}
	issuer.empty.Store(false)
	issuer.panics.Store(true)
	if err := w.plugin.SelfCheck(t.Context()); err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("an issuer that panics: got %v", err)
	}
	issuer.panics.Store(false)
	issuer.hang.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.plugin.SelfCheck(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an issuer that hangs: got %v", err)
	}
	close(issuer.release)
	if err := w.plugin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.plugin.SelfCheck(t.Context()); err == nil {
		t.Error("a closed plugin passes")
	}
	if n := w.decisions.Len(); n != 0 {
		t.Errorf("a self check left %d records", n)
	}
}

// exchangedIssuer signs with another authority behind the first leaves.
type exchangedIssuer struct {
	intercept.Issuer
	next  intercept.Issuer
	first atomic.Int32
}

func (e *exchangedIssuer) Leaf(name string) (*tls.Certificate, error) {
	if e.first.Add(-1) < 0 {
		return e.next.Leaf(name)
	}
	return e.Issuer.Leaf(name)
}

// A reload that exchanges the authority in the middle of a check is no fault, of which a service manager would have to hear.
func TestPlugin_SelfCheck_authorityExchanged(t *testing.T) {
	issuer := &exchangedIssuer{next: newAuthority(t, "next")}
	w := newWorld(t, jsonAnswer("{}"), func(c *intercept.Config, _ *proxyServer, _ *world) {
		issuer.Issuer = c.Issuer
		c.Issuer = issuer
		c.Limits.Handshake = time.Hour // which nobody may have to wait for
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for first := range int32(3) {
		issuer.first.Store(first)
		if err := w.plugin.SelfCheck(ctx); err != nil {
			t.Errorf("after %d leaves: %v", first, err)
		}
	}
}
