package intercept

import "sync/atomic"

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

// counters are what Stats has that nobody else keeps.
type counters struct {
	refused    refusals
	handshakes tally // by how they ended
	failures   tally // of upstreams, by class
}

func newCounters() counters {
	return counters{
		handshakes: newTally(handshakeDone, handshakeUntrusted, handshakeRefused, handshakeEnded, handshakeGone, classTimeout,
			handshakeNotTLS, handshakeStopping, tallyOther),
		failures: newTally(classDNS, classConnect, classTLS, classTimeout, classTruncated, classProtocol, classProxy, classPrivate, classLoop,
			classResources, classCanceled, tallyOther),
	}
}

// refusals count what was refused.
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
