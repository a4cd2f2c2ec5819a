package intercept_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"

	"autodiscover-guard/intercept"
)

// lan is the transparent door with a packet filter of our own: who connects to it meant to.
type lan struct {
	*world
	addr string
	to   atomic.Pointer[netip.AddrPort]
	done chan error
	stop context.CancelFunc
}

// The addresses that clients mean. They belong to nobody (RFC 5737); the world's upstreams stand in for them.
const (
	siteAddr  = "192.0.2.10"
	otherAddr = "192.0.2.99"
)

func newLAN(t *testing.T, upstream http.HandlerFunc, options ...option) *lan {
	t.Helper()
	n := &lan{done: make(chan error, 1)}
	options = append(options, func(c *intercept.Config, _ *proxyServer, w *world) {
		for _, addr := range []string{siteAddr, otherAddr} {
			for port, to := range map[string]net.Listener{":443": w.secure.Listener, ":80": w.plain.Listener} {
				if c.Upstream.Resolve[addr+port] == "" {
					c.Upstream.Resolve[addr+port] = to.Addr().String()
				}
			}
		}
		c.OriginalDestination = func(*net.TCPConn) (netip.AddrPort, error) {
			if to := n.to.Load(); to != nil {
				return *to, nil
			}
			return netip.AddrPort{}, errors.New("nobody knows")
		}
	})
	n.world = newWorld(t, upstream, options...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.addr = l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	go func() { n.done <- n.plugin.ServeTransparent(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := await(t, n.done); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("ServeTransparent: got %v", err)
		}
	})
	return n
}

// dial connects to what a client thinks is to.
func (n *lan) dial(t *testing.T, to string) net.Conn {
	t.Helper()
	if to != "" {
		at := netip.MustParseAddrPort(to)
		n.to.Store(&at)
	} else {
		n.to.Store(nil)
	}
	c, err := dial(n.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (n *lan) transport(t *testing.T, to string, h2 bool) *http.Transport {
	transport := n.client(h2)
	transport.Proxy = nil
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return n.dial(t, to), nil }
	return transport
}
