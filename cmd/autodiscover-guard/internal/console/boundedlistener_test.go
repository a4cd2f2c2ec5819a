package console_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

// Whoever comes when there are as many as may be is taken in at once, and it costs whoever has the most what he has used least.
func TestBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		come  string // who comes, in this order; "+1" is that the first is written to, "?1" that it is read from, "-1" that it leaves, "!" that nobody comes
		stays string
	}{
		"room for all":                         {"192.0.2.1 192.0.2.1 192.0.2.1 192.0.2.1", "1 2 3 4"},
		"one of the same address too many":     {"192.0.2.1 192.0.2.1 192.0.2.1 192.0.2.1 192.0.2.1", "2 3 4 5"},
		"another one beside it":                {"192.0.2.2 192.0.2.1 192.0.2.1 192.0.2.1 192.0.2.1 192.0.2.1", "1 4 5 6"},
		"the first is in use":                  {"192.0.2.1 192.0.2.1 192.0.2.1 192.0.2.1 +1 192.0.2.2", "1 3 4 5"},
		"the first says something":             {"192.0.2.1 192.0.2.1 192.0.2.1 192.0.2.1 ?1 192.0.2.2", "1 3 4 5"},
		"nobody can be taken in for a moment":  {"192.0.2.1 ! 192.0.2.1", "1 2"},
		"all from different ones":              {"192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5", "2 3 4 5"},
		"one leaves":                           {"192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 -2 192.0.2.5", "1 3 4 5"},
		"one network has as many as it likes":  {"192.0.2.1 2001:db8::1 2001:db8::2 2001:db8::3 192.0.2.2 192.0.2.3", "1 4 5 6"},
		"IPv4 is the same address within IPv6": {"::ffff:192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.1 192.0.2.5", "2 3 4 5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from := &arrivals{}
			l := console.Bounded(from, 4)
			var there []net.Conn
			for step := range strings.FieldsSeq(c.come) {
				switch at := step[len(step)-1] - '1'; step[0] {
				case '+':
					_, _ = there[at].Write([]byte("x"))
				case '?':
					if n, err := there[at].Read(make([]byte, 1)); n != 1 || !errors.Is(err, io.EOF) {
						t.Errorf("read %d, %v", n, err)
					}
				case '!':
					from.next = netip.Addr{}
					if conn, err := l.Accept(); conn != nil || !errors.Is(err, net.ErrClosed) {
						t.Errorf("got %v, %v", conn, err)
					}
				case '-':
					_ = there[at].Close()
				default:
					from.next = netip.MustParseAddr(step)
					conn, err := l.Accept()
					if err != nil {
						t.Fatal(err)
					}
					there = append(there, conn)
				}
			}
			var stay []string
			for i, conn := range from.all {
				if !conn.closed {
					stay = append(stay, string(rune('1'+i)))
				}
			}
			if got := strings.Join(stay, " "); got != c.stays {
				t.Errorf("%s: %s stay, want %s", c.come, got, c.stays)
			}
		})
	}
}

// arrivals are connections as they come.
type arrivals struct {
	net.Listener
	next netip.Addr
	all  []*arrival
}

func (a *arrivals) Accept() (net.Conn, error) {
	if !a.next.IsValid() {
		return nil, net.ErrClosed
	}
	conn := &arrival{from: a.next}
	a.all = append(a.all, conn)
	return conn, nil
}

type arrival struct {
	net.Conn
	from   netip.Addr
	closed bool
}

func (a *arrival) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.from, 4711))
}
func (a *arrival) Read(p []byte) (int, error)  { return len(p), io.EOF }
func (a *arrival) Write(p []byte) (int, error) { return len(p), nil }
func (a *arrival) Close() error                { a.closed = true; return nil }
