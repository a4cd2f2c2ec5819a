package intercept

import (
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
)

// Stats are the figures that an operator watches. The first group is of now, the second counts since the start.
type Stats struct {
	// Connections are the client connections that were accepted by a [Plugin.Listener] or at the transparent door, and live.
	Connections int
	// Tunnels are the tunnels that live, opened ones and those of HTTP/2 streams too.
	Tunnels int
	// Clients are the addresses (of IPv6: the networks of 64 bits) that these belong to.
	Clients int
	// Quarantined are the pairs of client and host to which mail ports are shut.
	Quarantined int

	// RefusedClients counts who came from outside Config.Clients, connections and requests alike.
	RefusedClients int64
	// RefusedConnections counts connections, and requests over HTTP/2, over Limits.Connections.
	RefusedConnections int64
	// RefusedTunnels counts tunnels over Limits.Tunnels.
	RefusedTunnels int64
	// RefusedPerClient counts connections, requests over HTTP/2 and tunnels over Limits.PerClient.
	RefusedPerClient int64
	// RefusedBodies counts exchanges whose question or answer was not read to its end although it may be discovery, because 256 of more than 64 KiB, or 64 of
	// the client's, were being read or held already.
	RefusedBodies int64
	// RefusedLogins counts requests without a valid Proxy-Authorization, where one is asked for, and those whose Login had too many under way.
	RefusedLogins int64
	// RefusedHeaders counts connections of a Config.ProxyProtocol source without a PROXY header that can be read.
	RefusedHeaders int64
	// RefusedQuarantine counts tunnels to a mail port of a quarantined host.
	RefusedQuarantine int64
	// RefusedLoops counts what leads back to us: connections of the transparent door, requests whose Via names us, and dials of our own addresses.
	RefusedLoops int64
	// RefusedAmbiguous counts connections with a request that another reader could take for a different one.
	RefusedAmbiguous int64
	// RetiredTunnels counts tunnels that were cut off because they had lived for Limits.Lifetime, and other connections that were because they had
	// lived for twice as long.
	RetiredTunnels int64
	// StalledConnections counts connections of clients, streams of HTTP/2 and ends of tunnels that were given up because their other side took nothing of what
	// waited for it for Limits.Stall, or had gone without a word.
	StalledConnections int64
	// FailedAccepts counts how often no connection could be accepted, most of all for want of descriptors. Clients wait meanwhile.
	FailedAccepts int64

	// Handshakes counts TLS handshakes of clients in opened connections by how they ended: done, untrusted (the client does not trust the
	// authority), refused (by us: another name than the tunnel's, or one that nobody signs for), ended (by the client), gone (it went away),
	// timeout, not tls, stopping, other. Every word is a key from the start.
	Handshakes map[string]int64
	// UpstreamErrors counts upstreams that gave no whole answer, or no tunnel, by the word that the record has for it (upstream.error): dns, connect, tls,
	// timeout, truncated, protocol, proxy, private address, loop, resources (no descriptor was left), canceled (the client went away), other. Every word is a key from the start.
	UpstreamErrors map[string]int64
}

// refusals are the counters behind Stats.
type refusals struct {
	clients, connections, tunnels, perClient, bodies                refusal
	logins, headers, quarantine, loops, ambiguous, retired, accepts atomic.Int64
}

// Stats returns the figures as they are now.
func (p *Plugin) Stats() Stats {
	s := Stats{
		RefusedClients:     p.refused.clients.n.Load(),
		RefusedConnections: p.refused.connections.n.Load(),
		RefusedTunnels:     p.refused.tunnels.n.Load(),
		RefusedPerClient:   p.refused.perClient.n.Load(),
		RefusedBodies:      p.refused.bodies.n.Load(),
		RefusedLogins:      p.refused.logins.Load(),
		RefusedHeaders:     p.refused.headers.Load(),
		RefusedQuarantine:  p.refused.quarantine.Load(),
		RefusedLoops:       p.refused.loops.Load(),
		RefusedAmbiguous:   p.refused.ambiguous.Load(),
		RetiredTunnels:     p.refused.retired.Load(),
		StalledConnections: p.traffic.stalled.Load(),
		FailedAccepts:      p.refused.accepts.Load(),
		Quarantined:        p.quarantine.size(),
		Handshakes:         p.handshakes.all(),
		UpstreamErrors:     p.failures.all(),
	}
	p.limiter.mu.Lock()
	defer p.limiter.mu.Unlock()
	s.Connections, s.Tunnels, s.Clients = p.limiter.total[slotConnection], p.limiter.total[slotTunnel], len(p.limiter.by)
	return s
}

