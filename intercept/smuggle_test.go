package intercept_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2/hpack"

	"autodiscover-guard/intercept"
)

// ambiguous are requests that two readers may take for different ones. HOST stands for the host, FORM for what comes before the path.
var ambiguous = map[string]string{
	"Content-Length and chunked":        "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
	"chunked and Content-Length":        "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG",
	"two lengths":                       "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
	"the same length twice":             "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
	"a list of lengths":                 "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1, 1\r\n\r\nx",
	"a negative length":                 "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nContent-Length: -1\r\n\r\n",
	"a length with a plus":              "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nContent-Length: +1\r\n\r\nx",
	"a hexadecimal length":              "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0x1\r\n\r\nx",
	"an empty length":                   "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nContent-Length:\r\n\r\nx",
	"a length beyond numbers":           "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nContent-Length: 99999999999999999999\r\n\r\nx",
	"an unknown coding":                 "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
	"two codings":                       "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	"chunked twice":                     "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"chunked in HTTP/1.0":               "POST FORM/ HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"a vertical tab before chunked":     "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
	"space before the colon":            "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
	"space before Host's colon":         "GET FORM/ HTTP/1.1\r\nHost : HOST\r\n\r\n",
	"a folded line":                     "GET FORM/ HTTP/1.1\r\nHost: HOST\r\nX-A: b\r\n c: d\r\n\r\n",
	"a fold with a tab":                 "GET FORM/ HTTP/1.1\r\nHost: HOST\r\nX-A: b\r\n\tc: d\r\n\r\n",
	"a fold in the first line":          "GET FORM/ HTTP/1.1\r\n Host: other.net\r\nHost: HOST\r\n\r\n",
	"bare LF after the request line":    "GET FORM/ HTTP/1.1\nHost: HOST\r\n\r\n",
	"bare LF after a field":             "GET FORM/ HTTP/1.1\r\nHost: HOST\nX-A: b\r\n\r\n",
	"bare LF at the end":                "GET FORM/ HTTP/1.1\r\nHost: HOST\r\n\n",
	"bare LF everywhere":                "GET FORM/ HTTP/1.1\nHost: HOST\n\n",
	"bare CR in a field":                "GET FORM/ HTTP/1.1\r\nHost: HOST\r\nX-A: b\rX-B: c\r\n\r\n",
	"NUL in a field":                    "GET FORM/ HTTP/1.1\r\nHost: HOST\r\nX-A: b\x00c\r\n\r\n",
	"two Hosts":                         "GET FORM/ HTTP/1.1\r\nHost: HOST\r\nHost: other.net\r\n\r\n",
	"the same Host twice":               "GET FORM/ HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n",
	"no Host":                           "GET FORM/ HTTP/1.1\r\n\r\n",
	"Host names a user":                 "GET FORM/ HTTP/1.1\r\nHost: user@HOST\r\n\r\n",
	"Host is another's":                 "GET FORM/ HTTP/1.1\r\nHost: other.net\r\n\r\n",
	"absolute form is another's":        "GET http://other.net/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
	"no colon":                          "GET FORM/ HTTP/1.1\r\nHost: HOST\r\nX-A\r\n\r\n",
	"an empty name":                     "GET FORM/ HTTP/1.1\r\nHost: HOST\r\n: x\r\n\r\n",
	"a name with a space":               "GET FORM/ HTTP/1.1\r\nHost: HOST\r\nX A: b\r\n\r\n",
	"two spaces in the request line":    "GET  FORM/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
	"a fourth word in the line":         "GET FORM/ x HTTP/1.1\r\nHost: HOST\r\n\r\n",
	"a tab in the request line":         "GET\tFORM/\tHTTP/1.1\r\nHost: HOST\r\n\r\n",
	"a version that is none":            "GET FORM/ HTTP/1.10\r\nHost: HOST\r\n\r\n",
	"HTTP/0.9":                          "GET FORM/\r\nHost: HOST\r\n\r\n",
	"a chunk length with a sign":        "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
	"a chunk length with 0x":            "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
	"a chunk that ends in LF":           "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n",
	"a chunk longer than it says":       "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n",
	"a chunk extension that ends in LF": "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n",
	"a chunk length beyond numbers":     "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx\r\n0\r\n\r\n",
	"a body that is a request":          "POST FORM/ HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0, 44\r\n\r\nGET FORM/hidden HTTP/1.1\r\nHost: HOST\r\n\r\n",
}

