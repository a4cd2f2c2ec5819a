package intercept_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"autodiscover-guard/intercept"
)

// handshakes are the records of failed handshakes, of which it waits for the first.
func (w *world) handshakes() []map[string]any {
	w.tb.Helper()
	for end := time.After(enough()); ; {
		all := w.decisions.FilterMessage(intercept.HandshakeMessage).All()
		if len(all) > 0 {
			var records []map[string]any
			for _, e := range all {
				record := e.ContextMap()
				record["level"] = e.Level
				records = append(records, record)
			}
			return records
		}
		select {
		case <-w.recorded:
		case <-end:
			vain(w.tb, "got no record of a handshake")
		}
	}
}

// tunnel is a connection through CONNECT.
func (w *world) tunnel(to string) net.Conn {
	w.tb.Helper()
	c, err := dial(w.addr)
	if err != nil {
		w.tb.Fatal(err)
	}
	w.tb.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, "CONNECT "+to+" HTTP/1.1\r\nHost: "+to+"\r\n\r\n"); err != nil {
		w.tb.Fatal(err)
	}
	head := make([]byte, len("HTTP/1.1 200 Connection established\r\n\r\n"))
	if _, err := io.ReadFull(c, head); err != nil || !strings.HasPrefix(string(head), "HTTP/1.1 200") {
		w.tb.Fatalf("CONNECT %s: %q, %v", to, head, err)
	}
	return c
}

// A handshake that fails stands among the records, once, with what is known of it.
func TestHandshake_hasARecord(t *testing.T) {
	for name, c := range map[string]struct {
		client func(*world)
		want   map[string]any
	}{
		"a client that does not trust us": {
			func(w *world) { _, _ = w.tls(central+":443", &tls.Config{ServerName: central, RootCAs: w.web.roots()}) },
			map[string]any{"level": zapcore.WarnLevel, "outcome": "untrusted", "host": central, "server_name": central, "alert": "bad certificate", "tls": "TLS 1.3"},
		},
		"another name in the handshake": {
			func(w *world) { _, _ = w.tls(central+":443", clientFor(strings.ToUpper(docHost))) },
			map[string]any{"level": zapcore.WarnLevel, "outcome": "refused", "host": central, "server_name": docHost, "reason": "the name in the handshake is not the tunnel's target", "alert": ""},
		},
		"no TLS": {
			func(w *world) { _, _ = io.WriteString(w.tunnel(central+":443"), "EHLO "+password+"\r\n\r\n") },
			map[string]any{"level": zapcore.InfoLevel, "outcome": "not tls", "server_name": "", "tls": ""},
		},
		"gone": {
			func(w *world) { _ = w.tunnel(central + ":443").Close() },
			map[string]any{"level": zapcore.InfoLevel, "outcome": "gone", "host": central},
		},
		// GnuTLS's clients (GLib's programs, Evolution among them) say nothing of a certificate that they do not trust: they close with unread data, which is a reset.
		"gone, with the certificate unread": {
			func(w *world) {
				conn := w.tunnel(central + ":443")
				_, _ = conn.Write(hello(central))
				_, _ = conn.Read(make([]byte, 1))
				_ = conn.Close()
			},
			map[string]any{"level": zapcore.InfoLevel, "outcome": "gone", "server_name": central, "alert": ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, jsonAnswer("{}"))
			c.client(w)
			got := w.handshakes()[0]
			for key, want := range c.want {
				if got[key] != want {
					t.Errorf("%s: %v, want %v in %v", key, got[key], want, got)
				}
			}
			if text, _ := json.Marshal(got); strings.Contains(string(text), password) || got["client"] != "127.0.0.1" || got["door"] != "connect" {
				t.Errorf("the record is %s", text)
			}
			w.stop()
			if n := w.decisions.Len(); n != 1 {
				t.Errorf("%d records, want one", n)
			}
		})
	}
}

// A name in a handshake may hold any bytes; none of them writes a line.
func TestHandshake_injection(t *testing.T) {
	for name, server := range map[string]string{
		"newlines": "x\r\n{\"msg\":\"decision\",\"forged\":true}\n.net", "quotes": `a"b\c.net`, "control bytes": "a\x00\x1b[31m\u2028.net",
		"invalid UTF-8": "\xff\xfe.net", "long": strings.Repeat("long.", 2000) + "net", "an account": "user:" + password + "@example.net",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var j journal
			w := newWorld(t, jsonAnswer("{}"), j.keep)
			_, _ = w.tunnel(central + ":443").Write(hello(server))
			w.handshakes()
			w.stop()
			checkLines(t, &j, 1)
			if decisions, life := j.text(); strings.Contains(decisions+life, "forged") || strings.Contains(decisions, password) {
				t.Errorf("the name is in the log:\n%s%s", decisions, life)
			}
		})
	}
}

// hello is a ClientHello (RFC 8446, section 4.1.2) with any name, which crypto/tls would not send.
func hello(name string, more ...[]byte) []byte {
	u16 := func(b []byte) []byte { return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...) }
	extension := func(kind uint16, body []byte) []byte {
		return append([]byte{byte(kind >> 8), byte(kind)}, u16(body)...)
	}
	names := extension(0, u16(append([]byte{0}, u16([]byte(name))...)))
	versions := extension(43, []byte{4, 3, 4, 3, 3})
	groups := extension(10, u16([]byte{0, 29}))
	algorithms := extension(13, u16([]byte{4, 3, 8, 4}))
	share := extension(51, u16(append([]byte{0, 29}, u16(append([]byte{9}, make([]byte, 31)...))...))) // X25519, the base point (RFC 7748, section 4.1)
	body := append([]byte{3, 3}, make([]byte, 32)...)
	body = append(body, 0)                       // no session
	body = append(body, u16([]byte{0x13, 1})...) // TLS_AES_128_GCM_SHA256
	body = append(body, 1, 0)                    // no compression
	body = append(body, u16(slices.Concat(names, versions, groups, algorithms, share, slices.Concat(more...)))...)
	message := append([]byte{1, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
	return append([]byte{22, 3, 1}, u16(message)...)
}

// OpenSSL's client sends its alert in the clear; it is heard all the same.
func TestHandshake_alertInTheClear(t *testing.T) {
	for name, c := range map[string]struct {
		alert          []byte
		outcome, words string
	}{
		"unknown_ca":      {[]byte{21, 3, 3, 0, 2, 2, 48}, "untrusted", "unknown certificate authority"},
		"user_canceled":   {[]byte{21, 3, 3, 0, 2, 1, 90}, "ended", "user canceled"},
		"no alert at all": {[]byte{23, 3, 3, 0, 2, 2, 48}, "other", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, jsonAnswer("{}"))
			conn := w.tunnel(central + ":443")
			_, _ = conn.Write(hello(central))
			if _, err := conn.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			_, _ = conn.Write(append([]byte{20, 3, 3, 0, 1, 1}, c.alert...)) // behind the record for middle boxes (RFC 8446, appendix D.4)
			if got := w.handshakes()[0]; got["outcome"] != c.outcome || got["alert"] != c.words {
				t.Errorf("got %v", got)
			}
		})
	}
}