// slot is what a client can take up.
type slot int

const (
	slotConnection slot = iota
	slotTunnel
	// slotRequest is a request over HTTP/2's, of which one connection holds a hundred. One over HTTP/1 has its connection's.
	slotRequest
	// slotLongBody is an exchange's with a long body: see longBody.
	slotLongBody
	slotKinds
)

// limiter counts who takes up what. Whoever comes when everything is taken is refused and not queued: a queue would let one client's crowd
// stand in front of everybody else.
type limiter struct {
	mu    sync.Mutex
	total [slotKinds]int
	by    map[netip.Addr]*[slotKinds]int
}

// denial says why there was no seat.
type denial int

const (
	denialNone denial = iota
	denialTotal
	denialClient
)

// acquire takes a seat. The client may be unknown yet (the zero address): then it counts only for all.
func (l *limiter) acquire(s slot, client netip.Addr, total, perClient int) denial {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total[s] >= total {
		return denialTotal
	}
	if !l.claim(s, client, perClient) {
		return denialClient
	}
	l.total[s]++
	return denialNone
}

// assign books a seat that was taken by an unknown client on its name.
func (l *limiter) assign(s slot, client netip.Addr, perClient int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.claim(s, client, perClient)
}

func (l *limiter) claim(s slot, client netip.Addr, perClient int) bool {
	if !client.IsValid() {
		return true
	}
	mine := l.by[client]
	if mine == nil {
		mine = new([slotKinds]int)
		if l.by == nil {
			l.by = make(map[netip.Addr]*[slotKinds]int)
		}
		l.by[client] = mine
	}
	if mine[s] >= perClient {
		return false
	}
	mine[s]++
	return true
}

func (l *limiter) release(s slot, client netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total[s]--
	mine := l.by[client]
	if mine == nil {
		return
	}
	mine[s]--
	if *mine == [slotKinds]int{} {
		delete(l.by, client)
	}
}

// clientKey is whom a client's seats are booked on. An IPv6 host has at least 64 bits of address to itself (RFC 6177, section 2).
func clientKey(client netip.Addr) netip.Addr {
	if client.Is6() && !client.Is4In6() {
		if network, err := client.WithZone("").Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return client.Unmap()
}

// admits reports whether a client may use the proxy. An address that cannot be read is nobody's.
func (p *Plugin) admits(client netip.Addr) bool {
	return within(p.clients, client)
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

// acquire takes a seat for a connection, a tunnel or a request, or says with which status it is refused.
func (p *Plugin) acquire(s slot, client netip.Addr) (status int) {
	total, perClient, refused := p.limits.Connections, p.limits.PerClient, &p.refused.connections
	switch s {
	case slotTunnel:
		total, refused = p.limits.Tunnels, &p.refused.tunnels
	case slotRequest: // a browser asks for all of a page at once
		total, perClient = max(total, mostStreams), max(perClient, mostStreams)
	default:
	}
	switch p.limiter.acquire(s, clientKey(client), total, perClient) {
	case denialNone:
		return 0
	case denialTotal:
		status = http.StatusServiceUnavailable
	case denialClient:
		status, refused = http.StatusTooManyRequests, &p.refused.perClient
	}
	refused.add(p, client, overLimitText(s, status))
	return status
}

// acquireTunnel is seat for a tunnel. The function gives the seat back; it may be called more than once.
func (p *Plugin) acquireTunnel(client netip.Addr) (release func(), status int) {
	if status = p.acquire(slotTunnel, client); status != 0 {
		return nil, status
	}
	return sync.OnceFunc(func() { p.limiter.release(slotTunnel, clientKey(client)) }), 0
}

// retryAfter is when somebody who was refused for a limit may come again, in seconds.
const retryAfter = "5"

// overLimitText says why there was no seat.
func overLimitText(s slot, status int) string {
	what := [...]string{slotConnection: "connections", slotTunnel: "tunnels", slotRequest: "requests under way"}[s]
	if status == http.StatusTooManyRequests {
		return "this client has too many " + what + " already"
	}
	return "there are too many " + what + " already"
}
