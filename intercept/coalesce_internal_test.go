package intercept

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"autodiscover-guard/rules"
)

// stubborn is a connection whose writes wait until somebody takes them.
type stubborn struct {
	net.Conn
	taken chan string
	err   error
}

func (s *stubborn) Write(b []byte) (int, error) {
	s.taken <- string(b)
	return len(b), s.err
}

func (s *stubborn) Close() error { return nil }

func TestCoalesce_together(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := &stubborn{taken: make(chan string)}
		g := coalesce(far)
		write(t, g, "header ")
		synctest.Wait() // it is on its way
		write(t, g, "body ")
		write(t, g, "window")
		for _, want := range []string{"header ", "body window"} {
			if got := <-far.taken; got != want {
				t.Errorf("sent %q, want %q", got, want)
			}
		}
		synctest.Wait()
		write(t, g, "next")
		if got := <-far.taken; got != "next" {
			t.Errorf("sent %q after a pause, want next", got)
		}
	})
}

// TestCoalesce_order has many writers at once: each writer's words arrive whole, and in its order.
func TestCoalesce_order(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // whose clock does not count how slowly somebody reads
		const writers, words = 8, 500
		near, far := net.Pipe()
		g := coalesce(near)
		var all sync.WaitGroup
		for n := range writers {
			all.Go(func() {
				for i := range words {
					if _, err := fmt.Fprintf(g, "%d %d\n", n, i); err != nil {
						t.Error(err)
					}
				}
			})
		}
		go func() { all.Wait(); _ = g.Close() }()
		var next [writers]int
		lines := bufio.NewScanner(far)
		for lines.Scan() {
			var n, i int
			if _, err := fmt.Sscanf(lines.Text(), "%d %d", &n, &i); err != nil || i != next[n] {
				t.Fatalf("got %q, want number %d of writer %d (%v)", lines.Text(), next[n], n, err)
			}
			next[n]++
		}
		for n, got := range next {
			if got != words {
				t.Errorf("%d words of writer %d arrived, want %d", got, n, words)
			}
		}
	})
}

func TestCoalesce_waitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := &stubborn{taken: make(chan string)}
		g := coalesce(far)
		large := strings.Repeat("x", 3*coalesceMost)
		write(t, g, "first")
		synctest.Wait()
		write(t, g, large) // nothing is pending, so it is taken whole
		wrote := make(chan struct{})
		go func() {
			write(t, g, "last")
			close(wrote)
		}()
		synctest.Wait()
		select {
		case <-wrote:
			t.Fatalf("more than %d bytes are pending", coalesceMost)
		default:
		}
		for _, want := range []string{"first", large, "last"} {
			if got := <-far.taken; got != want {
				t.Errorf("sent %.20q (%d bytes), want %.20q (%d)", got, len(got), want, len(want))
			}
		}
		<-wrote
	})
}

func TestCoalesce_failure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("the line is cut")
		far := &stubborn{taken: make(chan string), err: broken}
		g := coalesce(far)
		write(t, g, "first")
		synctest.Wait()
		write(t, g, strings.Repeat("x", coalesceMost))
		failed := make(chan error)
		go func() {
			_, err := io.WriteString(g, "for whom there is no room")
			failed <- err
		}()
		synctest.Wait()
		<-far.taken
		if err := <-failed; !errors.Is(err, broken) {
			t.Errorf("the waiting writer hears %v, want %v", err, broken)
		}
		synctest.Wait() // what was pending is not sent any more
		if _, err := io.WriteString(g, "later"); !errors.Is(err, broken) {
			t.Errorf("a later writer hears %v, want %v", err, broken)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestCoalesce_close does what crypto/tls does at the end (go1.26, conn.go: closeNotify): the alert, a deadline that has passed, Close.
func TestCoalesce_close(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		g := coalesce(near)
		write(t, g, "an answer, ")
		read := make(chan error)
		go func() {
			_, err := g.Read(make([]byte, 1))
			read <- err
		}()
		synctest.Wait() // it is on its way: nobody reads yet
		write(t, g, "and the alert")
		if err := g.SetWriteDeadline(time.Now()); err != nil {
			t.Error(err)
		}
		if _, err := io.WriteString(g, "late"); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("writing after the deadline: %v", err)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the reader hears %v, want that it is closed", err)
		}
		if got, err := io.ReadAll(far); string(got) != "an answer, and the alert" || err != nil {
			t.Errorf("arrived: %q, %v", got, err)
		}
		if err := g.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closing again: %v", err)
		}
	})
}

