package intercept_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/elazarl/goproxy"

	"autodiscover-guard/intercept"
)

// uploads are the ways in HTTP/1.1 and the forms of a body of which a byte is sent, and then nothing more.
func uploads(t *testing.T, w *world, with func(t *testing.T, c net.Conn, r *bufio.Reader, target string)) {
	t.Helper()
	for way, dial := range pollWays(t, w) {
		for name, head := range map[string]string{"sized": "Content-Length: 10\r\n\r\n0", "large": "Content-Length: 1000000\r\n\r\n0", "chunked": "Transfer-Encoding: chunked\r\n\r\n1\r\n0\r\n"} {
			t.Run(way+", "+name, func(t *testing.T) {
				c, at, err := dial()
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(20 * time.Second))
				_, _ = io.WriteString(c, "POST "+at+"/upload HTTP/1.1\r\nHost: opened.net\r\n"+head)
				with(t, c, bufio.NewReader(c), at)
			})
		}
	}
	w.eventually(t, "the slots", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
}

// streamUploads are the same in HTTP/2. The body that with is given ends with an error when nobody wants it any more.
func streamUploads(t *testing.T, w *world, with func(t *testing.T, resp *http.Response, body *io.PipeWriter)) {
	t.Helper()
	for scheme, client := range map[string]http.RoundTripper{"http": w.h2(t, w.secureDoor(t)), "https": w.client(true)} {
		t.Run("HTTP/2, "+scheme, func(t *testing.T) {
			body, say := bodyPipe(t)
			defer body.Close()
			r := request(t, http.MethodPost, scheme+"://opened.net/upload", "")
			r.Body, r.ContentLength = body, -1
			go func() { _, _ = io.WriteString(say, "0") }()
			resp, err := client.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			with(t, resp, say)
		})
	}
}

// givenUp waits until nobody reads a body any more.
func givenUp(t *testing.T, body *io.PipeWriter) {
	t.Helper()
	for err := error(nil); err == nil; {
		_, err = body.Write(make([]byte, 64<<10))
	}
}

// failing are upstreams that fail when they have been asked, and what the client is told.
var failing = map[string]func(net.Conn){
	"is closed":   func(net.Conn) {},
	"is reset":    resetting,
	"is no HTTP":  func(c net.Conn) { _, _ = io.WriteString(c, "220 ready\r\n") },
	"breaks off":  func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Le") },
	"has no such": func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 099 Never\r\nContent-Length: 0\r\n\r\n") },
	"is cut short": func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"+strings.Repeat("half", 32<<10))
	},
}

// taken is an upstream that is told with its connection that it has been asked.
func taken(then func(net.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		then(c)
		_ = c.Close()
	}
}

// overHTTP1 has upstream offer no HTTP/2, for its connections are taken over.
func overHTTP1(w *world) { w.secure.TLS.NextProtos = []string{"http/1.1"} }

// A client in the middle of an upload hears at once that its upstream has failed, however long it says no more itself; and its connection, of which
// nobody knows where the next request begins, is closed in good form.
func TestUpload_upstreamFails(t *testing.T) {
	t.Parallel()
	for name, fails := range failing {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, taken(fails))
			overHTTP1(w)
			uploads(t, w, func(t *testing.T, _ net.Conn, r *bufio.Reader, _ string) {
				t.Helper()
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(resp.Body)
				if name == "is cut short" {
					if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("got %d, %d bytes, %v", resp.StatusCode, len(text), err)
					}
				} else if resp.StatusCode != http.StatusBadGateway || err != nil || !resp.Close {
					t.Errorf("got %d %q, %v, last: %t", resp.StatusCode, text, err, resp.Close)
				}
				if _, err := r.ReadByte(); !errors.Is(err, io.EOF) && name != "is cut short" {
					t.Errorf("the connection: %v", err)
				}
			})
			streamUploads(t, w, func(t *testing.T, resp *http.Response, body *io.PipeWriter) {
				t.Helper()
				text, err := io.ReadAll(resp.Body)
				if (name == "is cut short") == (err == nil) || (err == nil) != (resp.StatusCode == http.StatusBadGateway) {
					t.Errorf("got %d %q, %v", resp.StatusCode, text, err)
				}
				givenUp(t, body)
			})
		})
	}
}

