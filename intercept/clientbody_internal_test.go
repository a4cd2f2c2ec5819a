package intercept

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// A server may take half a body for the whole and answer, where TLS says the end of it before the connection is closed.
func TestClientBody_answered(t *testing.T) {
	failed := errors.New("failed")
	for _, c := range []struct {
		name   string
		body   io.Reader
		before string // what happens
		err    error  // upstream's
		want   error
		closed bool // the answer
	}{
		{"whole", strings.NewReader("a"), "read", nil, nil, false},
		{"whole, and the client left", strings.NewReader("a"), "read left", nil, nil, false},
		{"it broke off", iotest.ErrReader(failed), "read", nil, errBodyCut, true},
		{"it broke off, and so did the answer", iotest.ErrReader(failed), "read", failed, errBodyCut, false},
		{"it breaks off, and only net/http knows", strings.NewReader("a"), "left", nil, errBodyCut, true},
		{"the client left, and nothing was answered", strings.NewReader("a"), "left", context.Canceled, context.Canceled, false},
		{"upstream was closed for it", strings.NewReader("a"), "left gone", context.Canceled, context.Canceled, false},
		{"upstream was quicker", strings.NewReader("a"), "gone left", nil, nil, false},
		{"upstream was quicker, and nothing was answered", strings.NewReader("a"), "gone left", context.Canceled, io.ErrUnexpectedEOF, false},
		{"upstream fails", strings.NewReader("a"), "", failed, failed, false},
		{"early", strings.NewReader("a"), "", nil, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			b := &clientBody{ReadCloser: io.NopCloser(c.body), ctx: ctx, control: http.NewResponseController(nil), awaited: true}
			for what := range strings.FieldsSeq(c.before) {
				map[string]func(){"read": func() { _, _ = io.ReadAll(b) }, "left": leave, "gone": b.upstreamClosed}[what]()
			}
			answer := &closing{Reader: strings.NewReader("ok")}
			resp := &http.Response{Body: answer}
			if c.err != nil {
				resp = nil
			}
			if err := b.answered(resp, c.err); !errors.Is(err, c.want) || answer.closed != c.closed {
				t.Errorf("got %v, closed: %t; want %v, %t", err, answer.closed, c.want, c.closed)
			}
		})
	}
}

// Behind the exchange nothing more of the body is read, and the connection parts where its end was not.
func TestClientBody_end(t *testing.T) {
	for _, c := range []struct {
		name               string
		open, h1, read     bool
		parted, reads, end bool
	}{
		{"in the middle", true, true, false, true, false, false},
		{"behind the end", true, true, true, false, false, true},
		{"in HTTP/2", true, false, false, false, false, false},
		{"nobody was asked", false, true, false, false, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inner, conn := &closing{Reader: strings.NewReader("")}, new(lingeringClose)
			b := &clientBody{ReadCloser: inner, ctx: t.Context(), control: http.NewResponseController(nil), conn: conn, http1: c.h1, open: c.open}
			if c.read {
				_, _ = b.Read(make([]byte, 1))
			}
			inner.reads = 0
			b.end()
			_, err := b.Read(make([]byte, 1))
			if conn.due() != c.parted || (inner.reads > 0) != c.reads || errors.Is(err, io.EOF) != c.end {
				t.Errorf("parted: %t, %d reads, %v", conn.due(), inner.reads, err)
			}
		})
	}
}

// How a read ends: nothing of the client's is read when nothing is to be, the end looks like one where an error would hide upstream's, and a panic of net/http's ends nothing.
func TestClientBody_readEnds(t *testing.T) {
	closed := func(b *clientBody) { _ = b.Close() }
	for _, c := range []struct {
		name      string
		body      io.Reader
		meanwhile bool // end comes in the middle of the read
		end       func(*clientBody)
		want      error
		reads     int
		done      bool
	}{
		{"open", strings.NewReader("a"), false, func(*clientBody) {}, nil, 1, false},
		{"closed", strings.NewReader("a"), false, closed, errBodyTaken, 0, false},
		{"closed behind its end", strings.NewReader(""), false, func(b *clientBody) { _, _ = b.Read(make([]byte, 1)); closed(b) }, io.EOF, 1, true},
		{"closed meanwhile", iotest.ErrReader(io.ErrUnexpectedEOF), true, closed, errBodyTaken, 1, false},
		{"upstream is gone", strings.NewReader("a"), false, (*clientBody).upstreamClosed, io.EOF, 0, false},
		{"upstream goes meanwhile", iotest.ErrReader(io.ErrUnexpectedEOF), true, (*clientBody).upstreamClosed, io.EOF, 1, false},
		{"upstream goes with the end", strings.NewReader(""), true, (*clientBody).upstreamClosed, io.EOF, 1, false},
		{"upstream goes behind the end", strings.NewReader(""), false, func(b *clientBody) { _, _ = b.Read(make([]byte, 1)); b.upstreamClosed() }, io.EOF, 2, true},
		{"upstream goes when the answer has begun", strings.NewReader("a"), false, func(b *clientBody) { b.leave(); b.upstreamClosed() }, nil, 1, false},
		{"net/http panics", panicking{}, false, func(*clientBody) {}, errBodyTaken, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			inner := &closing{Reader: c.body}
			b := &clientBody{ReadCloser: inner, ctx: t.Context(), control: http.NewResponseController(nil), http1: true, awaited: true}
			if c.meanwhile {
				inner.meanwhile = func() { c.end(b) }
			} else {
				c.end(b)
			}
			if _, err := b.Read(make([]byte, 1)); !errors.Is(err, c.want) || inner.reads != c.reads || inner.closed || b.done() != c.done {
				t.Errorf("got %v after %d reads, closed: %t, done: %t; want %v after %d", err, inner.reads, inner.closed, b.done(), c.want, c.reads)
			}
		})
	}
	inner := new(closing)
	if _ = (&clientBody{ReadCloser: inner}).Close(); !inner.closed {
		t.Error("in HTTP/2 nothing is closed")
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("invalid concurrent Body.Read call") }

// closing counts.
type closing struct {
	io.Reader
	meanwhile func()
	reads     int
	closed    bool
}

func (c *closing) Read(p []byte) (int, error) {
	c.reads++
	if c.meanwhile != nil {
		c.meanwhile()
	}
	return c.Reader.Read(p)
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// An upstream that answers early has the transport close the body in the middle of a read. In HTTP/2 that ends the read, and not the client.
func TestClientBody_closedWhileRead(t *testing.T) {
	for _, h1 := range []bool{true, false} {
		up, client := io.Pipe()
		b := &clientBody{ReadCloser: up, ctx: t.Context(), http1: h1, awaited: true}
		read := make(chan error, 1)
		go func() {
			_, _ = b.Read(make([]byte, 1))
			_, err := b.Read(make([]byte, 1))
			read <- err
		}()
		_, _ = io.WriteString(client, "a") // a read is over, and another one begins
		_ = b.Close()
		_ = up.Close() // in HTTP/1 the connection's end
		if err := <-read; err == nil {
			t.Error("there was nothing to read")
		}
		if err := b.answered(&http.Response{Body: io.NopCloser(strings.NewReader("ok"))}, nil); err != nil {
			t.Errorf("HTTP/1 is %t: the early answer is lost: %v", h1, err)
		}
	}
}