// Nothing ambiguous is forwarded, at any door; it is answered 400, or 421 where it is clear but for somebody else, and the connection ends:
// nobody knows where the next request on it begins.
func TestSmuggling_isRefused(t *testing.T) {
	t.Parallel()
	doors := map[string]struct {
		form string
		dial func(*world) (net.Conn, error)
	}{
		"explicit": {"http://opened.net", func(w *world) (net.Conn, error) { return dial(w.addr) }},
		"opened":   {"", func(w *world) (net.Conn, error) { return w.tls("opened.net:443", clientFor("opened.net")) }},
		"port 80":  {"", func(w *world) (net.Conn, error) { return w.connect("opened.net:80") }},
		"secure": {"http://opened.net", func(w *world) (net.Conn, error) {
			return dialTLS(w.secureDoor(t), &tls.Config{ServerName: "proxy.test", RootCAs: w.web.roots()})
		}},
	}
	for name, door := range doors {
		var seen sync.Map // paths that upstream was asked for
		w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
			seen.Store(r.URL.Path, true)
			_, _ = io.Copy(io.Discard, r.Body)
		}, limits(intercept.Limits{Header: 2 * time.Second, Idle: time.Second}))
		n := 0
		for what, text := range ambiguous {
			n++
			path := fmt.Sprintf("/case%d", n)
			if door.form != "" && what == "absolute form is another's" {
				text = "GET FORM/ HTTP/1.1\r\nHost: other.net\r\n\r\n"
			}
			t.Run(name+"/"+what, func(t *testing.T) {
				c, err := door.dial(w)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				text := strings.NewReplacer("FORM/", door.form+path, "HOST", "opened.net").Replace(text)
				if !strings.Contains(what, "another's") { // is clear, and leaves the connection as it was
					text += "GET " + door.form + "/next HTTP/1.1\r\nHost: opened.net\r\n\r\n"
				}
				_, _ = io.WriteString(c, text)
				_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
				all, _ := io.ReadAll(c)
				status, _, _ := strings.Cut(strings.TrimPrefix(string(all), "HTTP/1.1 "), " ")
				body := strings.Contains(what, "a chunk ") // found out when the rest is on its way
				if status != "400" && status != "421" && (status != "502" || !body) {
					t.Errorf("got %.60q, want 400 or 421", all)
				}
				if _, asked := seen.Load(path); asked && !body {
					t.Error("upstream was asked")
				}
			})
		}
		if _, asked := seen.Load("/next"); asked {
			t.Errorf("%s: what stood behind an ambiguous request was forwarded", name)
		}
		if counted := w.plugin.Stats().RefusedAmbiguous; counted == 0 {
			t.Errorf("%s: nothing was counted", name)
		}
	}
}

// What can be read in one way only passes, however it is cut into pieces.
func TestSmuggling_whatIsClearPasses(t *testing.T) {
	for what, text := range map[string]string{
		"a length":         "POST http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\nContent-Length: 3\r\n\r\na\nb",
		"no length":        "POST http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n\r\n",
		"chunks":           "POST http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\na\n\r\n1 \r\nb\r\n0\r\nX-T: v\r\n\r\n",
		"odd but allowed":  "POST http://opened.net:80/?a=//b HTTP/1.1\r\nhost:opened.net\r\nX_!#$%&'*+-.^|~:\t v \t\r\nX-Empty:\r\nContent-Length: 03\r\n\r\na\nb",
		"Upgrade, unasked": "POST http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\na\nb",
	} {
		t.Run(what, func(t *testing.T) {
			got := make(chan string, 8)
			w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got <- string(body)
			})
			want := "a\nb"
			if what == "no length" {
				want = ""
			}
			c := w.hold(t)
			_, _ = io.WriteString(c, text+text)
			_, _ = io.WriteString(dribbling{c}, text)
			for range 3 {
				if resp := answer(t, c, http.MethodPost); resp.StatusCode != 200 {
					t.Fatalf("got %s %q", resp.Status, resp.body)
				}
				if body := await(t, got); body != want {
					t.Errorf("upstream got %q, want %q", body, want)
				}
			}
		})
	}
}

// smuggled is what would be forwarded behind a refused request if nobody looked at it.
const smuggled = "GET FORM/hidden HTTP/1.1\nHost: opened.net\n\n"

