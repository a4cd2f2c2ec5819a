package intercept_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// Who was told that his tunnel stands is served, whatever he had come to when the stop began: a load balancer cannot send him to anybody else any more.
func TestShutdown_servesWhoIsOnTheWay(t *testing.T) {
	for _, proto := range []string{"http/1.1", "h2"} {
		for _, shaken := range []bool{true, false} {
			name := proto + ", CONNECT answered"
			if shaken {
				name = proto + ", handshake made"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, jsonAnswer("done"))
				c, err := w.connect("opened.net:443")
				if err != nil {
					t.Fatal(err)
				}
				client := tls.Client(c, &tls.Config{ServerName: "opened.net", RootCAs: w.issuer.roots(), NextProtos: []string{proto}})
				if shaken {
					if err := client.HandshakeContext(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				done := w.shutdown(t, t.Context())
				transport := &http.Transport{
					DialTLSContext:    func(context.Context, string, string) (net.Conn, error) { return client, nil },
					ForceAttemptHTTP2: true,
				}
				defer transport.CloseIdleConnections()
				if err := client.HandshakeContext(t.Context()); err != nil {
					t.Fatalf("handshake: %v", err)
				}
				got := send(t, transport, request(t, http.MethodGet, "https://opened.net/", ""))
				if got.StatusCode != http.StatusOK || got.body != "done" || got.err != nil || got.ProtoMajor == 1 && !got.Close {
					t.Errorf("got %s %q %v, close: %v", got.Status, got.body, got.err, got.Close)
				}
				if err := await(t, done); err != nil {
					t.Errorf("Shutdown: %v", err)
				}
			})
		}
	}
}

// Also with a WebSocket, whose connection is not told to close: a client takes that for no handshake (RFC 6455, section 4.1).
func TestShutdown_aWebSocketOnTheWay(t *testing.T) {
	t.Parallel()
	w := newEcho(t)
	c, err := w.connect("opened.net:80")
	if err != nil {
		t.Fatal(err)
	}
	done := w.shutdown(t, t.Context())
	c, r := upgrade(t, c, socket)
	echoes(t, c, r)
	_ = c.Close()
	if err := await(t, done); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// A connection to the door that was there before is served once more, and told that this was the last time; one that comes later is not.
func TestShutdown_servesAConnectionOnceMore(t *testing.T) {
	t.Parallel()
	s := newSlow(t)
	w := newWorld(t, s.handle)
	old, err := dial(w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	const question = "GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n\r\n"
	_, _ = io.WriteString(old, question)
	if got := answer(t, old, http.MethodGet); got.body != "whole" || got.Close {
		t.Fatalf("before: %s %q", got.Status, got.body)
	}
	running := make(chan reply, 1)
	go func() { running <- sent(w.client(false), request(t, http.MethodGet, "http://opened.net/wait", "")) }()
	await(t, s.asked)
	done := w.shutdown(t, t.Context())
	_, _ = io.WriteString(old, question)
	if got := answer(t, old, http.MethodGet); got.StatusCode != http.StatusOK || got.body != "whole" || !got.Close {
		t.Errorf("while it stops: %s %q, close: %v", got.Status, got.body, got.Close)
	}
	s.let()
	if got := await(t, running); got.body != "whole" {
		t.Errorf("what was under way: %s %q", got.Status, got.body)
	}
	if err := await(t, done); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// Who has connected to a door, and comes to his question only when a stop has begun, is answered: his computer, or ours, is busy.
func TestShutdown_waitsForAQuestion(t *testing.T) {
	t.Parallel()
	const question = "GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n\r\n"
	secured := func(t *testing.T, c net.Conn) net.Conn {
		t.Helper()
		return tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	}
	for name, c := range map[string]struct {
		secure bool
		before func(t *testing.T, c net.Conn) net.Conn // what is done before the stop
		after  func(t *testing.T, c net.Conn) net.Conn
		rest   string // of the question
	}{
		"nothing said yet": {rest: question},
		"in the middle of the line": {
			before: func(_ *testing.T, c net.Conn) net.Conn { _, _ = io.WriteString(c, question[:10]); return c },
			rest:   question[10:],
		},
		"between the fields, after an answer": {
			before: func(t *testing.T, c net.Conn) net.Conn {
				t.Helper()
				_, _ = io.WriteString(c, question)
				if got := answer(t, c, http.MethodGet); got.body != "done" || got.Close {
					t.Fatalf("before: %s %q", got.Status, got.body)
				}
				_, _ = io.WriteString(c, question[:len(question)-2])
				return c
			},
			rest: question[len(question)-2:],
		},
		"before the handshake": {secure: true, after: secured, rest: question},
		"behind the handshake": {
			secure: true,
			before: func(t *testing.T, c net.Conn) net.Conn {
				t.Helper()
				client := secured(t, c).(*tls.Conn)
				if err := client.HandshakeContext(t.Context()); err != nil {
					t.Fatal(err)
				}
				return client
			},
			rest: question,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "done") })
			addr := w.addr
			if c.secure {
				addr = w.secureDoor(t)
			}
			client, err := dial(addr)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			w.eventually(t, "the connection", func(s intercept.Stats) bool { return s.Connections > 0 })
			if c.before != nil {
				client = c.before(t, client)
			}
			done := w.shutdown(t, t.Context())
			select {
			case err := <-done:
				t.Fatalf("Shutdown did not wait: %v", err)
			case <-time.After(4 * intercept.Lull):
			}
			if c.after != nil {
				client = c.after(t, client)
			}
			_, _ = io.WriteString(client, c.rest)
			if got := answer(t, client, http.MethodGet); got.StatusCode != http.StatusOK || got.body != "done" || !got.Close {
				t.Errorf("got %s %q, close: %v", got.Status, got.body, got.Close)
			}
			if err := await(t, done); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		})
	}
}

