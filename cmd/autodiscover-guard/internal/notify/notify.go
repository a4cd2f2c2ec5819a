package notify

import (
	"context"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/certs/durable"
)

const (
	// QueueLength is how many notifications may wait.
	QueueLength = 64
	// MostAnHour is how many are told in an hour: a hostile service can make up a stranger for each answer.
	MostAnHour = 120
	// Reserved is how many of either are for what the guard says of itself: whoever makes up strangers, or leaks, is not to keep others from hearing that a reload failed.
	Reserved = 8
	// mostKeys is how many different things are known to have been told.
	mostKeys = 1024
	// farewell is for how long the last notifications are told. Nobody is served meanwhile, and the next guard waits for this one to end.
	farewell = 5 * time.Second
)

// Outcome is what became of a notification.
type Outcome string

// The outcomes.
const (
	Sent    Outcome = "sent"
	Failed  Outcome = "failed"  // refused, or never taken
	Dropped Outcome = "dropped" // there were too many, or the guard ended
)

// Config is what a [Notifier] is made of.
type Config struct {
	// URL is where notifications are posted. Nothing of it but its host is ever logged.
	URL string
	// Secret signs them.
	Secret Secret
	// Strangers is the file that remembers strangers.
	Strangers string
	// Quiet is how long the same thing is not told again.
	Quiet time.Duration
	// Agent is the User-Agent.
	Agent string
	// Logger hears of what could not be delivered or remembered. It must not lead to the notifier.
	Logger *zap.Logger
	// Outcome is called for each notification when it is settled; nil for nobody.
	Outcome func(Type, Outcome)
	// Transport is for tests; nil is a transport that asks no proxy, because the proxy of the environment may be the guard itself.
	Transport http.RoundTripper
}

// Notifier tells. It is safe for concurrent use.
type Notifier struct {
	config Config
	guard  string
	sender *sender

	mu     sync.Mutex // guards what follows
	closed bool
	past   map[string]*past
	memory *memory
	hour   time.Time
	inHour int
}

// past is what was told already, and how often it happened without being told. What nobody could be told has the zero time, and is told when it comes again.
type past struct {
	at     time.Time
	missed int
}

// New makes a notifier, which [Notifier.Close] ends. What cannot be remembered is no reason not to tell.
func New(c Config) (*Notifier, error) {
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.Outcome == nil {
		c.Outcome = func(Type, Outcome) {}
	}
	if c.Secret.key == nil {
		return nil, errors.New("notifications without a secret cannot be told from anybody's")
	}
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	m, err := openMemory(c.Strangers)
	if err != nil {
		c.Logger.Warn("the memory of strangers cannot be read; all are new", zap.Error(err))
	}
	n := &Notifier{config: c, guard: name, past: make(map[string]*past), memory: m}
	if n.sender, err = newSender(c, n.settle); err != nil {
		return nil, err
	}
	return n, nil
}

// tell queues an event, unless it was told a short while ago.
func (n *Notifier) tell(e event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	key := string(e.kind) + "\x00" + e.key
	p := n.past[key]
	if p != nil && now.Sub(p.at) < n.config.Quiet {
		p.missed++
		return
	}
	e.count = 1
	if p != nil {
		e.count += p.missed
	}
	fresh := &past{at: now}
	if !n.queue(e, now) {
		fresh = &past{missed: e.count} // for the next, at any time
	}
	if p == nil && len(n.past) >= mostKeys {
		n.makeRoom()
	}
	n.past[key] = fresh
}

// makeRoom forgets what was told longest ago.
func (n *Notifier) makeRoom() {
	oldest := ""
	for key, p := range n.past {
		if oldest == "" || p.at.Before(n.past[oldest].at) {
			oldest = key
		}
	}
	delete(n.past, oldest)
}

// tellStrangers queues an event about those of its hosts that are new, if any are.
func (n *Notifier) tellStrangers(e event, d decisionData) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if e.hosts = n.memory.addNew(d.Hosts, now); len(e.hosts) == 0 {
		return
	}
	d.Hosts = e.hosts
	e.data, e.count = d, 1
	e.summary = "never suggested before: " + named(e.hosts) + "," + e.summary
	if !n.queue(e, now) {
		n.memory.forget(e.hosts)
	}
}

// queue hands an event to the sender, or drops it. The caller holds mu.
func (n *Notifier) queue(e event, now time.Time) bool {
	if now.Sub(n.hour) >= time.Hour {
		n.hour, n.inHour = now, 0
	}
	reserved := 0
	if e.kind == Stranger || e.kind == Leak {
		reserved = Reserved
	}
	if n.closed || n.inHour >= MostAnHour-reserved || !n.sender.offer(n.payload(e), e, reserved) {
		n.config.Outcome(e.kind, Dropped)
		return false
	}
	n.inHour++
	return true
}

func (n *Notifier) payload(e event) payload {
	return payload{
		Version: payloadVersion, Type: e.kind, Timestamp: e.at.UTC(), Guard: n.guard, Summary: e.summary, Count: e.count, Data: e.data,
	}
}

// settle takes note of what became of an event. The sender calls it, one at a time.
func (n *Notifier) settle(e event, o Outcome) {
	n.mu.Lock()
	if o == Sent {
		n.memory.confirm(e.hosts)
	} else {
		n.memory.forget(e.hosts) // to be told when it comes again
		if p := n.past[string(e.kind)+"\x00"+e.key]; p != nil {
			*p = past{missed: p.missed + e.count}
		}
	}
	text := n.memory.text()
	n.mu.Unlock()
	n.config.Outcome(e.kind, o)
	if text == nil {
		return
	}
	if err := durable.Replace(n.config.Strangers, text); err != nil {
		n.config.Logger.Warn("strangers cannot be remembered on disk; that is tried again with the next", zap.Error(err))
		n.mu.Lock()
		n.memory.dirty = true
		n.mu.Unlock()
	}
}

// Close tells what waits, with one attempt each, for five seconds as long as ctx allows, and drops the rest.
func (n *Notifier) Close(ctx context.Context) {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return
	}
	n.closed = true
	n.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	n.sender.close(ctx)
}
