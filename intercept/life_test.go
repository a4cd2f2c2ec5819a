package intercept_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

const (
	poll   = "GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\nConnection: close\r\n\r\n"
	socket = "GET /socket HTTP/1.1\r\nHost: opened.net\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-Websocket-Version: 13\r\n\r\n"
)

// slow answers /wait when it is released; asked gets one when it was asked.
type slow struct {
	asked   chan struct{}
	release chan struct{}
	once    sync.Once
}

func newSlow(tb testing.TB) *slow {
	s := &slow{asked: make(chan struct{}, 1), release: make(chan struct{})}
	tb.Cleanup(s.let)
	return s
}

func (s *slow) let() { s.once.Do(func() { close(s.release) }) }

func (s *slow) handle(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/wait":
		s.asked <- struct{}{}
		select {
		case <-s.release:
		case <-r.Context().Done():
		}
	case "/socket":
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return // not asked over HTTP/1
		}
		defer c.Close()
		if r.Header.Get("Upgrade") != "websocket" {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-Websocket-Accept: x\r\n\r\nhello")
		_, _ = io.Copy(c, rw.Reader)
		return
	}
	_, _ = io.WriteString(w, "whole")
}

// shutdown begins a Shutdown, and returns when the plugin takes nothing new any more.
func (w *world) shutdown(tb testing.TB, ctx context.Context) <-chan error { //nolint:revive // the context is the subject
	tb.Helper()
	done := make(chan error, 1)
	go func() { done <- w.plugin.Shutdown(ctx) }()
	w.refusesNewWork(tb)
	return done
}

func stillRuns(t *testing.T, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		t.Errorf("Shutdown did not wait: %v", err)
	default:
	}
}

func TestShutdown_waitsForWhatIsAsked(t *testing.T) {
	for _, door := range everyDoor {
		for _, patient := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/patient %v", door.name, patient), func(t *testing.T) {
				t.Parallel()
				s := newSlow(t)
				w := newWorld(t, s.handle)
				r, client, answer := request(t, http.MethodGet, door.scheme+"://opened.net/wait", ""), door.client(w), make(chan reply, 1)
				go func() { answer <- sent(client, r) }()
				await(t, s.asked)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				done := w.shutdown(t, ctx)
				stillRuns(t, done)
				if patient {
					s.let()
					if got := await(t, answer); got.StatusCode != http.StatusOK || got.body != "whole" || got.err != nil {
						t.Errorf("got %d %q %v", got.StatusCode, got.body, got.err)
					}
					if err := await(t, done); err != nil {
						t.Errorf("Shutdown: %v", err)
					}
					return
				}
				cancel()
				if err := await(t, done); !errors.Is(err, context.Canceled) {
					t.Errorf("Shutdown: got %v, want %v", err, context.Canceled)
				}
				if door.name == "plain" {
					_ = w.server.Close() // this connection is the outer server's
				}
				if got := await(t, answer); got.err == nil {
					t.Errorf("the exchange was not cut: got %d %q", got.StatusCode, got.body)
				}
			})
		}
	}
}

