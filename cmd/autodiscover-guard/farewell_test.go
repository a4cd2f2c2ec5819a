package main

import (
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/notify"
)

// slowHook takes notifications, each after three seconds.
type slowHook struct{ taken int }

// RoundTrip implements http.RoundTripper.
func (h *slowHook) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(3 * time.Second):
		h.taken++
		return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// What waits to be told at the end has its five seconds, however short the time is that tunnels have, and however much of it they have taken.
func TestFarewell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := config.Default()
		c.Listen.Admin, c.Limits.Drain = "", time.Second
		state := &stateDir{path: t.TempDir()}
		g := guardInBubble(t, c, state)
		secret, err := notify.ParseSecret([]byte(strings.Repeat("k", 24)))
		if err != nil {
			t.Fatal(err)
		}
		hook := new(slowHook)
		n, err := notify.New(notify.Config{URL: "https://hooks.lab.test", Secret: secret, Strangers: filepath.Join(state.path, "strangers.json"), Quiet: time.Hour, Transport: hook})
		if err != nil {
			t.Fatal(err)
		}
		door, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		r := &reloader{
			guard: g, doors: &doors{proxy: door}, config: c, supervisor: supervisor{zap.NewNop()}, logger: zap.NewNop(),
			logs: &logs{notifier: n, life: zap.New(n.Life(alarms))},
		}
		r.logs.life.Error(messageNotReloaded)
		if err := r.drain(t.Context()); err != nil || hook.taken != 1 {
			t.Errorf("%d notifications were taken, %v", hook.taken, err)
		}
	})
}
