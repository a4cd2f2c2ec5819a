package main

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// A self check that takes long, because the guard has thousands of handshakes to do and little of a processor, is told in time all the same: the service
// manager would end the guard, and cut off all whom it serves.
func TestSupervisor_slowSelfCheck(t *testing.T) {
	at := filepath.Join(t.TempDir(), "notify.sock")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		t.Skip("there are no such sockets: ", err) // nor a service manager that would have one
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", at)
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
	if err := manager.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for n := range checks {
		text := make([]byte, 100)
		size, err := manager.Read(text)
		if err != nil || string(text[:size]) != "WATCHDOG=1" {
			t.Fatalf("message %d: got %q, %v", n, text[:max(size, 0)], err)
		}
	}
}
