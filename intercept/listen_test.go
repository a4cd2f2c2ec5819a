package intercept_test

import (
	"context"
	"net"
	"testing"

	"autodiscover-guard/intercept"
)

// What is listened on is what is written: a wildcard of IPv4 leaves the same port of IPv6 to others.
func TestListen_wildcardOfIPv4(t *testing.T) {
	for name, listen := range map[string]func(context.Context, string) (net.Listener, error){"any": intercept.Listen, "TPROXY": intercept.ListenTPROXY} {
		t.Run(name, func(t *testing.T) {
			for _, address := range []string{"0.0.0.0:0", "127.0.0.1:0"} {
				l, err := listen(t.Context(), address)
				if err != nil && name == "TPROXY" {
					t.Skip("not allowed here: ", err)
				}
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				if at := l.Addr().(*net.TCPAddr); at.AddrPort().Addr().String()+":0" != address {
					t.Errorf("%s: listens at %s", address, at)
				}
			}
		})
	}
	// The other wildcard still is both, where there is IPv6.
	l, err := intercept.Listen(t.Context(), "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	c, err := net.Dial("tcp4", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
