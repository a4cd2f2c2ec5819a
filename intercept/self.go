package intercept

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// self is where we listen. Dialling that would come back here, and so on until no descriptor is left.
type self struct {
	mu    sync.RWMutex
	at    map[netip.AddrPort]struct{}
	every map[uint16]struct{} // ports at all addresses of the computer
	own   ownAddresses
}

// maxSelf bounds what is remembered; a computer with more addresses than that tells its listeners.
const maxSelf = 4096

// Listening tells the plugin an address that leads to it, so that it never dials itself, whatever name resolves to the address. It learns by
// itself those of [Plugin.Listener], of the transparent door, and of connections that came by [Plugin.ConnContext]; what somebody else
// forwards to it (a load balancer's address, a port of a container's host) it has to be told.
func (p *Plugin) Listening(addr net.Addr) {
	var at netip.AddrPort
	switch a := addr.(type) {
	case *net.TCPAddr:
		at = a.AddrPort()
	case nil:
		return
	default:
		at, _ = netip.ParseAddrPort(addr.String())
	}
	if at.Port() != 0 && at.Addr().IsValid() {
		p.self.add(netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port()))
	}
}

func (s *self) add(at netip.AddrPort) {
	if s.knows(at) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.Addr().IsUnspecified() {
		if s.every == nil {
			s.every = make(map[uint16]struct{})
		}
		s.every[at.Port()] = struct{}{}
		return
	}
	if s.at == nil {
		s.at = make(map[netip.AddrPort]struct{})
	}
	if len(s.at) < maxSelf {
		s.at[at] = struct{}{}
	}
}

func (s *self) knows(at netip.AddrPort) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if at.Addr().IsUnspecified() {
		_, ok := s.every[at.Port()]
		return ok
	}
	_, ok := s.at[at]
	return ok
}

// is reports whether a connection to the address would come to us.
func (s *self) is(to netip.AddrPort) bool {
	if s.knows(to) {
		return true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if to.Addr().IsUnspecified() { // several systems connect it to themselves
		for at := range s.at {
			if at.Port() == to.Port() {
				return true
			}
		}
	}
	_, everywhere := s.every[to.Port()]
	return everywhere && ofThisComputer(to.Addr())
}

func ofThisComputer(a netip.Addr) bool {
	if a.IsLoopback() || a.IsUnspecified() {
		return true
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true // better refused than looped
	}
	for _, one := range all {
		if n, ok := one.(*net.IPNet); ok && n.IP.Equal(a.AsSlice()) {
			return true
		}
	}
	return false
}

var (
	errPrivate  = errors.New("the address is private")
	errComputer = fmt.Errorf("%w: it is the computer's own", errPrivate)
	errLoop     = errors.New("the address is our own")
)

// dialControl is what a net.Dialer asks before each connection it makes: by then the name is resolved, and nobody can resolve it once more to
// something else.
type dialControl func(ctx context.Context, network, address string, c syscall.RawConn) error

// checked refuses our own addresses, and what private does not allow. looped is called with the former.
func (s *self) checked(private Private, looped func(address string)) dialControl {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return errPrivate // unknown means refuse
		}
		to = netip.AddrPortFrom(to.Addr().Unmap().WithZone(""), to.Port())
		switch {
		case s.is(to):
			looped(address)
			return errLoop
		case private.refuses(to.Addr()):
			return errPrivate
		case !private.allows(to.Addr()) && s.own.has(to.Addr()):
			return errComputer
		}
		return nil
	}
}