// streams are the ways to a connection that echoes, without an end.
var streams = map[string]func(*testing.T, *world) (net.Conn, *bufio.Reader){
	"tunnel": func(t *testing.T, w *world) (net.Conn, *bufio.Reader) {
		c, err := w.connect(bank + ":25")
		if err != nil {
			t.Fatal(err)
		}
		return c, bufio.NewReader(c)
	},
	"tunnel in HTTP/2": func(t *testing.T, w *world) (net.Conn, *bufio.Reader) {
		c, err := connectStream(t, w.h2(t, w.secureDoor(t)), bank+":25")
		if err != nil {
			t.Fatal(err)
		}
		return c, bufio.NewReader(c)
	},
	"socket in an opened tunnel in HTTP/2": func(t *testing.T, w *world) (net.Conn, *bufio.Reader) {
		c, err := connectStream(t, w.h2(t, w.secureDoor(t)), "opened.net:80")
		if err != nil {
			t.Fatal(err)
		}
		return upgrade(t, c, socket)
	},
	"socket at the plain door": func(t *testing.T, w *world) (net.Conn, *bufio.Reader) {
		c, err := dial(w.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return upgrade(t, c, strings.Replace(socket, "/socket", "http://opened.net/socket", 1))
	},
	"socket in an opened tunnel": func(t *testing.T, w *world) (net.Conn, *bufio.Reader) {
		c, err := w.tls("opened.net:443", clientFor("opened.net"))
		if err != nil {
			t.Fatal(err)
		}
		return upgrade(t, c, socket)
	},
	"socket in an opened tunnel to port 80": func(t *testing.T, w *world) (net.Conn, *bufio.Reader) {
		c, err := w.connect("opened.net:80")
		if err != nil {
			t.Fatal(err)
		}
		return upgrade(t, c, socket)
	},
	"socket in a tunnel": func(t *testing.T, w *world) (net.Conn, *bufio.Reader) {
		c, err := w.tls(bank+":443", &tls.Config{ServerName: bank, RootCAs: w.web.roots()})
		if err != nil {
			t.Fatal(err)
		}
		return upgrade(t, c, socket)
	},
}

// upgrade asks for a WebSocket; a first frame goes along with the request, as one comes along with the answer.
func upgrade(t *testing.T, c net.Conn, ask string) (net.Conn, *bufio.Reader) {
	t.Helper()
	_, _ = io.WriteString(c, ask+"early")
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, &http.Request{Method: http.MethodGet})
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Connection") != "Upgrade" || resp.Header.Get("Upgrade") != "websocket" ||
		resp.Header.Get("Sec-Websocket-Accept") != "x" {
		t.Fatalf("got %s %v", resp.Status, resp.Header)
	}
	said := make([]byte, len("helloearly"))
	if _, err := io.ReadFull(r, said); string(said) != "helloearly" {
		t.Fatalf("got %q, %v", said, err)
	}
	return c, r
}

func echoes(t *testing.T, c net.Conn, r io.Reader) {
	t.Helper()
	for _, text := range []string{"one\n", "two\n", strings.Repeat("x", 100<<10)} {
		go func() { _, _ = io.WriteString(c, text) }()
		got := make([]byte, len(text))
		if _, err := io.ReadFull(r, got); string(got) != text {
			t.Fatalf("got %.10q, %v; want %.10q", got, err, text)
		}
	}
}

func newEcho(t *testing.T) *world {
	echo := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	return newWorld(t, newSlow(t).handle, resolve(bank+":25", echo))
}

func TestStream_shutdownWaitsForItsEnd(t *testing.T) {
	t.Parallel()
	for name, open := range streams {
		for _, patient := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/patient %v", name, patient), func(t *testing.T) {
				t.Parallel()
				w := newEcho(t)
				c, r := open(t, w)
				echoes(t, c, r)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				done := w.shutdown(t, ctx)
				echoes(t, c, r)
				stillRuns(t, done)
				if patient {
					_ = c.Close()
					if err := await(t, done); err != nil {
						t.Errorf("Shutdown: %v", err)
					}
					return
				}
				cancel()
				if err := await(t, done); !errors.Is(err, context.Canceled) {
					t.Errorf("Shutdown: got %v, want %v", err, context.Canceled)
				}
				if rest, _ := io.ReadAll(r); len(rest) > 0 { // returns because the guard cuts
					t.Errorf("got %q", rest)
				}
				if w.decisions.Len() != 0 {
					t.Errorf("what is not discovery was recorded: %v", w.decisions.All())
				}
			})
		}
	}
}

