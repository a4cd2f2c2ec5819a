package intercept

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// ownAddresses are those of this computer, also where they are nobody's private ones. A connection to them does not leave the computer, so that its packet filter takes it for one of its own,
// and lets it reach what it keeps from everybody else.
type ownAddresses struct {
	mu    sync.Mutex
	all   map[netip.Addr]struct{}
	asked time.Time
	list  func() ([]net.Addr, error) // net.InterfaceAddrs where nil
}

// ownAddressesTime is for how long they are remembered: each connection to upstream asks for them.
const ownAddressesTime = 5 * time.Second

// has reports whether an address is one of them. Where the system does not say, what it said last is true.
func (o *ownAddresses) has(a netip.Addr) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now := time.Now(); now.Sub(o.asked) > ownAddressesTime && o.ask() == nil {
		o.asked = now
	}
	_, ok := o.all[a]
	return ok
}

// ask asks the system. A sandbox may forbid that (AF_NETLINK on Linux).
func (o *ownAddresses) ask() error {
	list := o.list
	if list == nil {
		list = net.InterfaceAddrs
	}
	found, err := list()
	if err != nil {
		return err
	}
	o.all = make(map[netip.Addr]struct{}, len(found))
	for _, one := range found {
		if n, ok := one.(*net.IPNet); ok {
			a, _ := netip.AddrFromSlice(n.IP)
			o.all[a.Unmap()] = struct{}{}
		}
	}
	return nil
}
