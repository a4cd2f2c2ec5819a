package intercept_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

// readBytes is how much this process has read with read(2) and its like; splice(2) is not among them.
func readBytes(t *testing.T) (n int64) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skipf("skipped: this kernel does not count: %v", err)
	}
	if _, err := fmt.Sscanf(string(text), "rchar: %d", &n); err != nil {
		t.Skipf("skipped: /proc/self/io is not as known: %v", err)
	}
	return n
}

// A tunnel's bytes do not come through our memory: they are read once, by the client at the end of the way. With a copy of ours they would be
// read twice.
func TestTunnel_splices(t *testing.T) {
	const size = 64 << 20
	block := make([]byte, 1<<20)
	addr := listen(t, func(c net.Conn) {
		_, _ = io.ReadFull(c, make([]byte, 1))
		for range size / len(block) {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	})
	w := newWorld(t, jsonAnswer(""), resolve(bank+":25", addr))
	for _, early := range []string{"", "x"} {
		before := readBytes(t)
		c := w.hold(t)
		_, _ = io.WriteString(c, "CONNECT "+bank+":25 HTTP/1.1\r\nHost: "+bank+":25\r\n\r\n"+early)
		head := make([]byte, len("HTTP/1.1 200 Connection established\r\n\r\n"))
		if _, err := io.ReadFull(c, head); err != nil || !strings.HasSuffix(string(head), "\r\n\r\n") {
			t.Fatalf("got %q, %v", head, err)
		}
		if early == "" {
			_, _ = io.WriteString(c, "x")
		}
		got, err := io.Copy(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c})
		if err != nil || got != size {
			t.Fatalf("got %d bytes, %v", got, err)
		}
		read := readBytes(t) - before
		if read < size {
			t.Skipf("skipped: /proc/self/io counted %d of the %d bytes that the client read", read, size)
		}
		if read > size+size/4 {
			t.Errorf("early bytes %q: %d bytes were read for %d: the tunnel copies", early, read, size)
		}
	}
}

// pipes is how many ends of pipes this process holds.
func pipes(t *testing.T) (n int) {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("skipped: /proc/self/fd cannot be read: %v", err)
	}
	for _, fd := range all {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, "pipe:") {
			n++
		}
	}
	return n
}

// A tunnel in which nothing moves holds its two connections and no pipes, though bytes have gone both ways.
func TestTunnel_holdsNoPipesWhileItIsIdle(t *testing.T) {
	const tunnels = 20
	addr := listen(t, func(c net.Conn) { _, _ = io.Copy(c, struct{ io.Reader }{c}) }) // without a pipe of its own
	w := newWorld(t, jsonAnswer(""), resolve(bank+":25", addr))
	before := pipes(t)
	for range tunnels {
		c := w.hold(t)
		_, _ = io.WriteString(c, "CONNECT "+bank+":25 HTTP/1.1\r\nHost: "+bank+":25\r\n\r\n")
		head := make([]byte, len("HTTP/1.1 200 Connection established\r\n\r\n"))
		if _, err := io.ReadFull(c, head); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "there and back"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, len("there and back"))); err != nil {
			t.Fatal(err)
		}
	}
	// net keeps a few for the next ones; a pipe for every direction would have 80 ends.
	if held := pipes(t) - before; held >= 2*tunnels {
		t.Errorf("%d idle tunnels hold %d ends of pipes", tunnels, held)
	}
}
