package intercept_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

func lifetime(d time.Duration) option {
	return func(c *intercept.Config, _ *proxyServer, _ *world) { c.Limits.Lifetime = d }
}

// A tunnel that has lived long enough ends, whatever runs in it, and its slot is free again.
func TestLifetime_tunnel(t *testing.T) {
	addr := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	w := newWorld(t, jsonAnswer("{}"), resolve(bank+":443", addr), lifetime(50*time.Millisecond))
	c := w.hold(t)
	_, _ = io.WriteString(c, "CONNECT "+bank+":443 HTTP/1.1\r\nHost: "+bank+":443\r\n\r\n")
	answer(t, c, http.MethodConnect)
	var err error
	for err == nil { // busy until the end
		if _, err = io.WriteString(c, "x"); err == nil {
			_, err = c.Read(make([]byte, 1))
		}
	}
	if e, ok := err.(net.Error); ok && e.Timeout() { //nolint:errorlint // as the connection returns it
		t.Fatal("the tunnel lives on")
	}
	w.eventually(t, "the slot", func(s intercept.Stats) bool { return s.Tunnels == 0 && s.RetiredTunnels == 1 })
}

// Other connections end behind an answer, which is whole.
func TestLifetime_connections(t *testing.T) {
	for name, url := range map[string]string{"plain": "http://opened.net/", "opened": "https://" + central + "/"} {
		t.Run(name, func(t *testing.T) {
			endsBehindAnAnswer(t, url, func(w *world) http.RoundTripper { return w.client(false) })
		})
	}
}

// endsBehindAnAnswer asks again and again over a client's connection until it is told that an answer was the last. Twice a lifetime is too little for an exchange where
// the computer is busy; then there is more of it.
func endsBehindAnAnswer(t *testing.T, url string, client func(*world) http.RoundTripper) {
	t.Helper()
	for life := 100 * time.Millisecond; ; life *= 2 {
		w := newWorld(t, jsonAnswer("{}"), lifetime(life))
		slowest, err := w.asksUntilTheLast(t, client(w), url)
		if err == nil {
			return
		}
		if slowest < life || life > 10*time.Second {
			t.Fatalf("with a lifetime of %v, of which the slowest exchange took %v: %v", life, slowest, err)
		}
	}
}

