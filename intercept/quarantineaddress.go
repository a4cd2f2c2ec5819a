package intercept

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// addressWait is how long a connection may wait until it is known where the hosts are that its client was kept from, addressRetry
	// after what time a host is looked up anew that could not be found.
	addressWait  = 3 * time.Second
	addressRetry = time.Minute
	// addressLookups bounds the sockets that it takes: as many hosts are looked up at once as one client may have.
	addressLookups = quarantineHosts
)

// hostAddresses are the addresses of a host in quarantine. They are looked up when its client makes a connection that names no host, and then known
// for as long as the quarantine lasts.
type hostAddresses struct {
	turn  chan struct{} // taken by whoever looks at the rest
	name  string        // what was looked up: the host, or what Upstream.Resolve has in its place
	addrs []netip.Addr
	until time.Time
}

func newHostAddresses() *hostAddresses { return &hostAddresses{turn: make(chan struct{}, 1)} }

// lookupFunc looks up a name's addresses.
type lookupFunc func(ctx context.Context, name string) ([]netip.Addr, error)

// find returns the addresses, or none where nobody tells in time. Who comes while they are looked up waits for them.
func (w *hostAddresses) find(ctx context.Context, name string, now, until time.Time, ask lookupFunc) []netip.Addr {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return nil
	}
	if w.name == name && now.Before(w.until) {
		return w.addrs
	}
	addrs, err := ask(ctx, name)
	if errors.Is(ctx.Err(), context.Canceled) { // the guard ends
		return nil
	}
	if err != nil {
		addrs, until = nil, now.Add(addressRetry)
	}
	w.name, w.addrs, w.until = name, addrs, until
	return addrs
}

// quarantinedAt reports whether a tunnel to an address is refused to a client that has named no host, because a host that it was kept from has that
// address, and tells of it.
func (p *Plugin) quarantinedAt(client netip.Addr, t target) bool {
	if !mailPort(t.port) {
		return false
	}
	to, err := netip.ParseAddr(t.host)
	if err != nil {
		return false
	}
	now := p.clock()
	hosts := p.quarantine.of(client, now)
	if len(hosts) == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(p.ending, addressWait)
	defer cancel()
	var found atomic.Pointer[string]
	var asked sync.WaitGroup
	for host, k := range hosts {
		asked.Go(func() {
			name, ok := p.dialer.dialName(target{host: host, port: t.port})
			if !ok {
				return
			}
			if at, err := netip.ParseAddr(name); err == nil && leadsTo(to, at) ||
				err != nil && slices.ContainsFunc(k.at.find(ctx, name, now, k.until, p.lookUp), func(at netip.Addr) bool { return leadsTo(to, at) }) {
				found.Store(&host)
			}
		})
	}
	asked.Wait()
	host := found.Load()
	if host == nil {
		return false
	}
	p.keepFrom(client, t, "the address is that of "+*host+", and the client was kept from it ")
	return true
}

// lookUp looks up a name in its turn.
func (p *Plugin) lookUp(ctx context.Context, name string) ([]netip.Addr, error) {
	select {
	case p.quarantine.lookups <- struct{}{}:
		defer func() { <-p.quarantine.lookups }()
		return p.dialer.lookUp(ctx, name)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// leadsTo reports whether an address is a host's, or carries it inside (NAT64).
func leadsTo(to, host netip.Addr) bool {
	to, host = to.Unmap(), host.Unmap()
	inner, _ := carried(to)
	return to == host || inner == host
}
