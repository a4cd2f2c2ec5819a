package intercept_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"autodiscover-guard/intercept"
)

func TestHall_namesTheReasonWhenTheClientDistrustsUs(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"))
	if _, err := w.tls(central+":443", &tls.Config{ServerName: central, RootCAs: w.web.roots()}); err == nil {
		t.Fatal("the handshake succeeded")
	}
	got := w.told("handshake failed")
	if got["host"] != central || got["reason"] != "the client does not trust the authority" {
		t.Errorf("got %v", got)
	}
}

func TestHall_refusesAnotherNameInTheHandshake(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"))
	_, err := w.tls(central+":443", clientFor(docHost))
	if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("got %v, want the alert unrecognized_name", err)
	}
}

func TestHall_refusesWhatTheAuthorityDoesNotSignFor(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"), func(_ *intercept.Config, _ *proxyServer, w *world) { w.issuer.scope = "microsoft" })
	if _, err := w.tls(central+":443", clientFor(central)); err != nil {
		t.Errorf("in scope: %v", err)
	}
	if _, err := w.tls(docHost+":443", clientFor(docHost)); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("got %v, want the alert unrecognized_name", err)
	}
	if got := w.told("handshake refused"); got["host"] != docHost {
		t.Errorf("got %v", got)
	}
}

func TestHall_signsForTheTargetWhereTheClientNamesNobody(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"))
	c, err := w.tls(central+":443", &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	if names := c.ConnectionState().PeerCertificates[0].DNSNames; len(names) != 1 || names[0] != central {
		t.Errorf("got a certificate for %v", names)
	}
}

func TestHall_resumesSessions(t *testing.T) {
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, jsonAnswer("{}"))
			config := clientFor(central)
			config.MaxVersion = version
			config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
			for i := range 2 {
				c, err := w.tls(central+":443", config)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: "+central+"\r\n\r\n")
				answer(t, c, http.MethodGet) // a ticket comes with the first bytes
				if got := c.ConnectionState().DidResume; got != (i == 1) {
					t.Errorf("connection %d: DidResume %v", i, got)
				}
			}
			// A ticket is no pass for another name.
			config.ServerName = docHost
			cache := config.ClientSessionCache
			if session, ok := cache.Get(central); ok {
				cache.Put(docHost, session)
			}
			if _, err := w.tls(central+":443", config); err == nil {
				t.Error("a resumed handshake for another name than the tunnel's succeeded")
			}
		})
	}
}

func TestHall_oldProtocolsAreRefused(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"))
	config := clientFor(central)
	config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, err := w.tls(central+":443", config); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

// curl -0 offers nothing but HTTP/1.0.
func TestHall_clientsThatOfferOldHTTPAlone(t *testing.T) {
	for offer, want := range map[string]string{"http/1.0": "http/1.0", "http/1.0 http/1.1": "http/1.1", "http/1.0 h2": "h2", "": ""} {
		w := newWorld(t, jsonAnswer("{}"))
		config := clientFor("opened.net")
		config.NextProtos = strings.Fields(offer)
		c, err := w.tls("opened.net:443", config)
		if err != nil {
			t.Errorf("%s: %v", offer, err)
			continue
		}
		if got := c.ConnectionState().NegotiatedProtocol; got != want {
			t.Errorf("%s: got %q, want %q", offer, got, want)
		}
		if want == "h2" {
			continue
		}
		_, _ = io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
		if got := answer(t, c, http.MethodGet); got.Proto != "HTTP/1.0" || got.body != "{}" {
			t.Errorf("%s: got %s %s %q", offer, got.Proto, got.Status, got.body)
		}
	}
}

func TestHall_hostMustBeTheTarget(t *testing.T) {
	s := &spy{next: jsonAnswer("{}")}
	w := newWorld(t, s.handle)
	cases := map[string]struct {
		raw  string
		want int
	}{
		"same":                    {"GET / HTTP/1.1\r\nHost: " + central + "\r\n\r\n", 200},
		"case, dot and port":      {"GET / HTTP/1.1\r\nHost: " + strings.ToUpper(central) + ".:443\r\n\r\n", 200},
		"HTTP/1.0 without a Host": {"GET / HTTP/1.0\r\n\r\n", 200},
		"absolute form":           {"GET https://" + central + "/ HTTP/1.1\r\nHost: " + central + "\r\n\r\n", 200},
		"another host":            {"GET / HTTP/1.1\r\nHost: " + bank + "\r\n\r\n", 421},
		"another port":            {"GET / HTTP/1.1\r\nHost: " + central + ":22\r\n\r\n", 421},
		"absolute other host":     {"GET https://" + bank + "/ HTTP/1.1\r\nHost: " + central + "\r\n\r\n", 421},
		"absolute other scheme":   {"GET http://" + central + "/ HTTP/1.1\r\nHost: " + central + "\r\n\r\n", 400},
		"user in Host":            {"GET / HTTP/1.1\r\nHost: " + central + "@" + bank + "\r\n\r\n", 400},
		"user in URL":             {"GET https://a:" + password + "@" + central + "/ HTTP/1.1\r\nHost: " + central + "\r\n\r\n", 400},
		"path in Host":            {"GET / HTTP/1.1\r\nHost: " + central + "/x?\r\n\r\n", 400},
		"CONNECT inside":          {"CONNECT " + bank + ":443 HTTP/1.1\r\nHost: " + bank + ":443\r\n\r\n", 405},
		"two Hosts":               {"GET / HTTP/1.1\r\nHost: " + central + "\r\nHost: " + bank + "\r\n\r\n", 400},
		"OPTIONS *":               {"OPTIONS * HTTP/1.1\r\nHost: " + central + "\r\n\r\n", 200},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			before := s.asked.Load()
			conn, err := w.tls(central+":443", clientFor(central))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(conn, c.raw)
			got := answer(t, conn, http.MethodGet)
			if got.StatusCode != c.want || strings.Contains(got.body, password) {
				t.Errorf("got %d %q, want %d", got.StatusCode, got.body, c.want)
			}
			if asked := s.asked.Load() - before; (asked == 1) != (c.want == 200) {
				t.Errorf("upstream was asked %d times", asked)
			}
		})
	}
}