// So does one whose upstream cannot be reached at all.
func TestUpload_upstreamIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	w := newWorld(t, jsonAnswer(""), resolve("opened.net:80", l.Addr().String()), resolve("opened.net:443", l.Addr().String()))
	uploads(t, w, func(t *testing.T, _ net.Conn, r *bufio.Reader, _ string) {
		t.Helper()
		resp, err := http.ReadResponse(r, nil)
		if err != nil || resp.StatusCode != http.StatusBadGateway || !resp.Close {
			t.Fatalf("got %v, %v", resp, err)
		}
		if rest, err := io.ReadAll(r); err != nil || len(rest) != int(resp.ContentLength) {
			t.Errorf("got %q, %v", rest, err)
		}
	})
	streamUploads(t, w, func(t *testing.T, resp *http.Response, body *io.PipeWriter) {
		t.Helper()
		if resp.StatusCode != http.StatusBadGateway {
			t.Errorf("got %d", resp.StatusCode)
		}
		givenUp(t, body)
	})
}

// A client that leaves in the middle of its upload is not upstream's failure.
func TestUpload_clientLeaves(t *testing.T) {
	asked := make(chan struct{}, 16)
	w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body)
	})
	uploads(t, w, func(t *testing.T, c net.Conn, _ *bufio.Reader, _ string) {
		t.Helper()
		await(t, asked)
		_ = c.Close()
	})
	w.eventually(t, "twelve departures", func(s intercept.Stats) bool {
		return s.UpstreamErrors["canceled"] == 12
	})
	for class, n := range w.plugin.Stats().UpstreamErrors {
		if class != "canceled" && n != 0 {
			t.Errorf("%s: %d", class, n)
		}
	}
}

// early answers before it has read the request's body, and reads on, as long as the client likes.
func early(close bool) http.HandlerFunc {
	return taken(func(c net.Conn) {
		field := ""
		if close {
			field = "Connection: close\r\n"
		}
		_, _ = io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\n"+field+"Content-Length: 3\r\n\r\nno!")
		_, _ = io.Copy(io.Discard, c)
	})
}

// Behind an early answer a client that says no more loses its connection, in good form, and its slots are free.
func TestUpload_earlyAnswer(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]bool{"the last": true, "not the last": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, early(last))
			overHTTP1(w)
			uploads(t, w, func(t *testing.T, _ net.Conn, r *bufio.Reader, _ string) {
				t.Helper()
				resp, err := http.ReadResponse(r, nil)
				if err != nil || resp.StatusCode != http.StatusRequestEntityTooLarge || resp.Close != last {
					t.Fatalf("got %v, %v", resp, err)
				}
				if rest, err := io.ReadAll(r); string(rest) != "no!" || err != nil {
					t.Errorf("got %q, %v", rest, err)
				}
			})
			streamUploads(t, w, func(t *testing.T, resp *http.Response, body *io.PipeWriter) {
				t.Helper()
				if text, err := io.ReadAll(resp.Body); string(text) != "no!" || err != nil || resp.StatusCode != http.StatusRequestEntityTooLarge {
					t.Errorf("got %d %q, %v", resp.StatusCode, text, err)
				}
				givenUp(t, body)
			})
		})
	}
}

// So it is where it does not go itself.
func TestUpload_seatsAreFree(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 16)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		early(false)(w, r)
	})
	overHTTP1(w)
	for way, dial := range pollWays(t, w) {
		for _, head := range []string{"Content-Length: 10\r\n\r\n0", "Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n0", "Transfer-Encoding: chunked\r\n\r\n1\r\n0\r\n"} {
			c, at, err := dial()
			if err != nil {
				t.Fatal(way, err)
			}
			defer c.Close()
			_, _ = io.WriteString(c, "POST "+at+"/ HTTP/1.1\r\nHost: opened.net\r\n"+head)
		}
	}
	for range 12 {
		await(t, asked)
	}
	w.eventually(t, "the slots", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
}

// A client that sends on at full speed gets the answer whole, too: no reset comes before it.
func TestUpload_fullSpeed(t *testing.T) {
	w := newWorld(t, early(true))
	overHTTP1(w)
	for way, dial := range pollWays(t, w) {
		for _, head := range []string{"Content-Length: 1000000000000\r\n\r\n", "Content-Length: 1000000000000\r\nExpect: 100-continue\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n10000000000\r\n"} {
			c, at, err := dial()
			if err != nil {
				t.Fatal(way, err)
			}
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			_, _ = io.WriteString(c, "POST "+at+"/ HTTP/1.1\r\nHost: opened.net\r\n"+head)
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				for err := error(nil); err == nil; _, err = c.Write(make([]byte, 64<<10)) {
				}
			}()
			r := bufio.NewReader(c)
			resp, err := http.ReadResponse(r, nil)
			for err == nil && resp.StatusCode == http.StatusContinue {
				resp, err = http.ReadResponse(r, nil)
			}
			if err != nil || resp.StatusCode != http.StatusRequestEntityTooLarge || !resp.Close {
				t.Fatalf("%s, %q: got %v, %v", way, head, resp, err)
			}
			if rest, err := io.ReadAll(r); string(rest) != "no!" || err != nil {
				t.Errorf("%s, %q: got %q, %v", way, head, rest, err)
			}
			_ = c.Close()
			await(t, sent)
		}
	}
	w.eventually(t, "the slots", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
}

