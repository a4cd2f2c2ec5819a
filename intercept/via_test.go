package intercept_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// RFC 9110, section 7.6.3: each proxy adds the protocol that it was spoken to in, and its name, behind those of others.
func TestVia_isAddedToRequests(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			vias := make(chan []string, 8)
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				vias <- r.Header["Via"]
				jsonAnswer(suggest("", "imap.lab.test"))(w, r)
			})
			version := map[bool]string{true: "2.0", false: "1.1"}[door.name == "connect-h2"]
			own := regexp.MustCompile(`^` + version + ` autodiscover-guard-[0-9a-f]{8}$`)
			for name, r := range map[string]*http.Request{
				"no discovery":  request(t, http.MethodGet, door.scheme+"://opened.net/", ""),
				"passed whole":  poxAsk(t, door.scheme+"://"+labHost+poxPath, "user@lab.test"),
				"scrubbed":      ask(t, door.scheme, "user@lab.test"),
				"nobody's rule": ask(t, door.scheme, "user@corp-mail.net"),
			} {
				got := send(t, door.client(w), r)
				if via := await(t, vias); len(via) != 1 || !own.MatchString(via[0]) {
					t.Errorf("%s: upstream got Via %q", name, via)
				}
				if got.Header["Via"] != nil {
					t.Errorf("%s: the answer has a Via that upstream did not send: %q", name, got.Header["Via"])
				}
			}
			r := request(t, http.MethodGet, door.scheme+"://opened.net/", "")
			r.Header["Via"] = []string{"1.0 fred, 1.1 nowhere.com (Apache/1.1)"}
			send(t, door.client(w), r)
			if via := await(t, vias); len(via) != 2 || via[0] != "1.0 fred, 1.1 nowhere.com (Apache/1.1)" || !own.MatchString(via[1]) {
				t.Errorf("upstream got Via %q", via)
			}
		})
	}
}

func TestVia_aRequestThatComesBackIsRefused(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			vias := make(chan string, 8)
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				vias <- r.Header.Get("Via")
				jsonAnswer("{}")(w, r)
			})
			send(t, door.client(w), request(t, http.MethodGet, door.scheme+"://opened.net/", ""))
			_, name, _ := strings.Cut(await(t, vias), " ")
			for _, via := range []string{"1.1 " + name, "1.0 other, 1.1 " + strings.ToUpper(name) + " (comment), 2 another"} {
				r := request(t, http.MethodGet, door.scheme+"://opened.net/", "")
				r.Header.Set("Via", via)
				got := send(t, door.client(w), r)
				if got.StatusCode != http.StatusLoopDetected || !strings.Contains(got.body, "has been here before") ||
					got.Header.Get("Proxy-Status") != name+"; error=proxy_loop_detected" {
					t.Errorf("Via %q: got %d %q %v", via, got.StatusCode, got.body, got.Header)
				}
			}
			r := request(t, http.MethodGet, door.scheme+"://opened.net/", "")
			r.Header.Set("Via", "1.1 autodiscover-guard-00000000") // a guard before us, but another one
			if got := send(t, door.client(w), r); got.StatusCode != http.StatusOK {
				t.Errorf("another guard's Via: got %d %q", got.StatusCode, got.body)
			}
			if told := w.told("loop refused"); told["host"] != "opened.net" || told["client"] != "127.0.0.1" {
				t.Errorf("got line %v", told)
			}
			if n := w.plugin.Stats().RefusedLoops; n != 2 {
				t.Errorf("counted %d loops, want 2", n)
			}
		})
	}
}

// The guard's own address, under whatever name, is not dialled: not even where the operator allows private addresses or names it.
func TestLoop_ownAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	w := newWorld(t, jsonAnswer(""), resolve("me.net", l.Addr().String()),
		timeouts(func(u *intercept.UpstreamConfig) { u.Private = intercept.AllowPrivate() }))
	w.plugin.Listening(l.Addr())
	_, served, _ := net.SplitHostPort(w.addr) // learned from the connections that came there
	for _, target := range []string{"127.0.0.1:" + port, "localhost:" + port, "[::ffff:127.0.0.1]:" + port, "me.net:443", "0.0.0.0:" + port, "localhost:" + served} {
		_, err := w.connect(target)
		if err == nil || !strings.Contains(err.Error(), "508 Loop Detected: autodiscover-guard: ") || !strings.Contains(err.Error(), "is this proxy itself (loop)") {
			t.Errorf("CONNECT %s: got %v", target, err)
		}
		got := send(t, w.client(false), request(t, http.MethodGet, "http://"+strings.TrimSuffix(target, ":443")+"/", ""))
		if got.StatusCode != http.StatusLoopDetected || !strings.Contains(got.body, "is this proxy itself (loop)") {
			t.Errorf("GET %s: got %d %q", target, got.StatusCode, got.body)
		}
	}
	guarded := send(t, w.client(false), poxAsk(t, "http://127.0.0.1:"+port+poxPath, "user@lab.test"))
	if guarded.StatusCode != http.StatusNotFound || guarded.body != "not found\n" {
		t.Errorf("guarded: got %d %q, want that there is nothing here", guarded.StatusCode, guarded.body)
	}
	if u := w.decision(1)["upstream"].(map[string]any); u["error"] != "loop" {
		t.Errorf("got upstream %v", u)
	}
	w.told("loop refused")
}

