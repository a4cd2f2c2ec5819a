package intercept

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/zap"
)

type crashingReader struct{}

func (crashingReader) Read([]byte) (int, error) { panic("boom") }

// A panic costs its tunnel and not the process.
func TestByAddress_panic(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	p := &Plugin{logger: zap.NewNop(), limits: Limits{Handshake: time.Minute}}
	b := &byAddress{Conn: near, front: &front{p: p}, to: target{host: "192.0.2.1", port: portHTTPS}, early: []byte{recordTypeHandshake}}
	if _, err := b.ReadFrom(crashingReader{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the far side got %v, want the end", err)
	}
}
