package intercept

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// telling is a connection to upstream that tells the body of the request that goes over it when it is closed: net/http tells nobody before it has read that body on.
type telling struct {
	net.Conn
	body   atomic.Pointer[clientBody]
	closed atomic.Bool
}

// tell has the body told, once.
func (t *telling) tell(b *clientBody) {
	t.body.Store(b)
	if t.closed.Load() {
		t.say()
	}
}

func (t *telling) say() {
	if b := t.body.Swap(nil); b != nil {
		b.bereft()
	}
}

// forget has it not told: the connection may be another request's now.
func (t *telling) forget(b *clientBody) { t.body.CompareAndSwap(b, nil) }

// Close implements net.Conn.
func (t *telling) Close() error {
	err := t.Conn.Close()
	t.closed.Store(true)
	t.say()
	return err
}

// ReadFrom implements io.ReaderFrom, for what the connection itself can do.
func (t *telling) ReadFrom(r io.Reader) (int64, error) { return io.Copy(t.Conn, r) }

// CloseWrite is for who speaks something else than HTTP over it (net/http, transport.go: readWriteCloserBody).
func (t *telling) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return http.ErrNotSupported
}

// dialAlone is dial for the transport whose connections are shared by nobody at the same time.
func (r *reach) dialAlone(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := r.dial(ctx, network, addr)
	if err != nil || purposeOf(ctx, addr) == purposeTunnel {
		return c, err
	}
	return &telling{Conn: c}, nil
}
