package intercept_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// pollWays are the ways in for requests in HTTP/1.1 to opened.net, by a target.
func pollWays(t *testing.T, w *world) map[string]func() (net.Conn, string, error) {
	t.Helper()
	secure := w.secureDoor(t)
	return map[string]func() (net.Conn, string, error){
		"plain": func() (net.Conn, string, error) { return w.hold(t), "http://opened.net", nil },
		"plain over TLS": func() (net.Conn, string, error) {
			c, err := dialTLS(secure, &tls.Config{ServerName: "proxy.test", RootCAs: w.web.roots()})
			return c, "http://opened.net", err
		},
		"port 80": func() (net.Conn, string, error) { c, err := w.connect("opened.net:80"); return c, "", err },
		"opened": func() (net.Conn, string, error) {
			c, err := w.tls("opened.net:443", clientFor("opened.net"))
			return c, "", err
		},
	}
}

// A client that has said something behind its request and leaves is missed all the same: what was asked upstream for it ends.
func TestDeparture_behindMoreBytes(t *testing.T) {
	const next = "GET %/next HTTP/1.1\r\nHost: opened.net\r\n\r\n"
	for name, more := range map[string][]string{
		"a byte with the request":    {"G"},
		"a byte with it and another": {"G", "E"},
		"an upgrade with a body":     {"", "\r\n"},
		"an empty line behind it":    {"", "\r\n"},
		"half a request, in pieces":  {"", "G", "ET %/next HTTP/1.1\r\nHo", "st: op"},
		"a whole request":            {"", next}, // and a reset
		"what can be read twice":     {"", "GET %/next HTTP/1.1\nHost: opened.net\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			asked, left := make(chan string, 1), make(chan struct{}, 1)
			w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // net/http notices a departure only then
				asked <- r.URL.Path
				<-r.Context().Done()
				left <- struct{}{}
			})
			for way, dial := range pollWays(t, w) {
				c, at, err := dial()
				if err != nil {
					t.Fatal(way, err)
				}
				end := "\r\n"
				if name == "an upgrade with a body" {
					end = "Upgrade: h2c\r\nContent-Length: 1\r\n\r\nx"
				}
				_, _ = io.WriteString(c, "GET "+at+"/poll HTTP/1.1\r\nHost: opened.net\r\n"+end+more[0])
				await(t, asked)
				for _, piece := range more[1:] {
					_, _ = io.WriteString(c, strings.ReplaceAll(piece, "%", at))
				}
				if name == "a whole request" {
					resetting(c)
				}
				_ = c.Close()
				await(t, left)
				select {
				case path := <-asked:
					t.Errorf("%s: upstream was asked for %s", way, path)
				default:
				}
			}
		})
	}
}

// What net/http reads into its last byte of room while a request comes is not what it listens with while it answers one: the rest of the request is not held back.
func TestDeparture_notInARequestsLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, jsonAnswer("{}"), func(_ *intercept.Config, _ *proxyServer, w *world) { w.headerTimeout = time.Minute })
	for way, dial := range pollWays(t, w) {
		c, at, err := dial()
		if err != nil {
			t.Fatal(way, err)
		}
		if _, ok := c.(*tls.Conn); !ok {
			continue // where nobody knows which bytes come together
		}
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		line := "GET " + at + "/"
		_, _ = io.WriteString(c, line+strings.Repeat("x", 4<<10-1-len(line))) // all but one byte of net/http's buffer
		_, _ = io.WriteString(c, " HTTP/1.1\r\nHost: opened.net\r\n\r\n")
		if got := answer(t, c, http.MethodGet); got.StatusCode != http.StatusOK {
			t.Errorf("%s: got %s %q", way, got.Status, got.body)
		}
		_ = c.Close()
	}
}

// resetting has a connection end with a reset.
func resetting(c net.Conn) {
	switch c := c.(type) {
	case *tls.Conn:
		resetting(c.NetConn())
	case *peeked:
		resetting(c.Conn)
	case *net.TCPConn:
		_ = c.SetLinger(0)
		_ = c.Close()
	}
}