// A port that is forwarded to the guard, as a container's is, is not known to lead there. What comes back says it.
func TestLoop_throughForwardedPort(t *testing.T) {
	var there atomic.Value
	other := listen(t, func(c net.Conn) { relay(c, there.Load().(string)) })
	w := newWorld(t, jsonAnswer(""), timeouts(func(u *intercept.UpstreamConfig) { u.Resolve, u.Proxy = nil, "http://"+other }))
	there.Store(w.addr)
	got := send(t, w.client(false), request(t, http.MethodGet, "http://opened.net/", ""))
	if got.StatusCode != http.StatusLoopDetected || !strings.Contains(got.body, "has been here before") {
		t.Errorf("plain: got %d %q", got.StatusCode, got.body)
	}
	got = send(t, w.client(false), request(t, http.MethodGet, "https://opened.net/", ""))
	if got.StatusCode != http.StatusLoopDetected || got.body != "autodiscover-guard: opened.net cannot be reached: the upstream proxy leads back here (loop).\n" {
		t.Errorf("opened: got %d %q", got.StatusCode, got.body)
	}
	if _, err := w.connect(bank + ":443"); err == nil || !strings.Contains(err.Error(), "508 Loop Detected: autodiscover-guard: "+bank+" cannot be reached: the upstream proxy leads back here (loop).") {
		t.Errorf("tunnel: got %v", err)
	}
}

// As the system's proxy, the guard finds itself in the environment; where it is told to follow it, it notices.
func TestLoop_environmentPointsAtUs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, "http://"+l.Addr().String())
	}
	w := newWorld(t, jsonAnswer(""), timeouts(func(u *intercept.UpstreamConfig) { u.Resolve, u.Proxy = nil, "env" }))
	w.plugin.Listening(l.Addr())
	for _, scheme := range []string{"http", "https"} {
		got := send(t, w.client(false), request(t, http.MethodGet, scheme+"://opened.net/", ""))
		if want := "autodiscover-guard: opened.net cannot be reached: the upstream proxy is this proxy itself (loop).\n"; got.StatusCode != http.StatusLoopDetected || got.body != want {
			t.Errorf("%s: got %d %q", scheme, got.StatusCode, got.body)
		}
	}
	if _, err := w.connect(bank + ":443"); err == nil || !strings.Contains(err.Error(), "508 Loop Detected") {
		t.Errorf("tunnel: got %v", err)
	}
}

func TestVia_installedElsewhere(t *testing.T) {
	vias := make(chan string, 2)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		vias <- r.Header.Get("Via")
		jsonAnswer("{}")(w, r)
	})
	client := through(t, foreignProxy(w))
	send(t, client, request(t, http.MethodGet, "http://opened.net/", ""))
	r := request(t, http.MethodGet, "http://opened.net/", "")
	r.Header.Set("Via", await(t, vias))
	if got := send(t, client, r); got.StatusCode != http.StatusLoopDetected {
		t.Errorf("got %d %q", got.StatusCode, got.body)
	}
}

// relay connects c with an address, in both directions.
func relay(c net.Conn, to string) {
	there, err := dial(to)
	if err != nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(there, c)
		_ = there.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(c, there)
	_ = c.Close()
	<-done
	_ = there.Close()
}

