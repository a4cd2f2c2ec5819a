package intercept_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"autodiscover-guard/intercept"
)

// at opens a tunnel to the address that a client has looked up, in one of the ways in which tunnels are asked for.
type at func(t *testing.T, w *world, port string) (net.Conn, error)

var tunnelWays = map[string]at{
	"HTTP/1": func(_ *testing.T, w *world, port string) (net.Conn, error) { return w.connect(numberOf + ":" + port) },
	"over TLS": func(t *testing.T, w *world, port string) (net.Conn, error) {
		c, err := dialTLS(w.secureDoor(t), &tls.Config{ServerName: "proxy.test", RootCAs: w.web.roots()})
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { _ = c.Close() })
		_, _ = io.WriteString(c, "CONNECT "+numberOf+":"+port+" HTTP/1.1\r\nHost: "+numberOf+":"+port+"\r\n\r\n")
		const stands = "HTTP/1.1 200 Connection established\r\n\r\n"
		if got, err := io.ReadAll(io.LimitReader(c, int64(len(stands)))); string(got) != stands {
			return nil, errors.Join(errors.New(string(got)), err)
		}
		return c, nil
	},
	"HTTP/2": func(t *testing.T, w *world, port string) (net.Conn, error) {
		return connectStream(t, w.h2(t, w.secureDoor(t)), numberOf+":"+port)
	},
}

// The address is dialled, and hears nothing: the name is what counts.
func TestByAddress_opensDiscovery(t *testing.T) {
	for way, open := range tunnelWays {
		for port, scheme := range map[string]string{"443": "https", "80": "http"} {
			t.Run(way+"/"+port, func(t *testing.T) {
				t.Parallel()
				said := make(chan int, 1)
				address := listen(t, func(c net.Conn) {
					all, _ := io.ReadAll(c)
					said <- len(all)
				})
				w := newWorld(t, jsonAnswer(suggest("email@example.com", stranger)), resolve(numberOf+":"+port, address))
				client := w.client(false)
				client.Proxy = nil
				client.DialContext = func(context.Context, string, string) (net.Conn, error) { return open(t, w, port) }
				for n := range 2 {
					if got := send(t, client, ask(t, scheme, "email@example.com")); got.body != suggest("email@example.com") {
						t.Fatalf("got %d %q", got.StatusCode, got.body)
					}
					if record := w.decision(n + 1); record["host"] != central || record["action"] != "refuse" || record["client"] != "127.0.0.1" {
						t.Errorf("got %v", record)
					}
				}
				if n := await(t, said); n != 0 {
					t.Errorf("the address heard %d bytes", n)
				}
				client.CloseIdleConnections()
				w.eventually(t, "the slot", func(s intercept.Stats) bool { return s.Tunnels == 0 })
			})
		}
	}
}

