package intercept

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// listening is a plugin that knows how long to listen and nothing else.
func listening(parting context.Context) *Plugin {
	return &Plugin{limits: Limits{Handshake: 9500 * time.Millisecond, Header: 20 * time.Second}, phases: phases{graceOver: parting}}
}

// hello is a ClientHello for a name, as a client sends it.
func hello(t *testing.T, name string) string {
	t.Helper()
	near, far := net.Pipe()
	go func() {
		_ = tls.Client(near, &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}).Handshake()
	}()
	record := make([]byte, 1<<14)
	n, err := far.Read(record)
	if err != nil {
		t.Fatal(err)
	}
	_ = far.Close()
	return string(record[:n])
}

// How the listening at a connection ends, what was heard, and when.
func TestPeekHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		greeting := hello(t, "mail.lab.test")
		tlsEar := func(p *Plugin, c net.Conn) (string, []byte, error) { return p.peekHello(c) }
		firstEar := func(p *Plugin, c net.Conn) (string, []byte, error) {
			heard, err := p.peekFirst(c)
			return "", heard, err
		}
		const stays, leaves, stops = 0, 1, 2
		for name, c := range map[string]struct {
			ear   func(*Plugin, net.Conn) (string, []byte, error)
			says  []string // a second apart
			then  int
			heard string
			host  string
			took  time.Duration
			err   error
		}{
			"a name":                          {ear: tlsEar, says: []string{greeting}, heard: greeting, host: "mail.lab.test"},
			"a name in pieces":                {ear: tlsEar, says: []string{greeting[:1], greeting[1:100], greeting[100:]}, heard: greeting, host: "mail.lab.test", took: 2 * time.Second},
			"no TLS":                          {ear: tlsEar, says: []string{"SSH-2.0-x\r\n"}, heard: "SSH-2.0-x\r\n"},
			"nothing":                         {ear: tlsEar, took: silence},
			"nothing, and it leaves":          {ear: tlsEar, then: leaves, err: io.EOF},
			"nothing, and we stop":            {ear: tlsEar, then: stops, err: context.Canceled},
			"half a handshake":                {ear: tlsEar, says: []string{greeting[:100]}, heard: greeting[:100], took: 9500 * time.Millisecond, err: errSlow},
			"half a handshake, and we stop":   {ear: tlsEar, says: []string{greeting[:100]}, then: stops, heard: greeting[:100], err: context.Canceled},
			"a handshake in drops":            {ear: tlsEar, says: strings.Split(greeting[:30], ""), heard: greeting[:10], took: 9500 * time.Millisecond, err: errSlow},
			"half a handshake, and it leaves": {ear: tlsEar, says: []string{greeting[:100]}, then: leaves, heard: greeting[:100]},
			"half of something else":          {ear: tlsEar, says: []string{"SS"}, heard: "SS", took: 9500 * time.Millisecond},
			"a request":                       {ear: firstEar, says: []string{"GET / HTTP/1.1\r\n"}, heard: "GET / HTTP/1.1\r\n"},
			"a request in pieces":             {ear: firstEar, says: []string{"M", "-SEARCH", " *"}, heard: "M-SEARCH *", took: 2 * time.Second},
			"no method":                       {ear: firstEar, says: []string{"ehlo"}, heard: "ehlo"},
			"too long for a method":           {ear: firstEar, says: []string{strings.Repeat("X", longestMethod), "X"}, heard: strings.Repeat("X", longestMethod+1), took: time.Second},
			"no request":                      {ear: firstEar, took: silence},
			"no request, and it leaves":       {ear: firstEar, then: leaves, err: io.EOF},
			"no request, and we stop":         {ear: firstEar, then: stops, err: context.Canceled},
			"half a method":                   {ear: firstEar, says: []string{"GE"}, heard: "GE", took: 20 * time.Second},
			"half a method, and it leaves":    {ear: firstEar, says: []string{"GE"}, then: leaves, heard: "GE"},
			"half a method, and then we stop": {ear: firstEar, says: []string{"GE"}, then: stops, heard: "GE", err: context.Canceled},
		} {
			near, far := net.Pipe()
			parting, stop := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for i, text := range c.says {
					if i > 0 {
						time.Sleep(time.Second)
					}
					_, _ = io.WriteString(far, text)
				}
				switch c.then {
				case leaves:
					_ = far.Close()
				case stops:
					stop()
				}
			}()
			begun := time.Now()
			host, heard, err := c.ear(listening(parting), near)
			if took := time.Since(begun); host != c.host || string(heard) != c.heard || took != c.took {
				t.Errorf("%s: got %q, %q after %v; want %q, %q after %v", name, host, heard, took, c.host, c.heard, c.took)
			}
			if !errors.Is(err, c.err) {
				t.Errorf("%s: got %v, want %v", name, err, c.err)
			}
			if c.err != nil {
				_ = near.Close() // as its caller does
			}
			<-ended
			if c.err == nil && c.then == stays { // whoever goes on with the connection has all the time that there is
				go func() {
					time.Sleep(time.Hour)
					_, _ = far.Write([]byte{1})
				}()
				if n, err := near.Read(make([]byte, 1)); n != 1 || err != nil {
					t.Errorf("%s: read on: %v", name, err)
				}
			}
			stop()
			_, _ = near.Close(), far.Close()
		}
	})
}

func TestLikeHTTP(t *testing.T) {
	for text, want := range map[string]bool{
		"GET / HTTP/1.1\r\n": true, "M-SEARCH * ": true, "UPDATEREDIRECTREF /": true, strings.Repeat("X", longestMethod) + " ": true,
		"": false, "GET": false, " /": false, "get / ": false, "G3T / ": false, "[ET / ": false, "PRI * HTTP/2.0": false, strings.Repeat("X", longestMethod+1) + " ": false, "\x16\x03\x01": false,
	} {
		if got := likeHTTP([]byte(text)); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

// What was read already is read once, before the rest, in whatever portions.
func TestReplay(t *testing.T) {
	near, far := net.Pipe()
	go func() {
		_, _ = io.WriteString(far, " and the rest")
		_ = far.Close()
	}()
	got, err := io.ReadAll(io.LimitReader(iotest.OneByteReader(&replay{Conn: near, early: []byte("what was read")}), 100))
	if string(got) != "what was read and the rest" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
