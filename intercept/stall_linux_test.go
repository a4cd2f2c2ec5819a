package intercept_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

func stall(d time.Duration) option {
	return func(c *intercept.Config, _ *proxyServer, _ *world) { c.Limits.Stall = d }
}

// pouring answers for as long as somebody takes it, and says when nobody does any more. Where it is asked for /long it says how long that is.
func pouring(ended chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/long" {
			w.Header().Set("Content-Length", "1000000000000")
		}
		var err error
		for err == nil {
			_, err = w.Write(make([]byte, 64<<10))
		}
		ended <- struct{}{}
	}
}

// A client that stops reading an answer is cut off at every door, what was asked upstream for it ends, its slots are free, and to the client the
// answer looks broken off.
func TestStall_answers(t *testing.T) {
	t.Parallel()
	over := func(c net.Conn, err error, target string) func(*testing.T) (io.Reader, error) {
		return func(t *testing.T) (io.Reader, error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, "GET "+target+" HTTP/1.1\r\nHost: opened.net\r\n\r\n")
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				return nil, err
			}
			return resp.Body, nil
		}
	}
	by := func(rt http.RoundTripper, url string) func(*testing.T) (io.Reader, error) {
		return func(t *testing.T) (io.Reader, error) {
			t.Helper()
			resp, err := rt.RoundTrip(request(t, http.MethodGet, url, ""))
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { _ = resp.Body.Close() })
			return resp.Body, nil
		}
	}
	ways := map[string]func(*testing.T, *lan) func(*testing.T) (io.Reader, error){
		"HTTP/2, plain": func(t *testing.T, n *lan) func(*testing.T) (io.Reader, error) {
			t.Helper()
			return by(n.h2(t, n.secureDoor(t)), "http://opened.net/")
		},
		"HTTP/2, opened": func(_ *testing.T, n *lan) func(*testing.T) (io.Reader, error) {
			return by(n.client(true), "https://opened.net/")
		},
		"HTTP/2, of known length": func(_ *testing.T, n *lan) func(*testing.T) (io.Reader, error) {
			return by(n.client(true), "https://opened.net/long")
		},
		"in a stream": func(t *testing.T, n *lan) func(*testing.T) (io.Reader, error) {
			t.Helper()
			c, err := connectStream(t, n.h2(t, n.secureDoor(t)), "opened.net:80")
			return over(c, err, "/")
		},
	}
	for _, way := range oldWays {
		ways[way.name] = func(t *testing.T, n *lan) func(*testing.T) (io.Reader, error) {
			t.Helper()
			c, err := way.dial(t, n)
			return over(c, err, way.target)
		}
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan struct{}, 1)
			n := newLAN(t, pouring(ended), stall(300*time.Millisecond))
			body, err := way(t, n)(t)
			if err != nil {
				t.Fatal(err)
			}
			await(t, ended)
			n.eventually(t, "the count", func(s intercept.Stats) bool { return s.StalledConnections == 1 && s.RetiredTunnels == 0 })
			if _, err := io.Copy(io.Discard, body); err == nil {
				t.Error("the answer looks whole")
			}
			if !strings.HasPrefix(name, "HTTP/2") && name != "in a stream" { // where the connection is well
				n.eventually(t, "the slots", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
			}
		})
	}
}

// A listener that is no socket to the eye, because somebody has put his own around it, bounds each of its connections.
func TestStall_wrappedListener(t *testing.T) {
	ended := make(chan struct{}, 1)
	w := newWorld(t, pouring(ended), stall(300*time.Millisecond))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(w.server.Handler)
	_ = server.Listener.Close()
	server.Listener = w.plugin.Listener(struct{ net.Listener }{l})
	server.Start()
	defer server.Close()
	w.addr = l.Addr().String()
	w.says(t, "GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n\r\n")
	await(t, ended)
	w.eventually(t, "the count", func(s intercept.Stats) bool { return s.StalledConnections == 1 })
}

