package intercept_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

func TestTransparent_opensDiscovery(t *testing.T) {
	for name, c := range map[string]struct {
		scheme, port, door string
		h2                 bool
	}{
		"h1": {"https", ":443", "transparent", false}, "h2": {"https", ":443", "transparent", true}, "plain": {"http", ":80", "transparent-plain", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &spy{next: jsonAnswer(suggest("email@example.com", stranger))}
			w := newLAN(t, s.handle, resolve(otherAddr+":443", "127.0.0.1:1"), resolve(otherAddr+":80", "127.0.0.1:1"))
			// The address is a lie, and nobody listens there: the name is what is dialled.
			client := w.transport(t, otherAddr+c.port, c.h2)
			for n := range 2 {
				if got := send(t, client, ask(t, c.scheme, "email@example.com")); got.body != suggest("email@example.com") {
					t.Fatalf("got %d %q", got.StatusCode, got.body)
				}
				record := w.decision(n + 1)
				if record["door"] != c.door || record["action"] != "refuse" || record["client"] != "127.0.0.1" || record["host"] != central {
					t.Errorf("got %v", record)
				}
			}
			if !strings.Contains(s.heard(), "Host: "+central) {
				t.Errorf("upstream got\n%s", s.heard())
			}
			client.CloseIdleConnections()
			w.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
		})
	}
}

// What is not opened goes to the address that the client meant, whatever it calls it, with the same bytes.
func TestTransparent_tunnels(t *testing.T) {
	w := newLAN(t, jsonAnswer("its own"), resolve(bank+":443", "127.0.0.1:1"), resolve("other.net:443", "127.0.0.1:1"))
	for name, config := range map[string]*tls.Config{
		"a name":            {ServerName: bank, RootCAs: w.web.roots()},
		"another name":      {ServerName: "other.net", RootCAs: w.web.roots()},
		"only old versions": {ServerName: bank, RootCAs: w.web.roots(), MaxVersion: tls.VersionTLS12},
		"no name":           {InsecureSkipVerify: true},
		"many protocols":    {ServerName: bank, RootCAs: w.web.roots(), NextProtos: append([]string{"http/1.1"}, strings.Split(strings.Repeat("x-some-long-protocol-name,", 200)+"y", ",")...)},
	} {
		t.Run(name, func(t *testing.T) {
			// Byte by byte: the ClientHello comes in as many pieces as there can be.
			for _, slow := range []bool{false, true} {
				c := w.dial(t, siteAddr+":443")
				if slow && name != "many protocols" {
					_ = c.(*net.TCPConn).SetNoDelay(true)
					c = dribbling{c}
				}
				inner := tls.Client(c, config)
				if err := inner.HandshakeContext(t.Context()); err != nil {
					if name == "no name" && strings.Contains(err.Error(), "remote error") {
						return // the upstream has no certificate without a name, and says so itself
					}
					t.Fatal(err)
				}
				if issuer := inner.ConnectionState().PeerCertificates[0].Issuer.CommonName; config.ServerName != "" && issuer != "web" {
					t.Errorf("got a certificate of %q", issuer)
				}
				_, _ = io.WriteString(inner, "GET / HTTP/1.1\r\nHost: "+bank+"\r\n\r\n")
				if got := answer(t, inner, http.MethodGet); got.body != "its own" {
					t.Errorf("got %q", got.body)
				}
			}
		})
	}
	if w.decisions.Len() != 0 {
		t.Errorf("tunnels were recorded: %v", w.decisions.All())
	}
}

type dribbling struct{ net.Conn }