// Behind a request that could turn the connection into something else nobody looks at what follows. So where it does not, the answer is the last one.
func TestSmuggling_behindWhatMayTurn(t *testing.T) {
	s := &spy{next: jsonAnswer("{}")}
	w := newWorld(t, s.handle, limits(intercept.Limits{Header: 2 * time.Second, Idle: time.Second}))
	guarded := newWorld(t, s.handle, limits(intercept.Limits{Header: 2 * time.Second, Idle: time.Second}),
		func(c *intercept.Config, _ *proxyServer, _ *world) { c.Login = oneLogin{"desk", "s3same:x"} })
	for name, c := range map[string]struct {
		dial   func() (net.Conn, error)
		form   string
		text   string
		status string
		asked  int64
	}{
		"Upgrade, plain":      {func() (net.Conn, error) { return dial(w.addr) }, "http://opened.net", "GET FORM/ HTTP/1.1\r\nHost: opened.net\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "200", 1},
		"Upgrade, opened":     {func() (net.Conn, error) { return w.tls("opened.net:443", clientFor("opened.net")) }, "", "GET / HTTP/1.1\r\nHost: opened.net\r\nUpgrade: h2c\r\n\r\n", "200", 1},
		"Upgrade, misled":     {func() (net.Conn, error) { return w.tls("opened.net:443", clientFor("opened.net")) }, "", "GET / HTTP/1.1\r\nHost: other.net\r\nUpgrade: h2c\r\n\r\n", "421", 0},
		"CONNECT, opened":     {func() (net.Conn, error) { return w.tls("opened.net:443", clientFor("opened.net")) }, "", "CONNECT opened.net:443 HTTP/1.1\r\nHost: opened.net:443\r\n\r\n", "405", 0},
		"CONNECT, no log-in":  {func() (net.Conn, error) { return dial(guarded.addr) }, "http://opened.net", "CONNECT opened.net:443 HTTP/1.1\r\nHost: opened.net:443\r\n\r\n", "407", 0},
		"CONNECT, with query": {func() (net.Conn, error) { return dial(w.addr) }, "http://opened.net", "CONNECT opened.net:443?q HTTP/1.1\r\nHost: opened.net:443\r\n\r\n", "400", 0},
		"HTTP/2's preface":    {func() (net.Conn, error) { return dial(w.addr) }, "http://opened.net", "PRI * HTTP/2.0\r\n\r\n", "400", 0},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.asked.Load()
			conn, err := c.dial()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, strings.ReplaceAll(c.text+smuggled, "FORM", c.form))
			all, _ := io.ReadAll(conn)
			if !strings.HasPrefix(string(all), "HTTP/1.1 "+c.status+" ") || strings.Count(string(all), "HTTP/1.1 ") != 1 {
				t.Errorf("got %q, want one answer, %s", all, c.status)
			}
			if n := s.asked.Load() - before; n != c.asked {
				t.Errorf("upstream was asked %d times, want %d", n, c.asked)
			}
		})
	}
}

// What is wrong with a request does not cost the one before it its answer, which upstream may have acted on already; and an empty line behind a body is
// nothing.
func TestSmuggling_behindAnExchange(t *testing.T) {
	for name, c := range map[string]struct {
		behind string
		want   []string
	}{
		"an empty line": {"\r\nGET FORM/next HTTP/1.1\r\nHost: opened.net\r\nConnection: close\r\n\r\n", []string{"200", "200"}},
		"bare LF":       {smuggled, []string{"200"}},
		"LF alone":      {"\n", []string{"200"}},
	} {
		for _, form := range []string{"http://opened.net", ""} {
			t.Run(name+" "+form, func(t *testing.T) {
				arrived, release := make(chan struct{}, 2), make(chan struct{}, 2)
				w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					arrived <- struct{}{}
					select {
					case <-release:
					case <-r.Context().Done():
					}
				})
				conn, err := dial(w.addr)
				if form == "" {
					conn, err = w.tls("opened.net:443", clientFor("opened.net"))
				}
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, strings.ReplaceAll("POST FORM/ HTTP/1.1\r\nHost: opened.net\r\nContent-Length: 1\r\n\r\nx"+c.behind, "FORM", form))
				await(t, arrived) // upstream may have acted on it now
				release <- struct{}{}
				release <- struct{}{}
				_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
				all, _ := io.ReadAll(conn)
				var got []string
				for _, answer := range strings.Split(string(all), "HTTP/1.1 ")[1:] {
					got = append(got, answer[:3])
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		}
	}
}

// "OPTIONS *" is answered by net/http, which does not end the connection; so what follows is looked at, whatever it wants to turn into.
func TestSmuggling_behindOptions(t *testing.T) {
	s := &spy{next: jsonAnswer("{}")}
	w := newWorld(t, s.handle)
	conn, err := dial(w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "OPTIONS * HTTP/1.1\r\nHost: opened.net\r\nUpgrade: TLS/1.0\r\n\r\n"+strings.ReplaceAll(smuggled, "FORM", "http://opened.net"))
	all, err := io.ReadAll(conn)
	if n := s.asked.Load(); err != nil || n != 0 || strings.Count(string(all), "HTTP/1.1 200 ") != 1 {
		t.Errorf("got %q (%v), and upstream was asked %d times; want one answer, the connection's end, and nobody asked", all, err, n)
	}
}

