package intercept

import (
	"context"
	"net"
	"net/netip"
)

// Listen listens at addr as it is written: 0.0.0.0 is every IPv4 address and nothing else, [::] is every address. package net would take both for
// the latter (net.ListenConfig.Listen, network "tcp"), and admit clients at addresses that nobody has named.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	return listenWith(ctx, new(net.ListenConfig), addr)
}

func listenWith(ctx context.Context, config *net.ListenConfig, addr string) (net.Listener, error) {
	config.SetMultipathTCP(false) // see boundStalls
	network := "tcp"
	if at, err := netip.ParseAddrPort(addr); err == nil && at.Addr().Is4() {
		network = "tcp4"
	}
	return config.Listen(ctx, network, addr)
}
