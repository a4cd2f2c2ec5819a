package intercept

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/zap"
)

// Who connected before a stop began is looked at although it has: his computer, or ours, is busy. Who came later is not.
func TestTransparent_acceptedBeforeAStop(t *testing.T) {
	asked := 0
	p := &Plugin{logger: zap.NewNop(), original: func(*net.TCPConn) (netip.AddrPort, error) {
		asked++
		return netip.AddrPort{}, errors.New("nobody knows")
	}}
	p.traffic.expect() // the stop lasts
	p.traffic.drain()
	defer p.traffic.arrive()
	door := transparent{f: &front{p: p}}
	for after, want := range map[time.Duration]int{-time.Minute: 1, time.Minute: 0} {
		asked = 0
		c := &net.TCPConn{}
		door.serve(&clientTCP{TCPConn: c, state: &connState{p: p, conn: c, accepted: time.Now().Add(after)}})
		if asked != want {
			t.Errorf("%s after the stop: looked at %d times, want %d", after, asked, want)
		}
	}
}
