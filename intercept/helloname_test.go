package intercept_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"autodiscover-guard/intercept"
)

// inPieces has a record's handshake message come in records of n bytes.
func inPieces(record []byte, n int) []byte {
	var out []byte
	for rest := record[5:]; len(rest) > 0; rest = rest[min(n, len(rest)):] {
		piece := rest[:min(n, len(rest))]
		out = append(append(out, record[0], record[1], record[2], byte(len(piece)>>8), byte(len(piece))), piece...)
	}
	return out
}

// A handshake for an opened host that crypto/tls does not read, and that nginx and OpenSSL's server read, does not get past: it fails, and has its record. For
// another host it arrives as it was sent.
func TestHandshake_unreadable(t *testing.T) {
	unknown, signed := []byte{0x4a, 0x4a, 0, 0}, []byte{0, 18, 0, 1, 'x'}
	for name, handshake := range map[string]func(host string) []byte{
		"a trailing dot":            func(host string) []byte { return hello(host + ".") },
		"a trailing dot in pieces":  func(host string) []byte { return inPieces(hello(host+"."), 3) },
		"upper case and dots":       func(host string) []byte { return hello(strings.ToUpper(host) + "..") },
		"a port":                    func(host string) []byte { return hello(host + ":443") },
		"an extension twice":        func(host string) []byte { return hello(host, unknown, unknown) },
		"an extension that is full": func(host string) []byte { return hello(host, signed) },
		"a junk extension":          func(host string) []byte { return hello(host, []byte{0xfe, 0x0d, 0, 1, 9}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			heard := make(chan []byte, 1)
			sink := listen(t, func(c net.Conn) {
				all, _ := io.ReadAll(c)
				heard <- all
			})
			w := newLAN(t, jsonAnswer("{}"), resolve(siteAddr+":443", sink), resolve(numberOf+":443", sink))
			for door, dial := range map[string]func() net.Conn{
				"transparent": func() net.Conn { return w.dial(t, siteAddr+":443") },
				"connect":     func() net.Conn { return w.tunnel(numberOf + ":443") },
			} {
				text := handshake(bank)
				conn := dial()
				_, _ = conn.Write(text)
				_ = conn.(*net.TCPConn).CloseWrite()
				if got := await(t, heard); !bytes.Equal(got, text) {
					t.Errorf("%s: of a handshake for another host, its server got %q", door, got)
				}

				w.decisions.TakeAll()
				conn = dial()
				_, _ = conn.Write(handshake(central))
				const alert = 21 // RFC 8446, section 5.1
				if got, err := io.ReadAll(conn); len(got) == 0 || got[0] != alert || err != nil {
					t.Fatalf("%s: got %q, %v; want an alert", door, got, err)
				}
				if record := w.handshakes()[0]; record["host"] != central || record["door"] != door {
					t.Errorf("%s: got %v", door, record)
				}
				if door == "connect" { // the address was dialled, and heard nothing
					if got := await(t, heard); len(got) > 0 {
						t.Errorf("the address got %q", got)
					}
				}
			}
			w.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Connections == 0 && s.Tunnels == 0 })
		})
	}
}
