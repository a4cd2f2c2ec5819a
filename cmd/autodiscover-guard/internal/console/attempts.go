package console

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// maxWrong is how many wrong tokens one address may show at once; then one more for each wrongEvery.
	maxWrong   = 10
	wrongEvery = 10 * time.Second
	// maxAddresses bounds whom we remember.
	maxAddresses = 4096
)

// attempts are the wrong tokens of late, by whom they came from. The zero value has none. It is safe for concurrent use.
type attempts struct {
	mu sync.Mutex
	// until is when all of an address's wrong tokens will be forgotten.
	until map[netip.Prefix]time.Time
}

// wait is how long an address must not try any more; zero when it may.
func (a *attempts) wait(from netip.Prefix, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return max(0, a.until[from].Add(-(maxWrong-1)*wrongEvery).Sub(now))
}

// wrong remembers a wrong token.
func (a *attempts) wrong(from netip.Prefix, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.until == nil {
		a.until = make(map[netip.Prefix]time.Time)
	}
	if _, ok := a.until[from]; !ok && len(a.until) >= maxAddresses {
		a.makeRoom(now)
	}
	since := now
	if last := a.until[from]; last.After(now) {
		since = last
	}
	a.until[from] = since.Add(wrongEvery)
}

// makeRoom forgets what is over, or else whoever has tried least.
func (a *attempts) makeRoom(now time.Time) {
	var least netip.Prefix
	for from, until := range a.until {
		if !until.After(now) {
			delete(a.until, from)
		} else if !least.IsValid() || until.Before(a.until[least]) {
			least = from
		}
	}
	if len(a.until) >= maxAddresses {
		delete(a.until, least)
	}
}

// clientNetwork is the address that a request comes from, as attempts are counted: of IPv6 the network, in which one computer has as many addresses as it likes (RFC 4291,
// section 2.5.4).
func clientNetwork(remote string) netip.Prefix {
	at, _ := netip.ParseAddrPort(remote) // what is none has no network: all those together
	addr, bits := at.Addr().Unmap().WithZone(""), 64
	if addr.Is4() {
		bits = 32
	}
	network, _ := addr.Prefix(bits) // fails for more bits than an address has
	return network
}