// So is either side of a tunnel that does not read, the whole tunnel with it.
func TestStall_tunnels(t *testing.T) {
	t.Parallel()
	flood := func(w io.Writer) {
		for err := error(nil); err == nil; _, err = w.Write(make([]byte, 64<<10)) {
		}
	}
	for _, version := range []string{"HTTP/1", "HTTP/1 over TLS", "HTTP/2", "transparent"} {
		for _, who := range []string{"the client does not read", "the server does not read"} {
			t.Run(who+" "+version, func(t *testing.T) {
				t.Parallel()
				gone, served := make(chan struct{}), make(chan struct{})
				defer close(gone)
				n := newLAN(t, jsonAnswer(""), resolve(siteAddr+":25", listen(t, func(c net.Conn) {
					defer close(served)
					if who == "the client does not read" {
						flood(c) // until somebody ends it
						return
					}
					<-gone
				})), stall(300*time.Millisecond))
				var c net.Conn
				var err error
				switch version {
				case "HTTP/1":
					c, err = n.connect(siteAddr + ":25")
				case "HTTP/1 over TLS":
					if c, err = dialTLS(n.secureDoor(t), &tls.Config{ServerName: "proxy.test", RootCAs: n.web.roots()}); err == nil {
						_, _ = fmt.Fprintf(c, "CONNECT %s:25 HTTP/1.1\r\nHost: %s:25\r\n\r\n", siteAddr, siteAddr)
					}
				case "HTTP/2":
					c, err = connectStream(t, n.h2(t, n.secureDoor(t)), siteAddr+":25")
				default:
					c = n.dial(t, siteAddr+":25")
				}
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if who == "the server does not read" {
					go flood(c)
				} else {
					await(t, served)
				}
				n.eventually(t, "the count and the slot", func(s intercept.Stats) bool {
					return s.StalledConnections == 1 && s.Tunnels == 0 && s.RetiredTunnels == 0
				})
				n.eventually(t, "goproxy", func(intercept.Stats) bool { return !running("goproxy.copy") })
			})
		}
	}
}

// An upstream that does not read an upload is given up as one that is too slow.
func TestStall_upload(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	defer close(gone)
	w := newWorld(t, jsonAnswer(""), resolve("opened.net:80", listen(t, func(net.Conn) { <-gone })), stall(300*time.Millisecond))
	c := w.hold(t)
	_, _ = io.WriteString(c, "POST http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\nContent-Length: 1000000000\r\n\r\n")
	go func() {
		for err := error(nil); err == nil; _, err = c.Write(make([]byte, 64<<10)) {
		}
	}()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != http.StatusGatewayTimeout {
		t.Fatalf("got %v, %v", resp, err)
	}
	w.eventually(t, "the error", func(s intercept.Stats) bool { return s.UpstreamErrors["timeout"] == 1 && s.Connections == 0 })
}

// Whom nothing waits for is never cut off, however long it takes: a long poll, also behind the answer's header and behind its first event, a tunnel in which nothing
// moves, an idle stream; nor is who takes a little now and then. Two clients that stall, one after the other, say that the time has passed.
// Where a reader was kept from reading for long, because the computer is busy, there is more of it.
func TestStall_patience(t *testing.T) {
	for patience := 1500 * time.Millisecond; ; patience *= 2 {
		slowest, err := cutOff(t, patience)
		if err == nil {
			return
		}
		if slowest < patience/2 || patience > 20*time.Second {
			t.Fatalf("with a patience of %v, and %v between two reads: %v", patience, slowest, err)
		}
	}
}

