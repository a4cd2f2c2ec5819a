package intercept_test

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// It is a connection of the hall, and no tunnel any more: its lifetime ends behind an answer, and a stop waits for the answer that is under way.
func TestByAddress_lives(t *testing.T) {
	endsBehindAnAnswer(t, "https://"+central+"/", func(w *world) http.RoundTripper { return w.tunnelled(false, numbered) })
}

// An answer that is under way when the time has come is not cut off with the tunnels.
func TestByAddress_outlives(t *testing.T) {
	t.Parallel()
	s := newSlow(t)
	echo := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	w := newWorld(t, s.handle, resolve(bank+":25", echo), lifetime(4*time.Second)) // twice that is what the client has for all of it
	answered := make(chan reply)
	go func() {
		answered <- sent(w.tunnelled(false, numbered), request(t, http.MethodGet, "https://"+central+"/wait", ""))
	}()
	await(t, s.asked)
	if _, err := w.connect(bank + ":25"); err != nil { // a tunnel that is younger
		t.Fatal(err)
	}
	w.eventually(t, "the tunnel's end", func(s intercept.Stats) bool { return s.RetiredTunnels == 1 })
	s.let()
	if got := await(t, answered); got.StatusCode != http.StatusOK || got.body != "whole" || got.err != nil {
		t.Errorf("got %d %q, %v", got.StatusCode, got.body, got.err)
	}
}

// A client that does nothing at all is closed on by a stop.
func TestByAddress_idleAtTheStop(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"))
	c, err := w.tls(numberOf+":443", clientFor(central))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: "+central+"\r\n\r\n")
	if got := answer(t, c, http.MethodGet); got.body != "{}" {
		t.Fatalf("got %d %q", got.StatusCode, got.body)
	}
	if err := await(t, w.shutdown(t, t.Context())); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	w.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
}

func TestByAddress_stops(t *testing.T) {
	s := newSlow(t)
	w := newWorld(t, s.handle)
	client := w.tunnelled(false, numbered)
	answered := make(chan reply)
	go func() { answered <- sent(client, request(t, http.MethodGet, "https://"+central+"/wait", "")) }()
	await(t, s.asked)
	done := w.shutdown(t, t.Context())
	stillRuns(t, done)
	s.let()
	if got := await(t, answered); got.StatusCode != http.StatusOK || got.err != nil {
		t.Errorf("got %d, %v", got.StatusCode, got.err)
	}
	if err := await(t, done); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}