// TestCoalesce_untilClosed: only a Close makes it closed, to reader and writer; no deadline is none, and the other side's end is that.
func TestCoalesce_untilClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		g := coalesce(near)
		if err := errors.Join(g.SetWriteDeadline(time.Time{}), g.SetDeadline(time.Now().Add(time.Minute)), g.SetDeadline(time.Time{})); err != nil {
			t.Error(err)
		}
		write(t, g, "text")
		if got, err := bufio.NewReader(io.LimitReader(far, 4)).ReadString(0); got != "text" || !errors.Is(err, io.EOF) {
			t.Errorf("arrived: %q, %v", got, err)
		}
		synctest.Wait() // the writer is done
		if err := far.Close(); err != nil {
			t.Error(err)
		}
		if _, err := g.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the other side has closed, and the reader hears %v", err)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		if _, err := io.WriteString(g, "late"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writing after Close: %v", err)
		}
	})
}

func TestCoalesce_close_nobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		g := coalesce(near)
		write(t, g, "nobody takes it")
		synctest.Wait()
		begun := time.Now()
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took != 0 {
			t.Errorf("Close took %s", took)
		}
		time.Sleep(coalesceLinger)
		synctest.Wait()
		if got, err := io.ReadAll(far); len(got) > 0 || err != nil {
			t.Errorf("arrived after %s: %q, %v; want that the connection is closed", coalesceLinger, got, err)
		}
	})
}

// TestCoalesce_tls has the whole of it under a connection of crypto/tls, whose peer must see the end in good form.
func TestCoalesce_tls(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	near, far := net.Pipe()
	ended := make(chan error, 1)
	go func() {
		inside := tls.Server(far, server.TLS)
		got, err := io.ReadAll(inside)
		if string(got) != "one two" {
			err = errors.Join(err, fmt.Errorf("arrived: %q", got))
		}
		ended <- err
		_ = inside.Close()
	}()
	config := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName = "example.com"
	c := tls.Client(coalesce(near), config)
	write(t, c, "one ")
	write(t, c, "two")
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the peer sees %v, want a whole message and TLS's own end", err)
	}
}

// TestCoalesce_where: writes are gathered on connections that exchanges may share, and tunnels stay what splice wants.
func TestCoalesce_where(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	policy, err := rules.New(rules.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Config{Policy: policy, Issuer: nobody{}, Upstream: UpstreamConfig{Private: AllowPrivate()}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ntlm := http.Header{"Authorization": {"NTLM TlRMTVNTUAABAAAA"}}
	for _, c := range []struct {
		name string
		by   *http.Transport
		ctx  context.Context
		want bool
	}{
		{"discovery over TLS", p.transport, dialInfo{purpose: "https"}.attach(t.Context()), true},
		{"discovery in the clear", p.transport, dialInfo{purpose: "http"}.attach(t.Context()), false},
		{"a tunnel", p.transport, dialInfo{purpose: purposeTunnel}.attach(t.Context()), false},
		{"what passes through", p.transports.Load().http11, t.Context(), false},
		{"a connection that logs in", (&exchange{p: p, binding: newBinding(), http1: true}).transport(&http.Request{Header: ntlm}, p.transport), t.Context(), false},
	} {
		conn, err := c.by.DialContext(c.ctx, "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		tells, ok := conn.(*notifyingConn)
		if ok == (c.name == "a tunnel") {
			t.Errorf("for %s a %T is dialled", c.name, conn)
		}
		if ok {
			conn = tells.Conn
		}
		if _, ok := conn.(*coalescingConn); ok != c.want {
			t.Errorf("for %s a %T is dialled", c.name, conn)
		}
	}
}

// nobody signs for nobody.
type nobody struct{}

func (nobody) Leaf(string) (*tls.Certificate, error) { return nil, errors.New("for nobody") }

func write(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if n, err := io.WriteString(w, text); n != len(text) || err != nil {
		t.Errorf("writing %.20q: %d, %v", text, n, err)
	}
}
