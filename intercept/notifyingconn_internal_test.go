package intercept

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
)

// ended is a connection that the kernel has ended: a write is told first, and then whoever reads.
type ended struct {
	net.Conn
	read, write    error
	reading, leave chan struct{}
}

func (e *ended) Read([]byte) (int, error) {
	close(e.reading)
	<-e.leave
	return 0, e.read
}

func (e *ended) Write(p []byte) (int, error) {
	if e.write == nil {
		return len(p), nil
	}
	go close(e.leave)
	return 0, e.write
}

// The kernel says once that it has given a connection up, to whoever reads or writes first.
func TestNotifyingConn_stuck(t *testing.T) {
	overdue := &net.OpError{Op: "write", Err: syscall.ETIMEDOUT}
	for _, c := range []struct {
		name              string
		read, write, body error
		want              bool
	}{
		{"the write is told", io.EOF, overdue, io.EOF, true},
		{"the read is told", overdue, syscall.EPIPE, io.EOF, true},
		{"upstream reset it", syscall.ECONNRESET, syscall.EPIPE, io.EOF, false},
		{"the client was given up", io.EOF, nil, &stallError{overdue}, false},
		{"the client left", io.EOF, nil, io.ErrUnexpectedEOF, false},
	} {
		for _, how := range []string{"Write", "ReadFrom"} {
			t.Run(c.name+", "+how, func(t *testing.T) {
				far := &ended{read: c.read, write: c.write, reading: make(chan struct{}), leave: make(chan struct{})}
				conn := &notifyingConn{Conn: far}
				conn.tell(&clientBody{})
				read := make(chan error, 1)
				go func() {
					_, err := conn.Read(nil)
					read <- err
				}()
				<-far.reading
				var err error
				if how == "Write" {
					_, err = conn.Write([]byte("a"))
				} else {
					_, err = conn.ReadFrom(io.MultiReader(strings.NewReader("a"), iotest.ErrReader(c.body)))
				}
				if conn.stuck.Load() != c.want {
					t.Errorf("stuck is %v, want %v, after %v", !c.want, c.want, err)
				}
				if c.write == nil {
					close(far.leave)
				}
				if err := <-read; !errors.Is(err, c.read) {
					t.Errorf("reading ends with %v", err)
				}
			})
		}
	}
}

// Whoever comes to a connection that is closed by then is told at once.
func TestNotifyingConn_closedBefore(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	conn := &notifyingConn{Conn: near}
	_ = conn.Close()
	body := &clientBody{ctx: t.Context(), awaited: true}
	conn.tell(body)
	if !body.gone.Load() {
		t.Error("nobody has told it")
	}
}
