package intercept

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// pipeEnd is one end of a pipe that can be closed by half, which those of net.Pipe cannot.
type pipeEnd struct {
	net.Conn              // what is read
	out      net.Conn     // what is written
	cut      *atomic.Bool // what is written breaks off
	broken   *atomic.Bool // what is read does
}

// newPipe makes a pipe.
func newPipe() (near, far *pipeEnd) {
	nearIn, farOut := net.Pipe()
	farIn, nearOut := net.Pipe()
	cut, broken := new(atomic.Bool), new(atomic.Bool)
	return &pipeEnd{nearIn, nearOut, cut, broken}, &pipeEnd{farIn, farOut, broken, cut}
}

// Read implements net.Conn.
func (e *pipeEnd) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	if errors.Is(err, io.EOF) && e.broken.Load() {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Write implements net.Conn.
func (e *pipeEnd) Write(p []byte) (int, error) { return e.out.Write(p) }

// CloseWrite tells the other end that nothing more comes.
func (e *pipeEnd) CloseWrite() error { return e.out.Close() }

// Close implements net.Conn.
func (e *pipeEnd) Close() error { return errors.Join(e.Conn.Close(), e.out.Close()) }

// breakOff closes the end so that the other one does not take what came for the whole.
func (e *pipeEnd) breakOff() error {
	e.cut.Store(true)
	return e.Close()
}

// SetDeadline implements net.Conn.
func (e *pipeEnd) SetDeadline(t time.Time) error {
	return errors.Join(e.SetReadDeadline(t), e.SetWriteDeadline(t))
}

// SetWriteDeadline implements net.Conn.
func (e *pipeEnd) SetWriteDeadline(t time.Time) error { return e.out.SetWriteDeadline(t) }
