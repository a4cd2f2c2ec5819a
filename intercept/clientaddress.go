package intercept

import (
	"net"
	"net/http"
	"net/netip"

	"go.uber.org/zap"
)

// remoteAddrPort is the client's address and port; zero values where they cannot be read.
func remoteAddrPort(r *http.Request) netip.AddrPort {
	ap, _ := netip.ParseAddrPort(r.RemoteAddr)
	return ap
}

// remoteAddress is the client's address; the zero address, which nobody admits, where it cannot be read.
func remoteAddress(r *http.Request) netip.Addr {
	return remoteAddrPort(r).Addr().Unmap()
}

// clientAddress is a remote address without its port, which tells nothing and differs every time.
func clientAddress(remote string) string {
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		return ap.Addr().Unmap().String()
	}
	return remote
}

// clientField names the client of a connection in a line of the log.
func clientField(c net.Conn) zap.Field {
	return zap.String(keyClient, clientAddress(c.RemoteAddr().String()))
}

// addressOf is the IP address of a connection's end; the zero address where it has none.
func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	ap, _ := netip.ParseAddrPort(a.String())
	return ap.Addr().Unmap()
}

// clientKey is the address that a client's limits are held against: of IPv6 the network of 64 bits, because a host has at least that many addresses to itself
// (RFC 6177, section 2).
func clientKey(client netip.Addr) netip.Addr {
	if client.Is6() && !client.Is4In6() {
		if network, err := client.WithZone("").Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return client.Unmap()
}

func within(ranges []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, r := range ranges {
		if r.Contains(addr) {
			return true
		}
	}
	return false
}
