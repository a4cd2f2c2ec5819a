package intercept

import (
	"context"
	"errors"
	"io"
	"sync"
)

// streamTunnel is a tunnel in an HTTP/2 stream, as traffic tracks it, and what its client says. goproxy v1.9.4, https.go ends such a tunnel in both directions when nothing more can be read from
// the client: it then gives up its writes to the client, too. So the client's last word is told to the far side here, and goproxy hears of it when the far side has said its own.
type streamTunnel struct {
	io.ReadCloser                 // what the client says
	ctx           context.Context //nolint:containedctx // the request's, which ends when the client resets the stream
	far           *farSide
	once          sync.Once
	closed        chan struct{} // nothing more is carried to the client
}

func newStreamTunnel(ctx context.Context, body io.ReadCloser, far *farSide) *streamTunnel {
	return &streamTunnel{ReadCloser: body, ctx: ctx, far: far, closed: make(chan struct{})}
}

// Read implements io.Reader.
func (s *streamTunnel) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	switch {
	case n > 0 || err == nil || s.isClosed():
		return n, err
	case !errors.Is(err, io.EOF): // RFC 9113, section 8.5: a stream that breaks off is an RST
		s.far.reset()
		return 0, err
	case !s.far.closeWrite():
		return 0, err
	}
	select {
	case <-s.closed:
		return 0, io.EOF
	case <-s.ctx.Done():
		s.far.reset()
		return 0, s.ctx.Err()
	}
}

// Close implements io.Closer. goproxy calls it when the far side has ended.
func (s *streamTunnel) Close() error {
	s.once.Do(func() { close(s.closed) })
	return s.ReadCloser.Close()
}

func (s *streamTunnel) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// cutOff is the tunnel as traffic tracks it: to close it ends what is written to the far side, or awaited from it, too. Its handler has it tracked no more.
type cutOff struct{ *streamTunnel }

// Close cuts the tunnel off.
func (c cutOff) Close() error {
	c.far.close()
	return c.streamTunnel.Close()
}