func TestShutdown_refusesWhatComesAfter(t *testing.T) {
	s := &spy{next: jsonAnswer("{}")}
	w := newWorld(t, s.handle)
	opened, err := w.tls(central+":443", clientFor(central))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(opened, "GET / HTTP/1.1\r\nHost: "+central+"\r\n\r\n")
	answer(t, opened, http.MethodGet)
	before := s.asked.Load()
	if err := w.plugin.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if got := w.raw(t, poll); got.StatusCode != http.StatusServiceUnavailable || !got.Close {
		t.Errorf("plain: got %s, close %v", got.Status, got.Close)
	}
	for _, target := range []string{central + ":443", central + ":80", bank + ":443"} {
		if _, err := w.connect(target); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("%s: got %v, want 503", target, err)
		}
	}
	_, _ = io.WriteString(opened, "GET / HTTP/1.1\r\nHost: "+central+"\r\n\r\n")
	if _, err := opened.Read(make([]byte, 1)); err == nil {
		t.Error("a connection that was idle is still served")
	}
	if asked := s.asked.Load() - before; asked != 0 {
		t.Errorf("upstream was asked %d times", asked)
	}
	for i := range 3 {
		if err := w.plugin.Close(); err != nil {
			t.Errorf("Close %d: %v", i, err)
		}
	}
	if err := w.plugin.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown again: %v", err)
	}
}

// An upstream that answers a discovery question with another protocol gets no line to the client, whether the client asked for it or not.
func TestUpgrade_ofDiscoveryIsNotRelayed(t *testing.T) {
	switching := func(config *tls.Config) func(net.Conn) {
		return func(c net.Conn) {
			if config != nil {
				c = tls.Server(c, config)
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"+suggest("", stranger))
				_, _ = c.Read(make([]byte, 1)) // until the guard hangs up
			}
		}
	}
	for _, door := range everyDoor {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, jsonAnswer(""), func(c *intercept.Config, _ *proxyServer, w *world) {
				leaf := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return w.web.Leaf(hello.ServerName) }}
				c.Upstream.Resolve[central+":80"] = listen(w.tb, switching(nil))
				c.Upstream.Resolve[central+":443"] = listen(w.tb, switching(leaf))
			})
			n := 0
			for account, want := range map[string]int{"email@example.com": http.StatusOK, "user@corp-mail.net": http.StatusBadGateway} {
				for _, wanted := range []bool{false, true} {
					r := ask(t, door.scheme, account)
					if wanted && door.name != "connect-h2" {
						r.Header.Set("Connection", "Upgrade")
						r.Header.Set("Upgrade", "websocket")
					}
					got := send(t, door.client(w), r)
					if got.StatusCode != want || strings.Contains(got.body, stranger) {
						t.Errorf("%s: got %d %q, want %d", account, got.StatusCode, got.body, want)
					}
					n++
					if record := w.decision(n); record["upstream"].(map[string]any)["error"] != "protocol" {
						t.Errorf("%s: got %v", account, record)
					}
				}
			}
		})
	}
}

// A client that waits for a 100 before it sends its question hears the final answer, though nobody is dialled, and keeps its connection.
func TestExpect_refusedWithoutDialling(t *testing.T) {
	for _, door := range everyDoor {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			s := &spy{next: jsonAnswer("")}
			w := newWorld(t, s.handle)
			client := door.client(w)
			client.ExpectContinueTimeout = time.Hour
			for _, expected := range []bool{false, true} {
				r := poxAsk(t, door.scheme+"://"+docHost+poxPath, "email@example.com")
				r.Header.Set("Expect", "100-continue")
				reused := !expected
				r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }}))
				got := send(t, client, r)
				if got.StatusCode != http.StatusOK || !strings.Contains(got.body, "<ErrorCode>") || got.err != nil || got.Close {
					t.Errorf("got %d %q %v, close %v", got.StatusCode, got.body, got.err, got.Close)
				}
				if reused != expected {
					t.Errorf("got reused %v, want %v", reused, expected)
				}
			}
			if w.decision(2); w.decisions.Len() != 2 || s.asked.Load() != 0 {
				t.Errorf("got %d records, upstream asked %d times", w.decisions.Len(), s.asked.Load())
			}
		})
	}
}