// What does not name a host to open arrives as it was sent, half-close included: with the request, behind it, and byte by byte.
func TestByAddress_others(t *testing.T) {
	heard := make(chan []byte, 1)
	sink := listen(t, func(c net.Conn) {
		all, _ := io.ReadAll(c)
		heard <- all
		_, _ = io.WriteString(c, "answer")
	})
	w := newWorld(t, jsonAnswer(""), resolve(numberOf+":443", sink), resolve(numberOf+":80", sink))
	for name, c := range map[string]struct{ port, text string }{
		"TLS for another host":    {"443", string(hello(bank)) + "and more"},
		"TLS without a name":      {"443", string(hello(""))},
		"half of a handshake":     {"443", string(hello(central)[:80])},
		"SSH on 443":              {"443", "SSH-2.0-OpenSSH_9.2\r\n"},
		"a broken record":         {"443", "\x16\x03\x01\x00\x05hello and more"},
		"one byte":                {"443", "x"},
		"nothing":                 {"443", ""},
		"HTTP for another host":   {"80", "GET / HTTP/1.1\r\nHost: " + bank + "\r\n\r\nGET / HTTP/1.1\r\nHost: " + central + "\r\n\r\n"},
		"HTTP without a host":     {"80", "GET / HTTP/1.0\r\n\r\n"},
		"HTTP for the address":    {"80", "GET / HTTP/1.1\r\nHost: " + numberOf + "\r\n\r\n"},
		"two hosts":               {"80", "GET / HTTP/1.1\r\nHost: " + bank + "\r\nHost: " + central + "\r\n\r\n"},
		"a header without an end": {"80", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 1<<20)},
		"binary on 80":            {"80", "\x00\x01\x02\x03"},
		"HTTP/2 on 80":            {"80", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		"half a method":           {"80", "GE"},
	} {
		for _, manner := range []string{"with the request", "behind it", "byte by byte"} {
			t.Run(name+"/"+manner, func(t *testing.T) {
				conn := w.hold(t)
				ask, text := "CONNECT "+numberOf+":"+c.port+" HTTP/1.1\r\nHost: "+numberOf+":"+c.port+"\r\n\r\n", c.text
				if manner == "with the request" && len(text) < 4096 { // of what net/http's reader has not taken, the rest follows
					ask, text = ask+text, ""
				}
				_, _ = io.WriteString(conn, ask)
				answer(t, conn, http.MethodConnect)
				if manner == "byte by byte" && len(text) < 4096 {
					_, _ = io.WriteString(dribbling{conn}, text)
				} else {
					_, _ = io.WriteString(conn, text)
				}
				_ = conn.(*net.TCPConn).CloseWrite()
				if got := await(t, heard); !bytes.Equal(got, []byte(c.text)) {
					t.Errorf("the address got %q, want %q", got, c.text)
				}
				if got, err := io.ReadAll(conn); string(got) != "answer" {
					t.Errorf("the client got %q, %v", got, err)
				}
			})
		}
	}
	if n := w.decisions.Len(); n > 0 {
		t.Errorf("got records: %v", w.decisions.All())
	}
	w.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
}

// A request for an opened host that net/http turns down, and that nginx or Apache's httpd serves, does not get past. For another host it arrives as it was sent.
func TestByAddress_unreadable(t *testing.T) {
	heard := make(chan []byte, 1)
	sink := listen(t, func(c net.Conn) {
		all, _ := io.ReadAll(c)
		heard <- all
	})
	w := newWorld(t, jsonAnswer("{}"), resolve(numberOf+":80", sink))
	for name, request := range map[string]string{
		"two spaces":           "GET  / HTTP/1.1\r\nHost: HOST\r\n\r\n",
		"another version":      "GET / HTTP/1.10\r\nHost: HOST\r\n\r\n",
		"a line without colon": "GET / HTTP/1.1\r\nX\r\nHost: HOST:80\r\n\r\n",
		"a name beyond ASCII":  "GET / HTTP/1.1\nF\xc3\xb6: x\nhost:\tHOST.\n\n",
		"two lengths":          "POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n",
		"another coding":       "POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"a header too long":    "GET / HTTP/1.1\r\nHost: HOST\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
	} {
		text := strings.Replace(request, "HOST", bank, 1)
		conn := w.tunnel(numberOf + ":80")
		_, _ = io.WriteString(conn, text)
		_ = conn.(*net.TCPConn).CloseWrite()
		if got := await(t, heard); string(got) != text {
			t.Errorf("%s: of a request for another host, its server got %.200q", name, got)
		}
		conn = w.tunnel(numberOf + ":80")
		go func() { _, _ = io.WriteString(conn, strings.Replace(request, "HOST", central, 1)) }()
		if got := answer(t, conn, http.MethodGet); got.StatusCode/100 != 4 && got.StatusCode != http.StatusNotImplemented {
			t.Errorf("%s: got %d", name, got.StatusCode)
		}
		if got := await(t, heard); len(got) > 0 {
			t.Errorf("%s: the address got %.200q", name, got)
		}
	}
	w.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
}