// What comes behind it while the one before is still answered is no request, however clear it is.
func TestSmuggling_behindWhatIsNotClear(t *testing.T) {
	for _, form := range []string{"http://opened.net", ""} {
		t.Run(form, func(t *testing.T) {
			arrived, release := make(chan string, 2), make(chan struct{})
			w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
				arrived <- r.URL.Path
				<-release
			})
			conn, err := dial(w.addr)
			if form == "" {
				conn, err = w.tls("opened.net:443", clientFor("opened.net"))
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			say := func(text string) { _, _ = io.WriteString(conn, strings.ReplaceAll(text, "FORM", form)) }
			say("GET FORM/ HTTP/1.1\r\nHost: opened.net\r\n\r\n")
			await(t, arrived)
			say("G")
			say(smuggled[1:])
			w.eventually(t, "what is not clear", func(s intercept.Stats) bool { return s.RefusedAmbiguous == 1 })
			say("GET FORM/clear HTTP/1.1\r\nHost: opened.net\r\nConnection: close\r\n\r\n")
			close(release)
			_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			if all, _ := io.ReadAll(conn); !strings.HasPrefix(string(all), "HTTP/1.1 200 ") || strings.Count(string(all), "HTTP/1.1 ") != 1 {
				t.Errorf("got %q, want one answer", all)
			}
			select {
			case path := <-arrived:
				t.Errorf("upstream was asked for %s", path)
			default:
			}
		})
	}
}

// HTTP/2 has its :authority; a Host beside it that says something else is as ambiguous as two of them.
func TestSmuggling_hostBesideAuthority(t *testing.T) {
	s := &spy{next: jsonAnswer("{}")}
	w := newWorld(t, s.handle)
	for name, c := range map[string]struct {
		fields []hpack.HeaderField
		status string
	}{
		"the same":                {[]hpack.HeaderField{{Name: ":authority", Value: "opened.net"}, {Name: "host", Value: "opened.net:443"}}, "200"},
		"another":                 {[]hpack.HeaderField{{Name: ":authority", Value: "opened.net"}, {Name: "host", Value: "other.net"}}, "421"},
		"no authority, two hosts": {[]hpack.HeaderField{{Name: "host", Value: "opened.net"}, {Name: "host", Value: "other.net"}}, "421"},
		"no host at all in it":    {[]hpack.HeaderField{{Name: ":authority", Value: "opened.net"}, {Name: "host", Value: "user@opened.net"}}, "400"},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.asked.Load()
			config := clientFor("opened.net")
			config.NextProtos = []string{"h2"}
			conn, err := w.tls("opened.net:443", config)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fields := append([]hpack.HeaderField{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":path", Value: "/"}}, c.fields...)
			if got := rawHTTP2(t, conn, fields...); got != c.status {
				t.Errorf("got %s, want %s", got, c.status)
			}
			if asked := s.asked.Load() - before; (asked == 1) != (c.status == "200") {
				t.Errorf("upstream was asked %d times", asked)
			}
		})
	}
}

// CONNECT names its target twice. Clients that leave the port out of Host, or Host, as lftp and Links do, are not in two minds.
func TestSmuggling_connect(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"))
	for host, want := range map[string]string{
		"Host: opened.net:443\r\n": "200", "Host: opened.net\r\n": "200", "Host: OPENED.net.\r\n": "200", "Host:\r\n": "200",
		"Host: other.net:443\r\n": "400", "Host: opened.net:80\r\n": "400", "Host: user@opened.net\r\n": "400", "": "200",
	} {
		c := w.hold(t)
		_, _ = io.WriteString(c, "CONNECT opened.net:443 HTTP/1.1\r\n"+host+"\r\n")
		if got := answer(t, c, http.MethodConnect); !strings.HasPrefix(got.Status, want) {
			t.Errorf("%q: got %s, want %s", host, got.Status, want)
		}
	}
	c := w.hold(t)
	_, _ = io.WriteString(c, "CONNECT opened.net:443 HTTP/1.0\r\n\r\n")
	if got := answer(t, c, http.MethodConnect); got.StatusCode != http.StatusOK {
		t.Errorf("HTTP/1.0 without Host: got %s", got.Status)
	}
}