// Another plugin that puts its own body around the client's changes nothing of this.
func TestUpload_behindAnotherPlugin(t *testing.T) {
	w := newWorld(t, taken(func(net.Conn) {}), with(func(p *proxyServer) {
		p.OnRequest().DoFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.TeeReader(r.Body, io.Discard), r.Body}
			return r, nil
		})
	}))
	overHTTP1(w)
	uploads(t, w, func(t *testing.T, _ net.Conn, r *bufio.Reader, _ string) {
		t.Helper()
		if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != http.StatusBadGateway || !resp.Close {
			t.Fatalf("got %v, %v", resp, err)
		}
	})
}

// A server that is set up without our listener or our ConnContext closes the connection as well, and says so before.
func TestUpload_elsewhere(t *testing.T) {
	t.Parallel()
	for name, bare := range map[string]option{
		"without the listener": func(_ *intercept.Config, _ *proxyServer, w *world) { w.noGate = true },
		"without ConnContext":  func(_ *intercept.Config, _ *proxyServer, w *world) { w.noConnContext = true },
	} {
		for what, upstream := range map[string]http.HandlerFunc{"early": early(false), "failing": taken(func(net.Conn) {})} {
			w := newWorld(t, upstream, bare)
			for _, head := range []string{"Content-Length: 1000000\r\n\r\n0", "Content-Length: 10\r\n\r\n0", "Transfer-Encoding: chunked\r\n\r\n1\r\n0\r\n"} {
				c := w.hold(t)
				_, _ = io.WriteString(c, "POST http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n"+head)
				r := bufio.NewReader(c)
				resp, err := http.ReadResponse(r, nil)
				if err != nil || resp.StatusCode < 400 || !resp.Close {
					t.Fatal(name, what, resp, err)
				}
				if rest, err := io.ReadAll(r); len(rest) != int(resp.ContentLength) || err != nil {
					t.Errorf("%s, %s: got %q, %v", name, what, rest, err)
				}
			}
		}
	}
}

// curl in the middle of an upload, under way or at a stand, reads the answer of an upstream that wants no more of it, and hears of one that is gone.
func TestUpload_curl(t *testing.T) {
	curl := program(t, "curl", "curl")
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.CopyN(io.Discard, r.Body, 100<<10)
		if r.URL.Path == "/early" {
			early(true)(w, r)
			return
		}
		taken(resetting)(w, r)
	})
	overHTTP1(w)
	for path, status := range map[string]string{"early": "413", "killed": "502"} {
		for _, door := range [][]string{
			{"http", "--http1.1", "-x", "http://" + w.addr},
			{"https", "--http1.1", "-x", "http://" + w.addr},
			{"http", "--http1.1", "-x", "https://" + w.secureDoor(t)},
			{"https", "--http2", "-x", "http://" + w.addr},
		} {
			for _, still := range []bool{false, true} {
				t.Run(fmt.Sprint(path, door[0], door[1], still), func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
					defer cancel()
					c := exec.CommandContext(ctx, curl, append(door[1:], "-sk", "--proxy-insecure", "-o", "/dev/null", "-w", "%{http_code}", "-T", ".", door[0]+"://opened.net/"+path)...)
					up, err := c.StdinPipe()
					if err != nil {
						t.Fatal(err)
					}
					sent := make(chan struct{})
					go func() {
						defer close(sent)
						_, err := up.Write(make([]byte, 200<<10))
						for err == nil && !still {
							_, err = up.Write(make([]byte, 64<<10))
						}
					}()
					out, err := c.Output()
					_ = up.Close()
					await(t, sent)
					if string(out) != status || ctx.Err() != nil {
						t.Errorf("got %s, %v", out, err)
					}
				})
			}
		}
	}
	w.eventually(t, "the slots", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
}
