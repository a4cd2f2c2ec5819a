package intercept_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// rawHTTP2 asks with the given pseudo-fields over a connection that speaks HTTP/2, and returns the status.
func rawHTTP2(t *testing.T, c *tls.Conn, fields ...hpack.HeaderField) string {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range fields {
		_ = encoder.WriteField(field)
	}
	_, _ = io.WriteString(c, http2.ClientPreface)
	framer := http2.NewFramer(c, c)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = framer.WriteSettings()
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if answer, ok := frame.(*http2.MetaHeadersFrame); ok {
			return answer.PseudoValue("status")
		}
	}
}

// In HTTP/2 a method may be any text to net/http's server, and to its client too, where a connection in HTTP/2 waits for it; a query may have spaces. Whoever translates
// that into HTTP/1, we or somebody behind us, would make another request of it.
func TestHTTP2_readsTheSameInHTTP1(t *testing.T) {
	s := new(spy)
	s.next = jsonAnswer("{}")
	w := newWorld(t, s.handle)
	if got := send(t, w.client(true), request(t, http.MethodGet, "https://opened.net/", "")); got.StatusCode != http.StatusOK || got.ProtoMajor != 2 {
		t.Fatalf("got %s %s", got.Proto, got.Status) // and a connection waits
	}
	secure := w.secureDoor(t)
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/x?a=b", "200"},
		{"PROPFIND", "/x%20y?a%20b", "200"},
		{"GET", "/x?a HTTP/1.1", "400"},
		{"GET", "/x y", "200"}, // written with %20
		{"GET /y", "/x", "400"},
		{"GET / HTTP/1.1", "/x", "400"},
		{"G\tT", "/x", "400"},
		{"G(T", "/x", "400"},
		{"GÉT", "/x", "400"},
	} {
		for _, scheme := range []string{"https", "http"} {
			var conn *tls.Conn
			var err error
			if scheme == "https" {
				conn, err = w.tls("opened.net:443", &tls.Config{ServerName: "opened.net", NextProtos: []string{"h2"}})
			} else {
				conn, err = dialTLS(secure, &tls.Config{ServerName: "proxy.test", RootCAs: w.web.roots(), NextProtos: []string{"h2"}})
			}
			if err != nil {
				t.Fatal(err)
			}
			before := s.asked.Load()
			got := rawHTTP2(t, conn, hpack.HeaderField{Name: ":method", Value: c.method}, hpack.HeaderField{Name: ":scheme", Value: scheme},
				hpack.HeaderField{Name: ":authority", Value: "opened.net"}, hpack.HeaderField{Name: ":path", Value: c.path})
			if asked := s.asked.Load() > before; got != c.want || asked != (c.want == "200") {
				t.Errorf("%s, %q %q: got %s, asked: %v", scheme, c.method, c.path, got, asked)
			}
			_ = conn.Close()
		}
	}
}