func (w *world) asksUntilTheLast(t *testing.T, client http.RoundTripper, url string) (slowest time.Duration, err error) {
	t.Helper()
	end := time.Now().Add(20 * time.Second)
	for n := 0; time.Now().Before(end); n++ {
		begun := time.Now()
		resp, err := client.RoundTrip(request(t, http.MethodGet, url, ""))
		if err != nil {
			return max(slowest, time.Since(begun)), err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		slowest = max(slowest, time.Since(begun))
		if err != nil || resp.StatusCode != http.StatusOK || string(body) != "{}" {
			return slowest, fmt.Errorf("got %d %q, %w", resp.StatusCode, body, err)
		}
		if resp.Close && n > 0 {
			return slowest, nil
		}
	}
	return slowest, errors.New("the connection lives on")
}

// So do those in HTTP/1 and in HTTP/2 in which something is stuck: a side that does not read, or that says nothing. Nothing of them is left.
func TestLifetime_stuckTunnel(t *testing.T) {
	t.Parallel()
	flood := func(w net.Conn) {
		for err := error(nil); err == nil; _, err = w.Write(make([]byte, 64<<10)) {
		}
	}
	for name, far := range map[string]func(net.Conn){
		"nobody says anything":       func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"the client does not read":   flood,
		"the server does not read":   nil,
		"neither of them ever reads": flood,
	} {
		for _, version := range []string{"HTTP/1", "HTTP/2"} {
			t.Run(name+" "+version, func(t *testing.T) {
				t.Parallel()
				gone := make(chan struct{})
				defer close(gone)
				addr := listen(t, func(c net.Conn) {
					if far != nil {
						far(c)
					}
					<-gone
				})
				life := 500 * time.Millisecond
				if version == "HTTP/2" {
					life = 2 * time.Second // the connection, which is older, has twice that for two handshakes
				}
				w := newWorld(t, jsonAnswer(""), resolve(bank+":25", addr), lifetime(life))
				var c net.Conn
				var err error
				if version == "HTTP/1" {
					c, err = w.connect(bank + ":25")
				} else {
					c, err = connectStream(t, w.h2(t, w.secureDoor(t)), bank+":25")
				}
				if err != nil {
					t.Fatal(err)
				}
				if name == "the server does not read" || name == "neither of them ever reads" {
					go flood(c)
				}
				w.eventually(t, "the slot", func(s intercept.Stats) bool { return s.Tunnels == 0 })
				w.eventually(t, "goproxy", func(intercept.Stats) bool { return !running("goproxy.copy") && !running("handleHttps") })
				w.told("tunnels closed")
				if n := w.life.FilterMessage("tunnels closed").Len(); n != 1 {
					t.Errorf("it was told %d times", n)
				}
			})
		}
	}
}

// running reports whether a goroutine is in a function.
func running(function string) bool {
	stacks := make([]byte, 4<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte(function))
}

// An HTTP/2 connection that has lived long enough takes no further tunnels, and the last one goes on. On a computer that stands still for as long everything is cut off, and
// rightly; then it is tried with more time.
func TestLifetime_streamsMoveToAnotherConnection(t *testing.T) {
	t.Parallel()
	echo := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	for name, c := range map[string]struct {
		target string
		use    func(net.Conn) error
	}{
		"tunnel": {bank + ":25", func(c net.Conn) error {
			text := strings.Repeat("x", 100<<10)
			go func() { _, _ = io.WriteString(c, text) }()
			got := make([]byte, len(text))
			if _, err := io.ReadFull(c, got); string(got) != text {
				return fmt.Errorf("read %.10q, %w", got, err)
			}
			return nil
		}},
		"opened": {central + ":80", func(c net.Conn) error {
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: "+central+"\r\n\r\n")
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if got, err := io.ReadAll(resp.Body); string(got) != "{}" {
				return fmt.Errorf("%d %q, %w", resp.StatusCode, got, err)
			}
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for life := time.Second; ; life *= 2 {
				w := newWorld(t, jsonAnswer("{}"), resolve(bank+":25", echo), lifetime(life))
				slowest, err := w.lastOfItsConnection(t, c.target, c.use)
				if err == nil {
					return
				}
				if slowest < life/2 || life > 10*time.Second {
					t.Fatalf("got %v, %d tunnels or connections were cut off; the slowest step took %v of %v", err, w.plugin.Stats().RetiredTunnels, slowest, life)
				}
			}
		})
	}
}

// lastOfItsConnection opens one tunnel after the other in an HTTP/2 connection, until it takes no more, and uses the last. It reports how long the slowest step took.
func (w *world) lastOfItsConnection(t *testing.T, target string, use func(net.Conn) error) (slowest time.Duration, err error) {
	t.Helper()
	door := w.secureDoor(t)
	begun := time.Now()
	h2 := w.h2(t, door) // the connection lives from before its handshake, its requests' time begins behind it
	step := func() { slowest, begun = max(slowest, time.Since(begun)), time.Now() }
	last, err := connectStream(t, h2, target)
	step()
	if err != nil {
		return slowest, err
	}
	for {
		next, err := connectStream(t, h2, target)
		if err != nil {
			break
		}
		_ = last.Close()
		last = next
		step()
	}
	_ = last.SetDeadline(time.Now().Add(20 * time.Second))
	err = use(last)
	step()
	if n := w.plugin.Stats().RetiredTunnels; err == nil && n != 0 {
		err = errors.New("not by itself")
	}
	return slowest, err
}

// A client that stalls in the middle of an exchange, or whose upstream does, keeps its connection for twice a lifetime and not for ever.
func TestLifetime_inTheMiddleOfAnExchange(t *testing.T) {
	t.Parallel()
	const upload, download, poll = "POST %s/upload HTTP/1.1\r\nHost: opened.net\r\nContent-Length: 100\r\n\r\nx",
		"GET %s/large HTTP/1.1\r\nHost: opened.net\r\n\r\n", "GET %s/poll HTTP/1.1\r\nHost: opened.net\r\n\r\n"
	// stalled sends half an upload and nothing more.
	stalled := func(t *testing.T, rt http.RoundTripper, url string) {
		t.Helper()
		up, body := bodyPipe(t)
		r := request(t, http.MethodPost, url, "")
		r.Body, r.ContentLength = up, 100
		done := make(chan struct{})
		go func() {
			defer close(done)
			if resp, err := rt.RoundTrip(r); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		}()
		_, _ = io.WriteString(body, "x")
		t.Cleanup(func() { _ = body.Close(); <-done })
	}
	for name, begin := range map[string]func(t *testing.T, w *lan){
		"an upload, plain":   func(t *testing.T, w *lan) { t.Helper(); w.says(t, fmt.Sprintf(upload, "http://opened.net")) },
		"a download, plain":  func(t *testing.T, w *lan) { t.Helper(); w.says(t, fmt.Sprintf(download, "http://opened.net")) },
		"a poll, plain":      func(t *testing.T, w *lan) { t.Helper(); w.says(t, fmt.Sprintf(poll, "http://opened.net")) },
		"an upload, opened":  func(t *testing.T, w *lan) { t.Helper(); w.saysInside(t, fmt.Sprintf(upload, "")) },
		"a download, opened": func(t *testing.T, w *lan) { t.Helper(); w.saysInside(t, fmt.Sprintf(download, "")) },
		"a poll, opened":     func(t *testing.T, w *lan) { t.Helper(); w.saysInside(t, fmt.Sprintf(poll, "")) },
		"an upload, transparent": func(t *testing.T, w *lan) {
			t.Helper()
			_, _ = io.WriteString(w.dial(t, siteAddr+":80"), fmt.Sprintf(upload, ""))
		},
		"an upload in HTTP/2, opened": func(t *testing.T, w *lan) { t.Helper(); stalled(t, w.client(true), "https://opened.net/upload") },
		"an upload in HTTP/2, plain": func(t *testing.T, w *lan) {
			t.Helper()
			stalled(t, w.h2(t, w.secureDoor(t)), "http://opened.net/upload")
		},
		"an upload in a stream of HTTP/2": func(t *testing.T, w *lan) {
			t.Helper()
			c, err := connectStream(t, w.h2(t, w.secureDoor(t)), "opened.net:80")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, fmt.Sprintf(upload, ""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := make(chan struct{}, 1)
			w := newLAN(t, func(w http.ResponseWriter, r *http.Request) {
				asked <- struct{}{}
				switch r.URL.Path {
				case "/upload":
					_, _ = io.Copy(io.Discard, r.Body)
				case "/large":
					for err := error(nil); err == nil; _, err = w.Write(make([]byte, 64<<10)) {
					}
				default:
					<-r.Context().Done()
				}
			}, lifetime(500*time.Millisecond))
			begin(t, w)
			await(t, asked)
			w.eventually(t, "the connection", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 && s.RetiredTunnels == 1 })
			if told := w.told("connections closed"); told["count"] != int64(1) || told["reason"] != "they have lived for twice limits.lifetime" {
				t.Errorf("got %v", told)
			}
		})
	}
}

// saysInside opens a connection and writes the beginning of something into its TLS.
func (w *world) saysInside(t *testing.T, text string) {
	t.Helper()
	c, err := w.tls("opened.net:443", clientFor("opened.net"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, text)
}
