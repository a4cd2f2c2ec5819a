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
	p.guests.mu.Lock()
	defer p.guests.mu.Unlock()
	s.Connections, s.Tunnels, s.Clients = p.guests.total[seatConnection], p.guests.total[seatTunnel], len(p.guests.by)
	return s
}

// seat is what a client can take up.
type seat int

const (
	seatConnection seat = iota
	seatTunnel
	// seatRequest is a request over HTTP/2's, of which one connection holds a hundred. One over HTTP/1 has its connection's.
	seatRequest
	// seatLong is an exchange's with a long body: see longBody.
	seatLong
	seats
)

// guests counts who takes up what. Whoever comes when everything is taken is refused and not queued: a queue would let one client's crowd
// stand in front of everybody else.
type guests struct {
	mu    sync.Mutex
	total [seats]int
	by    map[netip.Addr]*[seats]int
}

// denial says why there was no seat.
type denial int

const (
	denialNone denial = iota
	denialTotal
	denialClient
)

// sit takes a seat. The client may be unknown yet (the zero address): then it counts only for all.
func (g *guests) sit(s seat, client netip.Addr, total, perClient int) denial {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.total[s] >= total {
		return denialTotal
	}
	if !g.claim(s, client, perClient) {
		return denialClient
	}
	g.total[s]++
	return denialNone
}

// identify books a seat that was taken by an unknown client on its name.
func (g *guests) identify(s seat, client netip.Addr, perClient int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.claim(s, client, perClient)
}

func (g *guests) claim(s seat, client netip.Addr, perClient int) bool {
	if !client.IsValid() {
		return true
	}
	mine := g.by[client]
	if mine == nil {
		mine = new([seats]int)
		if g.by == nil {
			g.by = make(map[netip.Addr]*[seats]int)
		}
		g.by[client] = mine
	}
	if mine[s] >= perClient {
		return false
	}
	mine[s]++
	return true
}

func (g *guests) leave(s seat, client netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total[s]--
	mine := g.by[client]
	if mine == nil {
		return
	}
	mine[s]--
	if *mine == [seats]int{} {
		delete(g.by, client)
	}
}

// payer is whom a client's seats are booked on. An IPv6 host has at least 64 bits of address to itself (RFC 6177, section 2).
func payer(client netip.Addr) netip.Addr {
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

// seat takes a seat for a connection, a tunnel or a request, or says with which status it is refused.
func (p *Plugin) seat(s seat, client netip.Addr) (status int) {
	total, perClient, refused := p.limits.Connections, p.limits.PerClient, &p.refused.connections
	switch s {
	case seatTunnel:
		total, refused = p.limits.Tunnels, &p.refused.tunnels
	case seatRequest: // a browser asks for all of a page at once
		total, perClient = max(total, mostStreams), max(perClient, mostStreams)
	default:
	}
	switch p.guests.sit(s, payer(client), total, perClient) {
	case denialNone:
		return 0
	case denialTotal:
		status = http.StatusServiceUnavailable
	case denialClient:
		status, refused = http.StatusTooManyRequests, &p.refused.perClient
	}
	refused.add(p, client, crowdText(s, status))
	return status
}

// tunnelSeat is seat for a tunnel. The function gives the seat back; it may be called more than once.
func (p *Plugin) tunnelSeat(client netip.Addr) (release func(), status int) {
	if status = p.seat(seatTunnel, client); status != 0 {
		return nil, status
	}
	return sync.OnceFunc(func() { p.guests.leave(seatTunnel, payer(client)) }), 0
}

// retryAfter is when somebody who was refused for a limit may come again, in seconds.
const retryAfter = "5"

// crowdText says why there was no seat.
func crowdText(s seat, status int) string {
	what := [...]string{seatConnection: "connections", seatTunnel: "tunnels", seatRequest: "requests under way"}[s]
	if status == http.StatusTooManyRequests {
		return "this client has too many " + what + " already"
	}
	return "there are too many " + what + " already"
}