// Whoever waits for an answer behind few words, or behind very many, gets it.
func TestByAddress_conversations(t *testing.T) {
	t.Parallel()
	echo := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	for port, text := range map[string]string{"443": "x", "80": "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 2<<20)} {
		t.Run(port, func(t *testing.T) {
			w := newWorld(t, jsonAnswer(""), resolve(numberOf+":"+port, echo))
			c, err := w.connect(numberOf + ":" + port)
			if err != nil {
				t.Fatal(err)
			}
			go func() { _, _ = io.WriteString(c, text) }()
			if got, err := io.ReadAll(io.LimitReader(c, int64(len(text)))); string(got) != text {
				t.Errorf("got %d bytes back, %v", len(got), err)
			}
		})
	}
}

// A whole handshake that does not wait for the 200 is opened, too.
func TestByAddress_earlyHandshake(t *testing.T) {
	w := newWorld(t, jsonAnswer(suggest("email@example.com", stranger)))
	c := w.hold(t)
	eager := tls.Client(&eagerConn{Conn: c, first: "CONNECT " + numberOf + ":443 HTTP/1.1\r\nHost: " + numberOf + ":443\r\n\r\n"}, &tls.Config{ServerName: central, RootCAs: w.issuer.roots()})
	if err := eager.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(eager, "GET "+detect+"&emailAddress=email@example.com HTTP/1.1\r\nHost: "+central+"\r\n\r\n")
	if got := answer(t, eager, http.MethodGet); got.StatusCode != http.StatusOK || strings.Contains(got.body, stranger) {
		t.Errorf("got %d %q", got.StatusCode, got.body)
	}
}

// The client hears whether the address can be reached: there are some that try another one then.
func TestByAddress_unreachable(t *testing.T) {
	for name, c := range map[string]struct {
		address string
		options []option
		status  int
	}{
		"nobody there": {numberOf, []option{resolve(numberOf+":443", "127.0.0.1:1")}, http.StatusBadGateway},
		"private":      {"10.1.2.3", nil, http.StatusForbidden},
		"private IPv6": {"[fd00::1]", nil, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, jsonAnswer("{}"), c.options...)
			if got := w.raw(t, "CONNECT "+c.address+":443 HTTP/1.1\r\nHost: "+c.address+":443\r\n\r\n"); got.StatusCode != c.status {
				t.Errorf("got %d %q, want %d", got.StatusCode, got.body, c.status)
			}
		})
	}
}

func TestByAddress_serverSpeaksFirst(t *testing.T) {
	const greeting = "SSH-2.0-dropbear\r\n"
	request := "GET / HTTP/1.1\r\nHost: " + central + "\r\n\r\n"
	for port, text := range map[string]string{"443": string(hello(central)), "80": request} {
		t.Run(port, func(t *testing.T) {
			address := listen(t, func(c net.Conn) {
				_, _ = io.WriteString(c, greeting)
				_, _ = io.Copy(io.Discard, c)
			})
			w := newWorld(t, jsonAnswer(""), resolve(numberOf+":"+port, address))
			c, err := w.connect(numberOf + ":" + port)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(greeting))
			if _, err := io.ReadFull(c, got); string(got) != greeting {
				t.Fatalf("got %q, %v", got, err)
			}
			// What names an opened host behind that is for nobody: the two do not belong together.
			_, _ = io.WriteString(c, text)
			if rest, _ := io.ReadAll(c); len(rest) > 0 {
				t.Errorf("got %q behind the greeting", rest)
			}
			w.eventually(t, "the slot", func(s intercept.Stats) bool { return s.Tunnels == 0 })
		})
	}
}

// An address that has hung up before the client says a word leads nowhere, not into the hall either.
func TestByAddress_hangsUp(t *testing.T) {
	w := newWorld(t, jsonAnswer(""), resolve(numberOf+":443", listen(t, func(net.Conn) {})))
	c, err := w.connect(numberOf + ":443")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); len(got) > 0 || err != nil { // the guard has passed the end on
		t.Fatalf("got %q, %v", got, err)
	}
	_, _ = c.Write(hello(central))
	w.eventually(t, "the slot", func(s intercept.Stats) bool { return s.Tunnels == 0 })
	if s := w.plugin.Stats(); s.Handshakes["done"] != 0 {
		t.Errorf("a handshake was made: %v", s.Handshakes)
	}
}

