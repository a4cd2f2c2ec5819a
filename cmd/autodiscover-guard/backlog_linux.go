package main

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// hasBacklog reports whether somebody has connected to a listener whom it has not accepted yet. Of a socket that listens, tcpi_unacked is the length of that queue
// (net/ipv4/tcp.c, tcp_get_info).
func hasBacklog(l net.Listener) bool {
	s, ok := l.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	var info *unix.TCPInfo
	_ = raw.Control(func(fd uintptr) { info, _ = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	return info != nil && info.Unacked > 0
}
