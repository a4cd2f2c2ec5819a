package main

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"
)

// A self check that takes long, because the guard has thousands of handshakes to do and little of a processor, is told in time all the same: the service
// manager would end the guard, and cut off all whom it serves.
func TestSupervisor_slowSelfCheck(t *testing.T) {
	manager := serviceManager(t)
	t.Setenv("WATCHDOG_USEC", "40000000")
	const interval, checks = 40 * time.Second, 5
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		last, done := time.Now(), 0
		supervisor{zap.NewNop()}.watch(ctx, func(ctx context.Context) error {
			if done > 0 { // the first is quick, and the next has to wait for its turn
				select {
				case <-ctx.Done():
					if done < checks {
						t.Errorf("check %d was given up after %v", done, time.Since(last))
						cancel()
					}
					return ctx.Err()
				case <-time.After(interval*3/4 - time.Second):
				}
			}
			if silent := time.Since(last); silent >= interval {
				t.Errorf("the manager has heard nothing for %v, and ends the guard after %v", silent, interval)
			}
			if last, done = time.Now(), done+1; done == checks {
				cancel()
			}
			return nil
		})
		cancel()
	})
	for n := range checks {
		if got := nextMessage(t, manager); got != "WATCHDOG=1" {
			t.Fatalf("message %d: got %q", n, got)
		}
	}
}

// The service manager passes over what is longer than it reads, and a reload would never be over for it: that of a file in which every line is wrong, say.
func TestSupervisor_long_status(t *testing.T) {
	manager := serviceManager(t)
	supervisor{zap.NewNop()}.ready("policy c220bfd2d474; not reloaded: " + strings.Repeat("guard.yaml:7: ä: unknown key\n", 200))
	got := nextMessage(t, manager)
	if !strings.HasPrefix(got, "READY=1\nSTATUS=policy c220bfd2d474; not reloaded: guard.yaml:7: ä") || len(got) > 4096 || strings.Count(got, "\n") != 1 || !utf8.ValidString(got) {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

// serviceManager is the other end of sd_notify(3).
func serviceManager(t *testing.T) *net.UnixConn {
	t.Helper()
	at := filepath.Join(t.TempDir(), "notify.sock")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		t.Skip("there are no such sockets: ", err) // nor a service manager that would have one
	}
	t.Cleanup(func() { _ = manager.Close() })
	t.Setenv("NOTIFY_SOCKET", at)
	return manager
}

// nextMessage is the next message that the manager is sent.
func nextMessage(t *testing.T, manager *net.UnixConn) string {
	t.Helper()
	if err := manager.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 64<<10)
	size, err := manager.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(text[:size])
}
