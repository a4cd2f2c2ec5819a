package intercept

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// originalDestination asks the kernel where a redirected connection was meant to go: netfilter's connection tracking for REDIRECT
// (SO_ORIGINAL_DST), else the connection itself, because TPROXY leaves the addresses as they are. A connection that was made to the listener
// has its own address there.
func originalDestination(c *net.TCPConn) (netip.AddrPort, error) {
	local, ok := c.LocalAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("reading the original destination: %v is not a TCP address", c.LocalAddr())
	}
	at := netip.AddrPortFrom(local.AddrPort().Addr().Unmap(), local.AddrPort().Port())
	raw, err := c.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("reading the original destination: %w", err)
	}
	tracked := at
	err = raw.Control(func(fd uintptr) {
		var to netip.AddrPort
		var err error
		if at.Addr().Is4() {
			to, err = tracked4(int(fd))
		} else {
			to, err = tracked6(int(fd))
		}
		if err == nil { // ENOENT, ENOPROTOOPT: nobody tracks connections here, so nothing was rewritten
			tracked = to
		}
	})
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("reading the original destination: %w", err)
	}
	return tracked, nil
}

// tracked4 reads a sockaddr_in. x/sys has no call for it; the structure that it goes into is 20 bytes long and begins with 16 plain ones.
func tracked4(fd int) (netip.AddrPort, error) {
	raw, err := unix.GetsockoptIPv6Mreq(fd, unix.IPPROTO_IP, unix.SO_ORIGINAL_DST)
	if err != nil {
		return netip.AddrPort{}, err
	}
	b := raw.Multiaddr
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), binary.BigEndian.Uint16(b[2:4])), nil
}

// tracked6 reads a sockaddr_in6 (ip6_tables.h: IP6T_SO_ORIGINAL_DST has the same number), with which an ip6_mtuinfo begins.
func tracked6(fd int) (netip.AddrPort, error) {
	raw, err := unix.GetsockoptIPv6MTUInfo(fd, unix.IPPROTO_IPV6, unix.SO_ORIGINAL_DST)
	if err != nil {
		return netip.AddrPort{}, err
	}
	var port [2]byte
	binary.NativeEndian.PutUint16(port[:], raw.Addr.Port)
	return netip.AddrPortFrom(netip.AddrFrom16(raw.Addr.Addr).Unmap(), binary.BigEndian.Uint16(port[:])), nil
}

// fromTPROXY reports whether a connection came by a listener for TPROXY, ours or systemd's (Transparent=): its local address need not be this computer's.
func fromTPROXY(c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	transparent := 0
	err = raw.Control(func(fd uintptr) {
		// Of IPv6 sockets, too: the kernel has one mark for both (include/net/inet_sock.h: INET_FLAGS_TRANSPARENT).
		transparent, _ = unix.GetsockoptInt(int(fd), unix.SOL_IP, unix.IP_TRANSPARENT)
	})
	return err == nil && transparent != 0
}

// ListenTPROXY listens for connections that an nftables rule with "tproxy to" sends to addr. It needs CAP_NET_ADMIN. For "redirect to", any
// listener will do. Where the system is not Linux it fails.
func ListenTPROXY(ctx context.Context, addr string) (net.Listener, error) {
	config := net.ListenConfig{Control: func(network, _ string, raw syscall.RawConn) error {
		var err error
		if e := raw.Control(func(fd uintptr) { err = markTransparent(int(fd), network) }); e != nil {
			return e
		}
		return err
	}}
	l, err := listenWith(ctx, &config, addr)
	if err != nil {
		return nil, fmt.Errorf("listening for TPROXY at %s (this needs CAP_NET_ADMIN): %w", addr, err)
	}
	return l, nil
}

func markTransparent(fd int, network string) error {
	if network == "tcp6" {
		if err := unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1); err != nil {
			return err
		}
		// An IPv6 socket may serve IPv4 too; one that does not has nothing to set.
		_ = unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_TRANSPARENT, 1)
		return nil
	}
	return unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_TRANSPARENT, 1)
}
