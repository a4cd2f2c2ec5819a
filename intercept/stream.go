package intercept

import (
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// streamConn is one end of a pipe whose other end an HTTP/2 stream is copied to and from. The stream itself is no connection: a read deadline
// that has passed closes it for good (net/http, h2_bundle.go: onReadTimeout), and net/http sets such deadlines after every HTTP/1 request.
type streamConn struct {
	net.Conn
	local, remote net.Addr
	broken        atomic.Bool // it was reset
}

// LocalAddr implements net.Conn.
func (c *streamConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *streamConn) RemoteAddr() net.Addr { return c.remote }

// CloseWrite ends what the stream's client hears.
func (c *streamConn) CloseWrite() error { return closeWrite(c.Conn) }

// openStream shows a CONNECT stream of an HTTP/2 connection into the hall. It returns when the hall has closed it: the stream lives as long
// as its handler.
func (f *front) openStream(w http.ResponseWriter, r *http.Request, hc *hallConn) {
	inner, outer := newPipe()
	stream := &streamConn{Conn: inner, local: localAddress(r), remote: net.TCPAddrFromAddrPort(remoteAddrPort(r))}
	hc.Conn = stream
	control := http.NewResponseController(w)
	w.WriteHeader(http.StatusOK)
	if err := control.Flush(); err != nil {
		_ = hc.Close()
		return
	}
	said := make(chan struct{})
	go func() {
		defer close(said)
		if _, err := io.Copy(outer, r.Body); err != nil {
			_ = outer.breakOff()
		}
		_ = outer.CloseWrite() // the client has said its last word
	}()
	go f.p.hall.serve(hc)
	_, _ = io.Copy(flushed{w, control, f.p.traffic.newStallTimer(f.p.limits.Stall, control)}, outer)
	_ = outer.Close()
	_ = r.Body.Close()
	<-said
	if stream.broken.Load() {
		panic(http.ErrAbortHandler)
	}
}

// flushed sends every write off at once.
type flushed struct {
	w       io.Writer
	control *http.ResponseController
	stall   *stallTimer
}

// Write implements io.Writer.
func (f flushed) Write(p []byte) (int, error) {
	f.stall.begin()
	defer f.stall.end()
	n, err := f.w.Write(p)
	if err == nil {
		err = f.control.Flush()
	}
	return n, err
}

// localAddress is where the client's connection came to.
func localAddress(r *http.Request) net.Addr {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return a
	}
	return hallAddr{}
}
