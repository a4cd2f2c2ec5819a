package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/intercept"
)

// doors are the listeners of a guard; transparent and admin may be nil.
type doors struct{ proxy, transparent, admin net.Listener }

// openDoors takes over the service manager's sockets and binds what it has not bound.
func openDoors(ctx context.Context, c config.Listen, s sockets) (*doors, error) {
	d := new(doors)
	for _, door := range []struct {
		at   *net.Listener
		key  string
		bind func() (net.Listener, error)
	}{
		{&d.proxy, "listen.proxy", func() (net.Listener, error) { return listen(ctx, "listen.proxy", c.Proxy) }},
		{&d.transparent, "listen.transparent", func() (net.Listener, error) { return listenTransparent(ctx, c) }},
		{&d.admin, "listen.admin", func() (net.Listener, error) {
			if c.Admin == "" {
				return nil, nil
			}
			return listen(ctx, "listen.admin", c.Admin)
		}},
	} {
		if *door.at = s.take(door.key); *door.at != nil {
			continue
		}
		var err error
		if *door.at, err = door.bind(); err != nil {
			d.close()
			return nil, err
		}
	}
	return d, nil
}

// close closes every door; those that their servers have closed already do not mind.
func (d *doors) close() {
	for _, l := range []net.Listener{d.proxy, d.transparent, d.admin} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// namedDoor is a listener that is there, and its name for scripts.
type namedDoor struct {
	name string
	l    net.Listener
}

// named lists the doors that are there.
func (d *doors) named() (there []namedDoor) {
	for _, n := range []namedDoor{{"proxy", d.proxy}, {"transparent", d.transparent}, {"admin", d.admin}} {
		if n.l != nil {
			there = append(there, n)
		}
	}
	return there
}

// note tells scripts where the doors are. The proxy's address comes last: whoever has waited for it finds the others.
func (d *doors) note(state *stateDir) {
	for _, n := range slices.Backward(d.named()) {
		if n.name == "proxy" {
			n.name = "address"
		}
		state.note(n.name, n.l.Addr().String())
	}
}

// String names the doors and their addresses.
func (d *doors) String() string {
	var all []string
	for _, n := range d.named() {
		all = append(all, n.name+" "+n.l.Addr().String())
	}
	return strings.Join(all, ", ")
}

// listen binds the address and explains what stands in the way.
func listen(ctx context.Context, key, address string) (net.Listener, error) {
	l, err := intercept.Listen(ctx, address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, errAddressTaken):
		how := flagFor(key) + " 127.0.0.1:0 takes any free port"
		if key == "listen.transparent" { // there is no flag for it, and the packet filter has to know its port
			how = key + " in the configuration"
		}
		return nil, hint(fmt.Errorf("%s: %s is taken by another process", key, address), "is a guard running already? otherwise choose another address: %s", how)
	case errors.Is(err, errNotPermitted):
		return nil, hint(fmt.Errorf("%s: no permission to listen on %s", key, address), "ports below 1024 need a privilege; choose a higher one")
	}
	return nil, fmt.Errorf("%s: %w", key, err)
}

// listenTransparent binds the transparent door; nil where there is none.
func listenTransparent(ctx context.Context, c config.Listen) (net.Listener, error) {
	if c.Transparent == "" {
		return nil, nil
	}
	if c.TransparentBy == "tproxy" {
		l, err := intercept.ListenTPROXY(ctx, c.Transparent)
		if err != nil {
			return nil, fmt.Errorf("listen.transparent: %w", err)
		}
		return l, nil
	}
	return listen(ctx, "listen.transparent", c.Transparent)
}

// here is where this computer itself reaches a listener.
func here(address net.Addr) string { return reachedHere(address.String()) }

// reachedHere is the same for an address and a port; what is none stays as it is. All addresses are those of IPv4, too (intercept.Listen), which every reader of a PAC
// knows, and clients.allow often has alone.
func reachedHere(address string) string {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsUnspecified() {
		return address
	}
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), at.Port()).String()
}