// cutOff is who was cut off, and how much time there was between two reads of a slow reader's at most.
func cutOff(t *testing.T, patience time.Duration) (slowest time.Duration, err error) {
	t.Helper()
	release, ended := make(chan struct{}), make(chan struct{}, 8)
	echo := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/poll", "/header", "/event":
			if r.URL.Path != "/poll" {
				_, _ = io.WriteString(w, map[string]string{"/event": "old "}[r.URL.Path])
				_ = http.NewResponseController(w).Flush()
			}
			<-release
			_, _ = io.WriteString(w, "news")
		case "/large":
			_, _ = w.Write(make([]byte, 16<<20))
		default:
			pouring(ended)(w, r)
		}
	}, resolve(bank+":25", echo), stall(patience))
	h2 := w.h2(t, w.secureDoor(t))
	idle, err := w.connect(bank + ":25")
	if err != nil {
		t.Fatal(err)
	}
	idleStream, err := connectStream(t, h2, bank+":25")
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{"/poll": "news", "/header": "news", "/event": "old news"}
	polls := make(chan reply, len(doors)*len(answers))
	for _, door := range doors {
		for path := range answers {
			go func() {
				polls <- sent(door.client(w), request(t, http.MethodGet, door.scheme+"://opened.net"+path, ""))
			}()
		}
	}
	// Slow readers take a tenth of the answer for each tick.
	var passed atomic.Bool
	slow, pauses := make(chan error, len(doors)), make(chan time.Duration, len(doors))
	for _, door := range doors {
		resp, err := door.client(w).RoundTrip(request(t, http.MethodGet, door.scheme+"://opened.net/large", ""))
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer resp.Body.Close()
			tick := time.NewTicker(50 * time.Millisecond)
			defer tick.Stop()
			var err error
			var longest time.Duration
			for last := time.Now(); err == nil && !passed.Load(); last = time.Now() {
				<-tick.C
				_, err = io.CopyN(io.Discard, resp.Body, 128<<10)
				longest = max(longest, time.Since(last))
			}
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
			}
			if err == io.EOF { //nolint:errorlint // as CopyN returns it
				err = nil
			}
			slow <- err
			pauses <- longest
		}()
	}
	for n := range int64(2) {
		w.says(t, "GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n\r\n")
		await(t, ended)
		w.eventually(t, "the count", func(s intercept.Stats) bool { return s.StalledConnections > n })
	}
	passed.Store(true)
	close(release)
	for range cap(polls) {
		if got := await(t, polls); got.body != answers[got.Request.URL.Path] {
			err = errors.Join(err, fmt.Errorf("%s: got %d %q, %w", got.Request.URL, got.StatusCode, got.body, got.err))
		}
	}
	for range doors {
		if broken := await(t, slow); broken != nil {
			err = errors.Join(err, fmt.Errorf("a slow reader: %w", broken))
		}
		slowest = max(slowest, await(t, pauses))
	}
	if n := w.plugin.Stats().StalledConnections; n != 2 {
		err = errors.Join(err, fmt.Errorf("%d were cut off", n))
	}
	if err != nil {
		return slowest, err
	}
	echoes(t, idle, idle)
	echoes(t, idleStream, idleStream)
	return slowest, nil
}

// curl that reads slowly gets all of it, one that stands still is cut off, and finds that out when it goes on.
func TestStall_curl(t *testing.T) {
	t.Parallel()
	curl := program(t, "curl", "curl")
	for _, h2 := range []string{"--http1.1", "--http2"} {
		t.Run(h2, func(t *testing.T) {
			t.Parallel()
			asked, ended := make(chan struct{}, 1), make(chan struct{}, 1)
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/large" {
					_, _ = w.Write(make([]byte, 4<<20))
					return
				}
				asked <- struct{}{}
				pouring(ended)(w, r)
			}, stall(2*time.Second))
			args := []string{"-skm60", h2, "-x", "http://" + w.addr, "-o", "/dev/null", "-w", "%{size_download} %{http_version}"}
			if out, err := exec.CommandContext(t.Context(), curl, append(args, "--limit-rate", "2M", "https://opened.net/large")...).CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "4194304") {
				t.Errorf("slowly: got %s, %v", out, err)
			}
			still := exec.CommandContext(t.Context(), curl, append(args, "https://opened.net/")...)
			if err := still.Start(); err != nil {
				t.Fatal(err)
			}
			await(t, asked)
			_ = still.Process.Signal(syscall.SIGSTOP)
			await(t, ended)
			w.eventually(t, "the count", func(s intercept.Stats) bool { return s.StalledConnections >= 1 })
			_ = still.Process.Signal(syscall.SIGCONT)
			if err := still.Wait(); err == nil {
				t.Error("it took the answer for whole")
			}
		})
	}
}