func TestByAddress_shunned(t *testing.T) {
	w, dialled := newShunning(t)
	c, err := w.connect(numberOf + ":443")
	if err != nil {
		t.Fatal(err)
	}
	err = tls.Client(c, clientFor("autodiscover.com")).HandshakeContext(t.Context())
	if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("got %v, want the alert unrecognized_name", err)
	}
	shunnedRecord(t, w, dialled, map[string]any{"host": "autodiscover.com:443", "door": "connect"})
}

// Discovery that goes by unread has the record that it has when it is asked for by name.
func TestByAddress_noted(t *testing.T) {
	const elsewhere = "autodiscover.corp-mail.net"
	for port, text := range map[string]string{"443": string(hello(elsewhere)), "80": "GET / HTTP/1.1\r\nHost: " + elsewhere + "\r\n\r\n"} {
		t.Run(port, func(t *testing.T) {
			w := newWorld(t, jsonAnswer("{}"))
			c, err := w.connect(numberOf + ":" + port)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, text)
			record := w.decision(1)
			if host, _, _ := strings.Cut(record["host"].(string), ":"); host != elsewhere || record["action"] != "tunnel" || !strings.HasSuffix(record["reason"].(string), "the policy guards nobody there") {
				t.Errorf("got %v", record)
			}
		})
	}
}

// Half an answer does not look whole to a client of HTTP/1.0: its connection is reset, or its stream.
func TestByAddress_truncated(t *testing.T) {
	for way, open := range tunnelWays {
		t.Run(way, func(t *testing.T) {
			w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "hello")
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			})
			c, err := open(t, w, "80")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, "GET / HTTP/1.0\r\nHost: opened.net\r\n\r\n")
			got, err := io.ReadAll(c)
			if s, ok := c.(*stream); ok {
				_ = c.Close()
				err = await(t, s.ended)
			} else if way == "HTTP/1" && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %q and then %v, want a reset", got, err)
			}
			if err == nil {
				t.Errorf("got %q and a good end", got)
			}
		})
	}
}

// An answer that is whole has a good end, too: a reset may cost a client what it has not read yet.
func TestByAddress_wholeAnswer(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	c, err := tunnelWays["HTTP/1"](t, w, "80")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "GET / HTTP/1.0\r\nHost: opened.net\r\n\r\n")
	if got, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(got), "hello") {
		t.Errorf("got %q, %v", got, err)
	}
}

// A client that leaves is missed: what was asked upstream for it ends.
func TestByAddress_departure(t *testing.T) {
	for way, open := range tunnelWays {
		t.Run(way, func(t *testing.T) {
			asked, left := make(chan struct{}), make(chan struct{})
			w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
				close(asked)
				<-r.Context().Done()
				close(left)
			})
			c, err := open(t, w, "80")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, "GET /poll HTTP/1.1\r\nHost: opened.net\r\n\r\n")
			await(t, asked)
			_ = c.Close()
			await(t, left)
			w.eventually(t, "the slot", func(s intercept.Stats) bool { return s.Tunnels == 0 })
		})
	}
}

// curl looks the name up by itself, as it were, and asks for a tunnel to what it has found.
func TestByAddress_curl(t *testing.T) {
	curl := program(t, "curl", "curl")
	w := newWorld(t, jsonAnswer(suggest("email@example.com", stranger)))
	roots := w.issuer.file(t)
	for name, version := range map[string]string{"HTTP/1.1": "--http1.1", "HTTP/2": "--http2"} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), curl, "-sSvm20", version, "-x", "http://"+w.addr, "--cacert", roots, "--connect-to", central+":443:"+numberOf+":443",
				"https://"+central+detect+"&emailAddress=email@example.com").CombinedOutput()
			text := string(out)
			if err != nil || !strings.Contains(text, "CONNECT "+numberOf+":443") || !strings.Contains(text, suggest("email@example.com")) || strings.Contains(text, stranger) {
				t.Errorf("got %v:\n%s", err, text)
			}
		})
	}
}
