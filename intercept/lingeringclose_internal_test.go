package intercept

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// halfPipe is a connection that can say that nothing more comes.
type halfPipe struct {
	net.Conn
	said bool
}

func (h *halfPipe) CloseWrite() error {
	h.said = true
	return nil
}

// A connection that parts says its last word and waits for its client to go, once, and not for long; any other is closed at once.
func TestLingeringClose_linger(t *testing.T) {
	for name, c := range map[string]struct {
		due, gone, stops bool
		before           time.Duration // the client says more, and goes then
		takes            time.Duration
	}{
		"not due":              {},
		"nobody goes":          {due: true, takes: lingerTime},
		"the client goes":      {due: true, gone: true, before: time.Second, takes: time.Second},
		"the guard stops":      {due: true, stops: true, before: time.Second, takes: time.Second},
		"the client is chatty": {due: true, before: time.Hour, takes: lingerTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				stopping, stop := context.WithCancel(t.Context())
				defer stop()
				done := make(chan struct{})
				go func() {
					defer close(done)
					for end := time.Now().Add(c.before); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
						if _, err := io.WriteString(far, "more"); err != nil {
							return
						}
					}
					if c.gone {
						_ = far.Close()
					}
					if c.stops {
						stop()
					}
				}()
				var p lingeringClose
				if c.due {
					p.lingerOnClose()
				}
				conn, began := &halfPipe{Conn: near}, time.Now()
				p.linger(stopping, conn)
				if took := time.Since(began).Round(100 * time.Millisecond); took != c.takes || conn.said != c.due || p.due() != c.due {
					t.Errorf("took %v, last words: %t, due: %t", took, conn.said, p.due())
				}
				conn.said, began = false, time.Now()
				p.linger(stopping, conn)
				if time.Since(began) != 0 || conn.said {
					t.Errorf("closing once more took %v, last words: %t", time.Since(began), conn.said)
				}
				_, _ = near.Close(), far.Close()
				<-done
			})
		})
	}
}

// What the client still sends does not cost it the answer: the connection is not reset.
func TestLingeringClose_doors(t *testing.T) {
	for name, door := range map[string]func(*Plugin, *net.TCPConn) net.Conn{
		"TCP": func(p *Plugin, c *net.TCPConn) net.Conn {
			return &clientTCP{TCPConn: c, state: &connState{p: p, conn: c}}
		},
		"other": func(p *Plugin, c *net.TCPConn) net.Conn {
			return &clientConn{Conn: c, state: &connState{p: p, conn: c}}
		},
		"inner": func(p *Plugin, c *net.TCPConn) net.Conn { return &strictConn{Conn: c, p: p, last: new(lastWord)} },
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			client, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			_ = client.SetDeadline(time.Now().Add(20 * time.Second))
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			conn := door(&Plugin{phases: phases{graceOver: t.Context()}}, c.(*net.TCPConn))
			if _, err := io.WriteString(client, "more"); err != nil {
				t.Fatal(err)
			}
			conn.(lingerer).lingerOnClose()
			if n, err := conn.Read(make([]byte, 1)); n != 0 || err != io.EOF { //nolint:errorlint // as io.Reader has it
				t.Errorf("read %d bytes, %v", n, err)
			}
			_, _ = io.WriteString(conn, "answer")
			closed := make(chan error, 1)
			go func() { closed <- conn.Close() }()
			if got, err := io.ReadAll(client); string(got) != "answer" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
			_ = client.Close()
			if err := <-closed; err != nil {
				t.Errorf("closing: %v", err)
			}
		})
	}
}