// Two guards that name each other as the proxy behind them are a circle in which every tunnel would make the next one. The first that comes back is
// refused, at every door.
func TestLoop_throughAnotherGuard(t *testing.T) {
	var start atomic.Value
	var came atomic.Int64
	back := listen(t, func(c net.Conn) { came.Add(1); relay(c, start.Load().(string)) })
	behind := func(proxy string) option {
		return timeouts(func(u *intercept.UpstreamConfig) {
			u.Resolve, u.Proxy, u.Private = map[string]string{}, "http://"+proxy, intercept.AllowPrivate()
		})
	}
	few := limits(intercept.Limits{PerClient: 30}) // where nothing else stops it
	other := newWorld(t, jsonAnswer(""), few, behind(back), governed(policyOf(t)))
	w := newLAN(t, jsonAnswer(""), few, behind(other.addr))
	start.Store(w.world.addr)
	const text = " cannot be reached: the upstream proxy leads back here (loop)."
	for n, way := range []struct {
		name string
		ask  func() string
		want string
	}{
		{"tunnel", func() string { _, err := w.connect(bank + ":443"); return err.Error() }, "508 Loop Detected: autodiscover-guard: " + bank + text},
		{"tunnel in HTTP/2", func() string {
			_, err := connectStream(t, w.h2(t, w.secureDoor(t)), bank+":443")
			return err.Error()
		}, "508 Loop Detected: autodiscover-guard: " + bank + text},
		{"opened", func() string {
			return send(t, w.client(true), request(t, http.MethodGet, "https://opened.net/", "")).body
		}, "opened.net" + text},
		{"plain", func() string {
			return send(t, w.client(false), request(t, http.MethodGet, "http://opened.net/", "")).body
		}, "has been here before"},
		{"transparent", func() string {
			c := w.dial(t, "192.0.2.77:25")
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			said, err := io.ReadAll(c)
			return fmt.Sprintf("%q, %v", said, err)
		}, `"", <nil>`},
	} {
		if got := way.ask(); !strings.Contains(got, way.want) {
			t.Errorf("%s: got %q, want %q", way.name, got, way.want)
		}
		here, there := w.plugin.Stats(), other.plugin.Stats()
		if want := int64(n + 1); here.RefusedLoops != want || came.Load() != want {
			t.Errorf("%s: %d came back, and %d were refused, want %d", way.name, came.Load(), here.RefusedLoops, want)
		}
		if here.UpstreamErrors["proxy"]+there.UpstreamErrors["proxy"]+here.RefusedPerClient+there.RefusedPerClient != 0 {
			t.Errorf("%s: got %+v and %+v", way.name, here, there)
		}
	}
}

// A parent proxy is told by whom a tunnel has come, whatever it is made for.
func TestVia_goesOnWithTunnels(t *testing.T) {
	vias := make(chan []string, 1)
	parent := listen(t, func(c net.Conn) {
		if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			vias <- r.Header["Via"]
			_, _ = io.WriteString(c, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
		}
	})
	w := newWorld(t, jsonAnswer(""), timeouts(func(u *intercept.UpstreamConfig) { u.Resolve, u.Proxy = nil, "http://"+parent }))
	const before = "1.0 fred, 1.1 nowhere.com (Apache/1.1)"
	for name, ask := range map[string]func(via string){
		"1.1 tunnel": func(via string) { w.raw(t, "CONNECT "+bank+":443 HTTP/1.1\r\nHost: "+bank+":443\r\n"+via+"\r\n") },
		"1.0 tunnel": func(via string) { w.raw(t, "CONNECT "+bank+":443 HTTP/1.0\r\n"+via+"\r\n") },
		"1.1 opened": func(via string) {
			r := request(t, http.MethodGet, "https://opened.net/", "")
			if via != "" {
				r.Header.Set("Via", before)
			}
			send(t, w.client(false), r)
		},
	} {
		own := regexp.MustCompile(`^` + name[:3] + ` autodiscover-guard-[0-9a-f]{8}$`)
		ask("")
		if got := await(t, vias); len(got) != 1 || !own.MatchString(got[0]) {
			t.Errorf("%s: the proxy got %q", name, got)
		}
		ask("Via: " + before + "\r\n")
		if got := await(t, vias); len(got) != 2 || got[0] != before || !own.MatchString(got[1]) {
			t.Errorf("%s: the proxy got %q", name, got)
		}
	}
}

// A Via that is longer than any way is not carried on.
func TestVia_longerThanAnyWay(t *testing.T) {
	s := &spy{next: jsonAnswer("{}")}
	w := newWorld(t, s.handle)
	for n, text := range []string{"GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n", "CONNECT " + bank + ":443 HTTP/1.1\r\nHost: " + bank + ":443\r\n"} {
		method, _, _ := strings.Cut(text, " ")
		got := answer(t, w.says(t, text+strings.Repeat("Via: 1.1 one.of.the.many.proxies.in.a.circle\r\n", 300)+"\r\n"), method)
		if got.StatusCode != http.StatusLoopDetected || !strings.Contains(got.body, "come by more proxies than can be meant") || s.asked.Load() != 0 {
			t.Errorf("%s: got %d %q", text, got.StatusCode, got.body)
		}
		if loops := w.plugin.Stats().RefusedLoops; loops != int64(n+1) {
			t.Errorf("%s: counted %d loops", text, loops)
		}
	}
	r := request(t, http.MethodGet, "http://opened.net/", "")
	r.Header["Via"] = slices.Repeat([]string{"1.1 a.long.way"}, 100)
	if got := send(t, w.client(false), r); got.StatusCode != http.StatusOK {
		t.Errorf("a hundred proxies: got %d %q", got.StatusCode, got.body)
	}
}
