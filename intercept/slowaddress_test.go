package intercept_test

import (
	"io"
	"net"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// A handshake, or a request's header, that was begun has to come to its end in a tunnel by address too; whoever has come to it has all the time there is.
func TestByAddress_slow(t *testing.T) {
	t.Parallel()
	for way, open := range tunnelWays {
		for port, c := range map[string]struct{ whole, half string }{
			"443": {string(hello(bank)), string(hello(central)[:80])},
			"80":  {"GET / HTTP/1.1\r\nHost: " + bank + "\r\n\r\n", "GET / HTTP/1.1\r\nHost: " + central + "\r\n"},
		} {
			t.Run(way+"/"+port, func(t *testing.T) {
				t.Parallel()
				echo := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
				w := newWorld(t, jsonAnswer("{}"), resolve(numberOf+":"+port, echo), limits(intercept.Limits{Handshake: 2 * time.Second, Header: 2 * time.Second}))
				begin := func(text string) net.Conn {
					c, err := open(t, w, port)
					if err != nil {
						t.Fatal(err)
					}
					_, _ = io.WriteString(c, text)
					return c
				}
				heard := func(c net.Conn, text string) {
					if got, err := io.ReadAll(io.LimitReader(c, int64(len(text)))); string(got) != text {
						t.Errorf("got %q, %v; want %q", got, err, text)
					}
				}
				quick := begin(c.whole)
				heard(quick, c.whole)
				if got, _ := io.ReadAll(begin(c.half)); len(got) > 0 {
					t.Errorf("half of it: got %q, want the end", got)
				}
				_, _ = io.WriteString(quick, "later")
				heard(quick, "later")
				_ = quick.Close()
				w.eventually(t, "the slots", func(s intercept.Stats) bool { return s.Tunnels == 0 })
			})
		}
	}
}