func (d dribbling) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := d.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// Who stops in the middle of a method's name is tunnelled in the end, and what he says then is read all the same.
func TestTransparent_halfAMethod(t *testing.T) {
	t.Parallel()
	stands := make(chan struct{}, 1)
	site := listen(t, func(c net.Conn) {
		stands <- struct{}{}
		_, _ = io.Copy(c, c)
	})
	w := newLAN(t, jsonAnswer(suggest("email@example.com", stranger)), resolve(siteAddr+":80", site), limits(intercept.Limits{Header: time.Second}))
	const foreign = "CONNECT " + bank + ":443 HTTP/1.1\r\n\r\n"
	for text, want := range map[string]string{
		"GET /autodetect/detect HTTP/1.1\r\nHost: " + central + "\r\nX-Email: email@example.com\r\n\r\n": "HTTP/1.1 200 OK\r\n",
		"GELO\r\n": "GELO\r\n",
		foreign:    foreign,
	} {
		conn := w.dial(t, siteAddr+":80")
		_, _ = io.WriteString(conn, text[:2])
		await(t, stands)
		_, _ = io.WriteString(conn, text[2:])
		if got, err := io.ReadAll(io.LimitReader(conn, int64(len(want)))); string(got) != want {
			t.Fatalf("%q: got %q, %v; want %q", text, got, err, want)
		}
		_ = conn.Close()
	}
	if r := w.decision(1); r["host"] != central || r["action"] != "refuse" {
		t.Errorf("recorded: %v", r)
	}
	w.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
}