func TestHall_h2AuthorityMustBeTheTarget(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"))
	r := request(t, http.MethodGet, "https://"+central+"/", "")
	r.Host = bank
	if got := send(t, w.client(true), r); got.StatusCode != http.StatusMisdirectedRequest || got.ProtoMajor != 2 {
		t.Errorf("got %s over %s, want 421 over HTTP/2", got.Status, got.Proto)
	}
}

func TestHall_headerFloodIs431(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"), limits(intercept.Limits{HeaderBytes: 8 << 10}))
	c, err := w.tls(central+":443", clientFor(central))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: "+central+"\r\nX-Flood: "+strings.Repeat("x", 64<<10)+"\r\n\r\n")
	}()
	if got := answer(t, c, http.MethodGet); got.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %s", got.Status)
	}
	if c, err = w.tls(central+":443", &tls.Config{ServerName: central, NextProtos: []string{"h2"}}); err != nil {
		t.Fatal(err)
	}
	fields := []hpack.HeaderField{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: central}, {Name: ":path", Value: "/"}}
	for range 12 {
		fields = append(fields, hpack.HeaderField{Name: "x-flood", Value: strings.Repeat("x", 1000)})
	}
	if got := rawHTTP2(t, c, fields...); got != "431" {
		t.Errorf("HTTP/2: got %s", got)
	}
	_ = c.Close()
	w.eventually(t, "the end", func(s intercept.Stats) bool { return s.Tunnels == 0 }) // net/http lets it go half a second later (server.go: rstAvoidanceDelay)
}

// Clients that say nothing are let go of by the guard's own clock: the reads below return because the guard closes.
func TestHall_silentClientsAreDropped(t *testing.T) {
	short := 50 * time.Millisecond
	opened := func(t *testing.T, w *world) net.Conn {
		c, err := w.tls(central+":443", clientFor(central))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	cases := map[string]struct {
		limits intercept.Limits
		client func(*testing.T, *world) net.Conn
	}{
		"before the handshake": {intercept.Limits{Handshake: short}, func(t *testing.T, w *world) net.Conn {
			c, err := w.connect(central + ":443")
			if err != nil {
				t.Fatal(err)
			}
			return c
		}},
		"before the header": {intercept.Limits{Header: short}, opened},
		"in the header": {intercept.Limits{Header: short}, func(t *testing.T, w *world) net.Conn {
			c := opened(t, w)
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost:")
			return c
		}},
		"in the header, in HTTP/2": {intercept.Limits{Idle: short}, func(t *testing.T, w *world) net.Conn {
			c, err := w.tls(central+":443", &tls.Config{ServerName: central, NextProtos: []string{"h2"}})
			if err != nil {
				t.Fatal(err)
			}
			framer := http2.NewFramer(c, c)
			_, _ = io.WriteString(c, http2.ClientPreface)
			_ = framer.WriteSettings()
			_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}}) // ":method: GET", and more to come
			return c
		}},
		"between requests": {intercept.Limits{Idle: short}, func(t *testing.T, w *world) net.Conn {
			c := opened(t, w)
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: "+central+"\r\n\r\n")
			answer(t, c, http.MethodGet)
			return c
		}},
		"in plain HTTP": {intercept.Limits{Header: short}, func(t *testing.T, w *world) net.Conn {
			c, err := w.connect(central + ":80")
			if err != nil {
				t.Fatal(err)
			}
			return c
		}},
		"in the body": {intercept.Limits{Body: short}, func(t *testing.T, w *world) net.Conn {
			c := opened(t, w)
			_, _ = io.WriteString(c, "POST "+poxPath+" HTTP/1.1\r\nHost: "+central+"\r\nContent-Type: text/xml\r\nContent-Length: 100\r\n\r\n<Auto")
			return c
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, jsonAnswer("{}"), limits(c.limits))
			conn := c.client(t, w)
			if _, err := io.ReadAll(conn); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("got %v, want the guard to end the connection", err)
			}
		})
	}
}