// The same at the transparent door, where nobody knows yet what the connection will be: opened, tunnelled by the name in its handshake, or plain.
func TestShutdown_waitsForAQuestionAtTheTransparentDoor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		to, host string
	}{
		"opened":    {siteAddr + ":443", "opened.net"},
		"tunnelled": {siteAddr + ":443", bank},
		"plain":     {siteAddr + ":80", "opened.net"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newLAN(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "done") })
			client := w.dial(t, c.to)
			w.eventually(t, "the connection", func(s intercept.Stats) bool { return s.Connections > 0 })
			done := w.shutdown(t, t.Context())
			select {
			case err := <-done:
				t.Fatalf("Shutdown did not wait: %v", err)
			case <-time.After(4 * intercept.Lull):
			}
			if strings.HasSuffix(c.to, ":443") {
				roots := w.issuer.roots()
				roots.AddCert(w.web.cert)
				client = tls.Client(client, &tls.Config{ServerName: c.host, RootCAs: roots})
			}
			_, _ = io.WriteString(client, "GET / HTTP/1.1\r\nHost: "+c.host+"\r\nConnection: close\r\n\r\n")
			if got := answer(t, client, http.MethodGet); got.StatusCode != http.StatusOK || got.body != "done" {
				t.Errorf("got %s %q", got.Status, got.body)
			}
			_ = client.Close()
			if err := await(t, done); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		})
	}
}

// Who has connected and asks nothing at all holds a stop up for as long as others are waited for in the middle of theirs, and not for ever.
func TestShutdown_doesNotWaitForSilence(t *testing.T) {
	t.Parallel()
	w := newWorld(t, jsonAnswer("done"))
	for _, text := range []string{"", "GET http://opened.net/ HTTP/1.1\r\n"} {
		c, err := dial(w.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, text)
	}
	w.eventually(t, "the connections", func(s intercept.Stats) bool { return s.Connections == 2 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := w.plugin.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// Who lies idle in the hall over HTTP/1 is told to go at once, and not when the last of the others has ended.
func TestShutdown_sendsAwayWhoIsIdle(t *testing.T) {
	t.Parallel()
	s := newSlow(t)
	w := newWorld(t, s.handle)
	idle, err := w.tls("opened.net:443", clientFor("opened.net"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(idle, "GET / HTTP/1.1\r\nHost: opened.net\r\n\r\n")
	if got := answer(t, idle, http.MethodGet); got.body != "whole" || got.Close {
		t.Fatalf("got %s %q", got.Status, got.body)
	}
	running := make(chan reply, 1)
	go func() { running <- sent(w.client(false), request(t, http.MethodGet, "https://opened.net/wait", "")) }()
	await(t, s.asked)
	done := w.shutdown(t, t.Context())
	_ = idle.SetReadDeadline(time.Now().Add(20 * time.Second))
	if n, err := idle.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("the idle one: got %d bytes, %v; want the end", n, err)
	}
	stillRuns(t, done)
	s.let()
	if got := await(t, running); got.body != "whole" {
		t.Errorf("what was under way: %s %q", got.Status, got.body)
	}
	if err := await(t, done); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// Who says nothing there is let go, and a tunnel lasts.
func TestTransparent_shutdown(t *testing.T) {
	t.Parallel()
	for _, patient := range []bool{true, false} {
		t.Run(fmt.Sprintf("patient %v", patient), func(t *testing.T) {
			t.Parallel()
			echo := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
			w := newLAN(t, jsonAnswer(""), resolve(siteAddr+":25", echo))
			c := w.dial(t, siteAddr+":25")
			echoes(t, c, c)
			waiting := w.dial(t, siteAddr+":443") // is listened to
			w.eventually(t, "both", func(s intercept.Stats) bool { return s.Connections == 2 })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := w.shutdown(t, ctx)
			if _, err := waiting.Read(make([]byte, 1)); err == nil {
				t.Error("a client that said nothing yet got something")
			}
			echoes(t, c, c)
			if patient {
				_ = c.Close()
			} else {
				cancel()
			}
			if err := await(t, done); (err == nil) != patient {
				t.Errorf("got %v", err)
			}
		})
	}
}