// Whatever else is spoken arrives as it was sent, half-close included, and nobody hears a word of HTTP.
func TestTransparent_otherProtocols(t *testing.T) {
	heard := make(chan []byte, 1)
	sink := listen(t, func(c net.Conn) {
		all, _ := io.ReadAll(c)
		heard <- all
		_, _ = io.WriteString(c, "answer")
	})
	var options []option
	for _, port := range []string{"443", "80", "993", "25", "8443"} {
		options = append(options, resolve(siteAddr+":"+port, sink))
	}
	w := newLAN(t, jsonAnswer(""), options...)
	for name, c := range map[string]struct{ port, text string }{
		"SSH on 443":              {"443", "SSH-2.0-OpenSSH_9.2\r\n"},
		"a broken record":         {"443", "\x16\x03\x01\x00\x05hello and more"},
		"SSLv2":                   {"443", "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + strings.Repeat("x", 40)},
		"one byte":                {"443", "x"},
		"binary on 80":            {"80", "\x00\x01\x02\x03"},
		"HTTP/2 on 80":            {"80", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		"lower case on 80":        {"80", "hello world\r\n"},
		"a long word on 80":       {"80", strings.Repeat("A", 100)},
		"for another proxy":       {"80", "CONNECT www.bank.net:443 HTTP/1.1\r\nHost: www.bank.net:443\r\n\r\n"},
		"PROXY header":            {"443", "PROXY TCP4 192.0.2.7 198.51.100.1 40000 8080\r\n"},
		"TLS on a port of no web": {"8443", "\x16\x03\x01\x00\x05hello"},
		"mail":                    {"25", "EHLO x\r\n"},
		"mail over TLS":           {"993", "no TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			conn := w.dial(t, siteAddr+":"+c.port)
			_, _ = io.WriteString(conn, c.text)
			_ = conn.(*net.TCPConn).CloseWrite()
			if got := await(t, heard); !bytes.Equal(got, []byte(c.text)) {
				t.Errorf("upstream got %q, want %q", got, c.text)
			}
			if got, err := io.ReadAll(conn); string(got) != "answer" {
				t.Errorf("the client got %q, %v", got, err)
			}
		})
	}
	w.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
}

func TestTransparent_serverSpeaksFirst(t *testing.T) {
	t.Parallel()
	const greeting = "SSH-2.0-dropbear\r\n"
	addr := listen(t, func(c net.Conn) { _, _ = io.WriteString(c, greeting) })
	w := newLAN(t, jsonAnswer(""), resolve(siteAddr+":443", addr), resolve(siteAddr+":143", addr))
	for _, port := range []string{"143", "443"} {
		t.Run(port, func(t *testing.T) {
			c := w.dial(t, siteAddr+":"+port)
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			if got, err := io.ReadAll(c); string(got) != greeting {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestTransparent_refuses(t *testing.T) {
	s := &spy{next: jsonAnswer("{}")}
	for name, c := range map[string]struct {
		to, text string
		options  []option
		count    func(intercept.Stats) int64
	}{
		"itself":          {"", "", nil, func(s intercept.Stats) int64 { return s.RefusedLoops }},
		"nobody knows":    {"?", "", nil, func(intercept.Stats) int64 { return 1 }},
		"a stranger":      {siteAddr + ":443", "", []option{clients("192.0.2.0/24")}, func(s intercept.Stats) int64 { return s.RefusedClients }},
		"no room":         {siteAddr + ":25", "", []option{limits(intercept.Limits{Tunnels: 1})}, func(s intercept.Stats) int64 { return s.RefusedTunnels }},
		"half a greeting": {siteAddr + ":443", "\x16\x03\x01\x02\x00\x01", []option{limits(intercept.Limits{Handshake: 300 * time.Millisecond})}, func(intercept.Stats) int64 { return 1 }},
		"nobody there":    {siteAddr + ":443", "SSH-2.0-x\r\n", []option{resolve(siteAddr+":443", "127.0.0.1:1")}, func(intercept.Stats) int64 { return 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			echo := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
			w := newLAN(t, s.handle, append(c.options, resolve(siteAddr+":25", echo))...)
			to := c.to
			switch to {
			case "":
				to = w.addr
			case "?":
				to = ""
			}
			if name == "no room" {
				first := w.dial(t, to)
				echoes(t, first, first)
			}
			conn := w.dial(t, to)
			_, _ = io.WriteString(conn, c.text)
			_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			got, err := io.ReadAll(conn)
			if len(got) > 0 || err != nil && strings.Contains(err.Error(), "timeout") {
				t.Errorf("got %q, %v; want the end without a word", got, err)
			}
			if n := c.count(w.plugin.Stats()); n != 1 {
				t.Errorf("got %d counted, want 1", n)
			}
			if told := w.life.FilterMessage("client refused").All(); (name == "a stranger" || name == "no room") &&
				(len(told) != 1 || told[0].ContextMap()["client"] != "127.0.0.1" || told[0].ContextMap()["reason"] == "") {
				t.Errorf("the log has %v, want the client and why", told)
			}
		})
	}
}

// Who has all the tunnels that there may be is closed on without a word, whether the next one would be opened or not, and has one more when one has ended. An address
// of IPv4 that the system tells in the form of IPv6 is that one.
func TestTransparent_limit(t *testing.T) {
	w := newLAN(t, jsonAnswer("{}"), limits(intercept.Limits{Tunnels: 1}))
	shake := func(to string, config *tls.Config) (net.Conn, error) {
		c := tls.Client(w.dial(t, to), config)
		return c, c.HandshakeContext(t.Context())
	}
	opened, unnamed := &tls.Config{RootCAs: w.issuer.roots(), ServerName: central}, &tls.Config{InsecureSkipVerify: true}
	for round, config := range []*tls.Config{unnamed, opened} {
		one, err := shake("[::ffff:"+otherAddr+"]:443", config)
		if err != nil {
			t.Fatal(err)
		}
		for _, config := range []*tls.Config{opened, unnamed} {
			if c, err := shake(otherAddr+":443", config); err == nil {
				t.Errorf("a second tunnel to %s", c.RemoteAddr())
			}
		}
		_ = one.Close()
		w.eventually(t, "the refusals, and room again", func(s intercept.Stats) bool { return s.Tunnels == 0 && s.RefusedTunnels == int64(2*round+2) })
	}
}

// Hosts that are never dialled get the failed handshake of the explicit door, and a record.
func TestTransparent_shunned(t *testing.T) {
	dialled := new(atomic.Int64)
	addr := listen(t, func(net.Conn) { dialled.Add(1) })
	w := newLAN(t, jsonAnswer(""), resolve(siteAddr, addr), resolve("autodiscover.com", addr))
	err := tls.Client(w.dial(t, siteAddr+":443"), clientFor("autodiscover.com")).HandshakeContext(t.Context())
	if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("got %v, want the alert unrecognized_name", err)
	}
	shunnedRecord(t, w.world, dialled, map[string]any{"host": "autodiscover.com:443", "door": "transparent"})
}

// In the clear, each request says which host is meant; one without a Host is for the address.
func TestTransparent_plainHosts(t *testing.T) {
	s := &spy{next: jsonAnswer("{}")}
	w := newLAN(t, s.handle)
	for name, c := range map[string]struct {
		text   string
		status int
		host   string
	}{
		"a host":                  {"GET /x HTTP/1.1\r\nHost: opened.net\r\n\r\n", 200, "opened.net"},
		"its port":                {"GET /x HTTP/1.1\r\nHost: opened.net:80\r\n\r\n", 200, "opened.net:80"},
		"absolute form":           {"GET http://opened.net/x HTTP/1.1\r\nHost: opened.net\r\n\r\n", 200, "opened.net"},
		"no Host":                 {"GET /x HTTP/1.0\r\n\r\n", 200, siteAddr},
		"another port":            {"GET /x HTTP/1.1\r\nHost: opened.net:8080\r\n\r\n", 421, ""},
		"https":                   {"GET https://opened.net/x HTTP/1.1\r\nHost: opened.net\r\n\r\n", 400, ""},
		"nonsense":                {"GET /x HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, ""},
		"CONNECT":                 {"CONNECT opened.net:443 HTTP/1.1\r\nHost: opened.net:443\r\n\r\n", 405, ""},
		"CONNECT, an address":     {"CONNECT 192.0.2.7:443 HTTP/1.1\r\nHost: 192.0.2.7:443\r\n\r\n", 405, ""},
		"CONNECT, never dialled":  {"CONNECT autodiscover.com:443 HTTP/1.1\r\nHost: autodiscover.com:443\r\n\r\n", 405, ""},
		"a method in small parts": {"PROPFIND /x HTTP/1.1\r\nHost: opened.net\r\n\r\n", 200, "opened.net"},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.asked.Load()
			conn := w.dial(t, siteAddr+":80")
			out := io.Writer(dribbling{conn})
			if strings.HasPrefix(name, "CONNECT") { // where it comes in pieces, its target is not looked at
				out = conn
			}
			_, _ = io.WriteString(out, c.text)
			got := answer(t, conn, http.MethodGet)
			if got.StatusCode != c.status {
				t.Fatalf("got %s %q, want %d", got.Status, got.body, c.status)
			}
			if c.host == "" {
				if s.asked.Load() != before {
					t.Error("upstream was asked")
				}
				return
			}
			if raw := s.heard(); !strings.Contains(raw, "Host: "+c.host+"\r\n") {
				t.Errorf("upstream got\n%s", raw)
			}
		})
	}
}

// Where nobody can tell what a client meant, or looking for it is a bug's turn, the connection ends, the log says why, and the door stays open.
func TestTransparent_unknownDestination(t *testing.T) {
	t.Parallel()
	for message, original := range map[string]func(*net.TCPConn) (netip.AddrPort, error){
		"original destination unknown": func(*net.TCPConn) (netip.AddrPort, error) { return netip.AddrPort{}, errors.New("nobody knows") },
		"recovered from a panic":       func(*net.TCPConn) (netip.AddrPort, error) { panic("boom") },
	} {
		w := newWorld(t, jsonAnswer(""), func(c *intercept.Config, _ *proxyServer, _ *world) { c.OriginalDestination = original })
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- w.plugin.ServeTransparent(t.Context(), l) }()
		for range 2 {
			c, err := dial(l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if n, err := c.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: got %d bytes, %v; want the end", message, n, err)
			}
			_ = c.Close()
		}
		w.eventually(t, "the end", func(s intercept.Stats) bool { return s.Connections == 0 })
		if n := w.life.FilterMessage(message).Len(); n != 2 {
			t.Errorf("%q was told %d times, want twice", message, n)
		}
		_ = w.plugin.Close()
		if err := await(t, done); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("ServeTransparent: %v", err)
		}
	}
}

func TestTransparent_needsFront(t *testing.T) {
	w := newWorld(t, jsonAnswer(""))
	p, err := intercept.New(intercept.Config{Policy: policyOf(t), Issuer: w.issuer})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := p.ServeTransparent(t.Context(), l); err == nil || !strings.Contains(err.Error(), "Plugin.Front") {
		t.Errorf("got %v", err)
	}
}