// Requests that come while another is answered wait their turn, whole, with their bodies, however much of them there is. A client that closes its side behind
// them has left only where none of them is whole; to net/http it has when the last begins to be answered.
func TestDeparture_pipelining(t *testing.T) {
	for _, size := range []int{0, 1, 100, 3 << 10, 5 << 10, 40 << 10} {
		closes := size == 0
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			asked, release := make(chan struct{}, 1), make(chan struct{}, 1)
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/poll" {
					asked <- struct{}{}
					select {
					case <-release:
					case <-r.Context().Done():
					}
				}
				n, _ := io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(w, r.URL.Path+" "+strconv.FormatInt(n, 10))
			})
			for way, dial := range pollWays(t, w) {
				c, at, err := dial()
				if err != nil {
					t.Fatal(way, err)
				}
				_, _ = io.WriteString(c, "GET "+at+"/poll HTTP/1.1\r\nHost: opened.net\r\n\r\n")
				await(t, asked)
				text := "POST " + at + "/second HTTP/1.1\r\nHost: opened.net\r\nContent-Length: " + strconv.Itoa(size) + "\r\n\r\n" + strings.Repeat("x", size) +
					"GET " + at + "/third HTTP/1.1\r\nHost: opened.net\r\n\r\n"
				for _, piece := range []string{text[:1], text[1:40], text[40:]} {
					_, _ = io.WriteString(c, piece)
				}
				wants := []string{"/poll 0", "/second " + strconv.Itoa(size), "/third 0"}
				if half, ok := c.(interface{ CloseWrite() error }); ok && closes {
					_ = half.CloseWrite()
					wants = wants[:1]
				}
				release <- struct{}{}
				r := bufio.NewReader(c)
				for _, want := range wants {
					resp, err := http.ReadResponse(r, nil)
					if err != nil {
						t.Fatal(way, want, err)
					}
					if got, err := io.ReadAll(resp.Body); string(got) != want || err != nil {
						t.Errorf("%s: got %q, %v, want %q", way, got, err, want)
					}
				}
				_ = c.Close()
			}
		})
	}
}

// A tunnel whose CONNECT and first bytes come while another request is answered begins with those bytes.
func TestDeparture_aTunnelWaitsItsTurn(t *testing.T) {
	echo := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	asked, release := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		_, _ = io.WriteString(w, "news")
	}, resolve(bank+":25", echo))
	for _, first := range []int{1, 600, 3900, 20000} {
		for _, host := range []string{bank + ":25", "opened.net:80"} {
			c := w.hold(t)
			_, _ = io.WriteString(c, "GET http://opened.net/poll HTTP/1.1\r\nHost: opened.net\r\n\r\n")
			await(t, asked)
			early := strings.Repeat("e", first)
			if host != bank+":25" {
				early = "GET /" + early + " HTTP/1.1\r\nHost: opened.net\r\n\r\n"
			}
			_, _ = io.WriteString(c, "CONNECT "+host+" HTTP/1.1\r\nHost: "+host+"\r\n\r\n"+early)
			release <- struct{}{}
			r := bufio.NewReader(c)
			for _, method := range []string{http.MethodGet, http.MethodConnect} {
				resp, err := http.ReadResponse(r, &http.Request{Method: method})
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Fatal(host, first, method, err)
				}
				if method == http.MethodGet {
					_, _ = io.Copy(io.Discard, resp.Body)
				}
			}
			if host != bank+":25" {
				await(t, asked)
				release <- struct{}{}
				early = "HTTP/1.1 200 OK"
			}
			got := make([]byte, len(early))
			if _, err := io.ReadFull(r, got); err != nil || string(got) != early {
				t.Errorf("%s, %d: got %q, %v", host, first, got, err)
			}
			_ = c.Close()
		}
	}
}
