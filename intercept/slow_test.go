package intercept_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// Slow clients of every kind, many at once and none of them ever timed out, stand beside one that is quick: each of its questions is answered
// while all of them hang, by a guard that holds no more for them than a connection each. There is no clock in it: were the quick one to wait for any
// of the slow ones, it would wait for ever.
func TestSlowClients_harmOnlyThemselves(t *testing.T) {
	const each, readers, large = 25, 4, 64 << 20
	sent := new(atomic.Int64)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/large" {
			block := make([]byte, 64<<10)
			for range large / len(block) {
				n, err := w.Write(block)
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		jsonAnswer(suggest(somehow, stranger))(w, r)
	}, limits(intercept.Limits{Handshake: time.Hour, Header: time.Hour, Body: time.Hour}))
	kinds := map[string]func(t *testing.T) net.Conn{
		"silent": func(t *testing.T) net.Conn { return w.hold(t) },
		"half a header": func(t *testing.T) net.Conn {
			return w.says(t, "GET http://opened.net/ HTTP/1.1\r\nHos")
		},
		"half a discovery question": func(t *testing.T) net.Conn {
			return w.says(t, "POST http://"+docHost+poxPath+" HTTP/1.1\r\nHost: "+docHost+"\r\nContent-Type: text/xml\r\nContent-Length: 100\r\n\r\n<")
		},
		"half an upload": func(t *testing.T) net.Conn {
			return w.says(t, "POST http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\nContent-Length: 100\r\n\r\nx")
		},
		"half a handshake": func(t *testing.T) net.Conn {
			c, err := w.connect(central + ":443")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, "\x16\x03\x01")
			return c
		},
		"half a header in a tunnel": func(t *testing.T) net.Conn {
			c, err := w.connect(central + ":80")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHos")
			return c
		},
		"reads no answer": func(t *testing.T) net.Conn {
			return w.says(t, "GET http://opened.net/large HTTP/1.1\r\nHost: opened.net\r\n\r\n")
		},
		"reads no tunnel": func(t *testing.T) net.Conn {
			c, err := w.connect(bank + ":80")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, "GET /large HTTP/1.1\r\nHost: "+bank+"\r\n\r\n")
			return c
		},
	}
	all := 0
	for name, open := range kinds {
		n := each
		if strings.HasPrefix(name, "reads no") {
			n = readers // the system keeps megabytes for each
		}
		for range n {
			open(t)
		}
		all += n
	}
	w.eventually(t, "all of them", func(s intercept.Stats) bool { return s.Connections >= all })
	for _, door := range doors {
		client := door.client(w)
		for range 25 {
			quiet(t, send(t, client, ask(t, door.scheme, somehow)))
		}
	}
	if n := w.decisions.Len(); n != 25*len(doors) {
		t.Errorf("got %d records, want %d", n, 25*len(doors))
	}
	// Whoever does not read is not read for: the system's buffers, and no more, lie between him and upstream.
	if got, most := sent.Load(), int64(2*readers*large); got > most/2 {
		t.Errorf("%d of %d bytes went to clients that read nothing", got, most)
	}
}

// says opens a connection and writes the beginning of something.
func (w *world) says(t *testing.T, text string) net.Conn {
	t.Helper()
	c := w.hold(t)
	_, _ = io.WriteString(c, text)
	return c
}

// A client that stops reading one stream of HTTP/2 harms its other streams no more than another connection.
func TestSlowClients_oneStreamOfMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/large" {
			_, _ = io.WriteString(w, strings.Repeat("x", 8<<20))
			return
		}
		jsonAnswer(suggest(somehow, stranger))(w, r)
	})
	client := w.client(true)
	for range 4 {
		resp, err := client.RoundTrip(request(t, http.MethodGet, "https://"+central+"/large", ""))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.ProtoMajor != 2 {
			t.Fatalf("got %s", resp.Proto)
		}
	}
	for range 20 {
		quiet(t, send(t, client, ask(t, "https", somehow)))
	}
}
