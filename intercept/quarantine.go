package intercept

import (
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/rules"
)

const (
	// quarantineTime is the default of Config.Quarantine: longer than a client's setup takes with all its retries.
	quarantineTime = 10 * time.Minute
	// quarantineHosts and quarantineClients bound the memory: what one client can shut for itself, and for how many it is remembered.
	quarantineHosts   = 64
	quarantineClients = 1024
)

// mailPorts are where mail is sent, fetched and filtered: the IANA registry's smtp, pop3, imap, submissions, submission, imaps, pop3s and sieve.
var mailPorts = [...]uint16{25, 110, 143, 465, 587, 993, 995, 4190}

// MailPorts are the ports that Config.Quarantine shuts, in ascending order. A packet filter in front of the transparent door has to send them there.
func MailPorts() []uint16 { return slices.Clone(mailPorts[:]) }

func mailPort(port uint16) bool { return slices.Contains(mailPorts[:], port) }

// quarantine remembers which hosts a client was kept from. A client that heard of one in a way that the guard does not see (another protocol, a
// cache, a guess) would next offer its password there.
type quarantine struct {
	duration time.Duration // not positive: nothing is remembered
	lookups  chan struct{} // a semaphore
	mu       sync.Mutex
	clients  map[netip.Addr]map[string]kept
}

// kept is what is remembered of a host.
type kept struct {
	until time.Time
	at    *hostAddresses
}

// add shuts host's mail ports to client.
func (q *quarantine) add(client netip.Addr, host string, now time.Time) {
	if q.duration <= 0 || !client.IsValid() || host == "" {
		return
	}
	client = clientKey(client)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.clients == nil {
		q.clients = make(map[netip.Addr]map[string]kept)
	}
	hosts := q.clients[client]
	if hosts == nil {
		if len(q.clients) >= quarantineClients {
			evict(q.clients, quarantineClients, now, lastUntil)
		}
		hosts = make(map[string]kept)
		q.clients[client] = hosts
	}
	k, known := hosts[host]
	if !known {
		k.at = newHostAddresses()
		if len(hosts) >= quarantineHosts {
			dropFirst(hosts)
		}
	}
	k.until = now.Add(q.duration)
	hosts[host] = k
}

// lastUntil is when all of a client's hosts will be forgotten.
func lastUntil(hosts map[string]kept) (last time.Time) {
	for _, k := range hosts {
		if k.until.After(last) {
			last = k.until
		}
	}
	return last
}

// evict makes room in what is remembered of clients: it removes those of whom nothing counts any more and, where there still are most of them, the one
// that would be next.
func evict[V any](clients map[netip.Addr]V, most int, now time.Time, until func(V) time.Time) {
	var first netip.Addr
	var earliest time.Time
	for client, v := range clients {
		switch t := until(v); {
		case !t.After(now):
			delete(clients, client)
		case !first.IsValid() || t.Before(earliest):
			first, earliest = client, t
		}
	}
	if len(clients) >= most {
		delete(clients, first)
	}
}

func dropFirst(hosts map[string]kept) {
	var first string
	for host, k := range hosts {
		if first == "" || k.until.Before(hosts[first].until) {
			first = host
		}
	}
	delete(hosts, first)
}

// holds reports whether host's mail ports are shut to client.
func (q *quarantine) holds(client netip.Addr, host string, now time.Time) bool {
	client = clientKey(client)
	q.mu.Lock()
	defer q.mu.Unlock()
	k, ok := q.clients[client][host]
	if !ok {
		return false
	}
	if k.until.After(now) {
		return true
	}
	delete(q.clients[client], host)
	if len(q.clients[client]) == 0 {
		delete(q.clients, client)
	}
	return false
}

// of are the hosts that are shut to client.
func (q *quarantine) of(client netip.Addr, now time.Time) map[string]kept {
	q.mu.Lock()
	defer q.mu.Unlock()
	var hosts map[string]kept
	for host, k := range q.clients[clientKey(client)] {
		if !k.until.After(now) {
			continue
		}
		if hosts == nil {
			hosts = make(map[string]kept)
		}
		hosts[host] = k
	}
	return hosts
}

// lately says how long ago at most a client was kept from a host that is still shut to it.
func (q *quarantine) lately() string {
	return "less than " + strconv.Itoa(int(q.duration.Minutes())) + " minutes ago"
}

func (q *quarantine) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, hosts := range q.clients {
		n += len(hosts)
	}
	return n
}

// quarantineStrangers puts the hosts that an answer may not name to a guarded subject into quarantine. It is called before the client gets a byte of the
// answer. Rules that only monitor change nothing, here neither.
func (x *exchange) quarantineStrangers() {
	if x.decision.Action <= rules.ActionPass || x.p.quarantine.duration <= 0 {
		return
	}
	for _, stranger := range x.decision.Strangers[:min(len(x.decision.Strangers), quarantineHosts)] {
		if host, err := canonicalHost(stranger); err == nil {
			x.p.quarantine.add(x.from.Client, host, x.p.clock())
		}
	}
}

// quarantined reports whether a tunnel to t is refused to client, and tells of it.
func (p *Plugin) quarantined(client netip.Addr, t target) bool {
	if !mailPort(t.port) || !p.quarantine.holds(client, t.host, p.clock()) {
		return false
	}
	p.keepFrom(client, t, "the client was kept from this host ")
	return true
}

// keepFrom tells of a tunnel that is refused, for a reason that ends in when that was.
func (p *Plugin) keepFrom(client netip.Addr, t target, reason string) {
	p.refused.quarantine.Add(1)
	p.logger.Warn("tunnel refused", zap.String(keyHost, t.String()), zap.String(keyClient, client.Unmap().String()), zap.String(keyReason, reason+p.quarantine.lately()))
}
