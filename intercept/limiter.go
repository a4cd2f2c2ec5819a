package intercept

import (
	"net/http"
	"net/netip"
	"sync"
)

// slot is a kind of thing of which everybody together, and one client, may have so many.
type slot int

const (
	slotConnection slot = iota
	slotTunnel
	// slotRequest is for a request over HTTP/2, of which one connection holds a hundred. One over HTTP/1 has its connection's slot.
	slotRequest
	// slotLongBody is for an exchange with a long body: see longBody.
	slotLongBody
	slotKinds
)

// limiter counts which client holds how many slots. Whoever comes when all are taken is refused and not queued: a queue would let one client's crowd
// stand in front of everybody else.
type limiter struct {
	mu    sync.Mutex
	total [slotKinds]int
	by    map[netip.Addr]*[slotKinds]int
}

// denial says why there was no slot.
type denial int

const (
	denialNone denial = iota
	denialTotal
	denialClient
)

// acquire takes a slot. The client may be unknown yet (the zero address): then it counts only for all.
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

// assign counts a slot, which was acquired for an unknown client, as that client's. It reports false where the client has too many.
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

// admits reports whether a client may use the proxy. One whose address cannot be read may not.
func (p *Plugin) admits(client netip.Addr) bool {
	return within(p.clients, client)
}

// acquire takes a slot for a connection, a tunnel or a request. status is 0, or that with which it is refused.
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

// acquireTunnel is acquire for a tunnel. release gives the slot back; it may be called more than once.
func (p *Plugin) acquireTunnel(client netip.Addr) (release func(), status int) {
	if status = p.acquire(slotTunnel, client); status != 0 {
		return nil, status
	}
	return sync.OnceFunc(func() { p.limiter.release(slotTunnel, clientKey(client)) }), 0
}

// retryAfter is when somebody who was refused for a limit may come again, in seconds.
const retryAfter = "5"

// overLimitText says why there was no slot.
func overLimitText(s slot, status int) string {
	what := [...]string{slotConnection: "connections", slotTunnel: "tunnels", slotRequest: "requests under way"}[s]
	if status == http.StatusTooManyRequests {
		return "this client has too many " + what + " already"
	}
	return "there are too many " + what + " already"
}
