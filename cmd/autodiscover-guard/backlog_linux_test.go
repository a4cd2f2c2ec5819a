package main

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// Whom the system has connected is accepted before a door is closed, and a door at which there always is somebody is closed all the same.
func TestAcceptWaiting(t *testing.T) {
	l := listener(t)
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for deadline := time.Now().Add(20 * time.Second); !hasBacklog(l); { // its end of the connection may be there before ours
		if time.Now().After(deadline) {
			t.Fatal("nobody waits to be accepted")
		}
	}
	synctest.Test(t, func(t *testing.T) {
		took := func(ctx context.Context) time.Duration {
			begun := time.Now()
			acceptWaiting(ctx, l)
			return time.Since(begun)
		}
		if got := took(t.Context()); got != acceptGrace {
			t.Errorf("nobody accepts: it takes %v", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), acceptGrace/4)
		defer cancel()
		if got := took(ctx); got > acceptGrace/4+acceptPause {
			t.Errorf("there is less time: it takes %v", got)
		}
		time.AfterFunc(acceptGrace/2, func() {
			if c, err := l.Accept(); err != nil {
				t.Error(err)
			} else {
				_ = c.Close()
			}
		})
		if got := took(t.Context()); got < acceptGrace/2 || got >= acceptGrace {
			t.Errorf("it is accepted: it takes %v", got)
		}
		if got := took(t.Context()); got != 0 {
			t.Errorf("nobody is there: it takes %v", got)
		}
	})
}
