package intercept

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/rules"
)

// Issuer signs the certificates that opened connections are served with.
type Issuer interface {
	// Leaf returns a certificate for name: a host name in lower case, in ASCII, without a trailing dot. It is called in every handshake
	// and from many goroutines at once, so it is expected to cache. An error ends the handshake with the alert unrecognized_name.
	Leaf(name string) (*tls.Certificate, error)
}

// Config says what a [Plugin] is made of. The zero Config is refused by [New].
type Config struct {
	// Policy decides. It is required; [Plugin.Swap] replaces it later.
	Policy *rules.Policy
	// Issuer signs for opened hosts. It is required.
	Issuer Issuer
	// Authority names the authority that the Issuer signs for, in records: its root's fingerprint. Nil names none.
	Authority func() string
	// Decisions gets one record per discovery exchange; nil drops them. Whatever samples must not stand behind it.
	Decisions *zap.Logger
	// Logger gets everything that is not a decision: failed handshakes, recovered panics, goproxy's own lines. Nil drops it.
	Logger *zap.Logger
	// Upstream says how upstreams are reached.
	Upstream UpstreamConfig
	// Clients may use the proxy, at every door; nil means the computer's own programs (127.0.0.0/8 and ::1), an empty list nobody. Others are refused.
	Clients []netip.Prefix
	// ProxyProtocol are load balancers: each connection from there must begin with a PROXY header (v1 or v2), and is then the client's that it
	// names. From anywhere else such a header is no request and is refused. It is read by a [Plugin.Listener].
	ProxyProtocol []netip.Prefix
	// Login checks a client's name and password for the proxy (Basic, at the explicit door). Nil asks for none. Whoever serves without TLS
	// lets them travel in the clear.
	Login Login
	// Quarantine is for how long a client cannot reach the mail ports of a host that it was just kept from: 10 min where zero, never where
	// negative. Where a connection there names no host, the addresses of the hosts are compared, as we resolve them; not where a proxy of
	// Upstream does that.
	Quarantine time.Duration
	// OriginalDestination says where a connection of the transparent door was meant to go. Nil asks Linux (SO_ORIGINAL_DST, else the local
	// address as with TPROXY); on other systems there is no transparent door without it.
	OriginalDestination func(*net.TCPConn) (netip.AddrPort, error)
	// Limits bounds what one client may cost.
	Limits Limits
	// Privacy says how much of an account's address records hold.
	Privacy Privacy
	// PrivacyKey is what PrivacyHash is keyed with, at least 32 random bytes; the same key gives the same hashes after a restart.
	PrivacyKey []byte
	// Clock tells the time for records; nil means time.Now.
	Clock func() time.Time
}

// Limits bounds what one client may cost. Zero values mean the defaults named here; a negative value is refused by [New].
type Limits struct {
	// Handshake is how long a client may take for its TLS handshake in an opened tunnel: 10 s.
	Handshake time.Duration
	// Header is how long it may take to send a request's header: 10 s.
	Header time.Duration
	// Body is how long it may take to send the body of a discovery request: 30 s. Other bodies are not timed, but for Lifetime.
	Body time.Duration
	// Idle is how long a connection may lie unused between two requests: 2 min.
	Idle time.Duration
	// Lifetime is how long a connection or a tunnel may live, however busy it is: 24 h. Tunnels are then cut off, other connections closed behind
	// the next answer. A connection of a [Plugin.Listener] or the transparent door that has lived for twice as long is cut off in the middle of
	// an exchange: somebody stalls there. Clients keep requests open for an hour (ActiveSync), so it should be well above that.
	Lifetime time.Duration
	// Stall is how long a side that bytes wait for may take none of them: 5 min. A client that stops reading its answer, or either side of a tunnel, is then
	// cut off, and what was asked upstream for it cancelled. One that takes some now and then never is, nor one that has nothing to take. In HTTP/2 it
	// holds for each stream. On other systems than Linux it holds in HTTP/2 alone.
	Stall time.Duration
	// HeaderBytes is how long a request's header may be: 64 KiB. Longer ones are answered 431.
	HeaderBytes int
	// BodyBytes is how much is held in memory of the body of a discovery request, and of the answer to it: 1 MiB each.
	BodyBytes int64
	// Connections is how many client connections a [Plugin.Listener] and the transparent door hold together, and how many requests over HTTP/2 may be
	// under way (100 at least): 16384 each. More are answered 503.
	Connections int
	// Tunnels is how many tunnels there may be, opened ones and HTTP/2 streams included: 16384. More are answered 503.
	Tunnels int
	// PerClient is how many of these connections, of these requests and of these tunnels one client address may have (of IPv6: one network of 64
	// bits): 4096 each, and never fewer than 100 requests. More are answered 429.
	PerClient int
}

// fill puts the defaults in the place of zero values.
func (l *Limits) fill() error {
	for _, d := range []struct {
		name  string
		value *time.Duration
		zero  time.Duration
	}{
		{"Handshake", &l.Handshake, 10 * time.Second},
		{"Header", &l.Header, 10 * time.Second},
		{"Body", &l.Body, 30 * time.Second},
		{"Idle", &l.Idle, 2 * time.Minute},
		{"Lifetime", &l.Lifetime, 24 * time.Hour},
		{"Stall", &l.Stall, 5 * time.Minute},
	} {
		if err := fillDuration("Limits."+d.name, d.value, d.zero); err != nil {
			return err
		}
	}
	if l.HeaderBytes < 0 || l.BodyBytes < 0 {
		return errors.New("checking Limits: a size is negative")
	}
	for _, n := range []struct {
		name  string
		value *int
		zero  int
	}{
		{"Connections", &l.Connections, 16384},
		{"Tunnels", &l.Tunnels, 16384},
		{"PerClient", &l.PerClient, 4096},
	} {
		if *n.value < 0 {
			return fmt.Errorf("checking Limits.%s: %d is negative", n.name, *n.value)
		}
		if *n.value == 0 {
			*n.value = n.zero
		}
	}
	if l.HeaderBytes == 0 {
		l.HeaderBytes = 64 << 10
	}
	if l.BodyBytes == 0 {
		l.BodyBytes = 1 << 20
	}
	return nil
}

func fillDuration(name string, value *time.Duration, zero time.Duration) error {
	if *value < 0 {
		return fmt.Errorf("checking %s: %s is negative", name, *value)
	}
	if *value == 0 {
		*value = zero
	}
	return nil
}

// Plugin guards the traffic of one or more goproxy servers. It is safe for concurrent use. Make one with [New]; the zero Plugin
// allows nothing: it can neither be installed nor serve.
type Plugin struct {
	policy     atomic.Pointer[rules.Policy]
	issuer     Issuer
	authority  func() string
	decisions  *zap.Logger
	logger     *zap.Logger
	limits     Limits
	clock      func() time.Time
	upstream   UpstreamConfig
	dialer     *dialer
	transport  *http.Transport // the first of transports.shared: goproxy has it, and it stands for whichever is in force
	transports atomic.Pointer[transports]
	swapping   sync.Mutex // one change of the settings of upstream at a time
	self       self
	viaName    string // in Via
	hall       *hall
	traffic    traffic
	bindings   bindings
	front      atomic.Pointer[front]

	clients      []netip.Prefix
	proxySources []netip.Prefix
	login        Login
	limiter      limiter
	quarantine   quarantine
	redirects    redirects
	refused      refusals
	handshakes   tally
	failures     tally
	refusalsTold atomic.Int64
	acceptLog    logThrottle // of connections that cannot be accepted
	checkLog     logThrottle // of upstreams whose TLS failed a check
	original     func(*net.TCPConn) (netip.AddrPort, error)

	privacy    Privacy
	privacyKey []byte

	// stopping is done when no more connections are to come in, graceOver when those are cut off that have asked nothing yet, ending when all are.
	stopping, graceOver, ending context.Context
	stop, endGrace, end         context.CancelFunc

	run string
	seq atomic.Uint64
}

// New makes a plugin. It refuses a Config without a policy or an issuer, and values that cannot be meant.
func New(c Config) (*Plugin, error) {
	if c.Policy == nil {
		return nil, errors.New("making the plugin: Config.Policy is nil; without a policy nothing can be decided")
	}
	if c.Issuer == nil {
		return nil, errors.New("making the plugin: Config.Issuer is nil; without an issuer nothing can be opened")
	}
	if err := c.Limits.fill(); err != nil {
		return nil, err
	}
	if err := c.Upstream.fill(); err != nil {
		return nil, err
	}
	if err := checkPrivacy(c.Privacy, c.PrivacyKey); err != nil {
		return nil, err
	}
	p := &Plugin{
		issuer:    c.Issuer,
		authority: c.Authority,
		decisions: orNop(c.Decisions),
		logger:    orNop(c.Logger).Named("intercept"),
		limits:    c.Limits,
		clock:     c.Clock,
		privacy:   c.Privacy, privacyKey: c.PrivacyKey,
		upstream: c.Upstream,
		run:      runID(),
		handshakes: newTally(handshakeDone, handshakeUntrusted, handshakeRefused, handshakeEnded, handshakeGone, classTimeout,
			handshakeNotTLS, handshakeStopping, tallyOther),
		failures: newTally(classDNS, classConnect, classTLS, classTimeout, classTruncated, classProtocol, classProxy, classPrivate, classLoop,
			classResources, classCanceled, tallyOther),
	}
	if p.clock == nil {
		p.clock = time.Now
	}
	if p.authority == nil {
		p.authority = func() string { return "" }
	}
	if err := p.setAccess(c); err != nil {
		return nil, err
	}
	p.policy.Store(c.Policy)
	p.viaName = "autodiscover-guard-" + p.run
	var err error
	p.dialer, err = newDialer(p.viaName, &p.upstream, p.limits.Stall, &p.self, func(address string) { p.noteLoop(address, "", "the address is this proxy's own") })
	if err != nil {
		return nil, err
	}
	first := newTransports(p.dialer)
	p.transport = first.shared
	p.transports.Store(first)
	p.ending, p.end = context.WithCancel(context.Background())
	p.graceOver, p.endGrace = context.WithCancel(p.ending)
	p.stopping, p.stop = context.WithCancel(p.graceOver)
	p.hall = newHall(p)
	return p, nil
}

// setAccess takes over from c who may use the proxy, and how.
func (p *Plugin) setAccess(c Config) error {
	var err error
	if p.clients, err = readRanges("Clients", c.Clients); err != nil {
		return err
	}
	if p.proxySources, err = readRanges("ProxyProtocol", c.ProxyProtocol); err != nil {
		return err
	}
	p.login = c.Login
	if c.Clients == nil {
		p.clients = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	p.quarantine.duration, p.quarantine.lookups = c.Quarantine, make(chan struct{}, addressLookups)
	if c.Quarantine == 0 {
		p.quarantine.duration = quarantineTime
	}
	p.original = c.OriginalDestination
	if p.original == nil {
		p.original = originalDestination
	}
	return nil
}

func orNop(l *zap.Logger) *zap.Logger {
	if l == nil {
		return zap.NewNop()
	}
	return l
}

// runID tells the exchanges of one run from those of another in a log that several runs wrote.
func runID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

func (p *Plugin) nextID() string {
	return p.run + "-" + strconv.FormatUint(p.seq.Add(1), 36)
}

// Swap puts another policy in force. Exchanges that have begun keep the one that they began with. The Issuer must sign for the policy's Scope by then: a
// handshake for a name that it does not sign for fails. Nil is an error, after which everything is as before.
func (p *Plugin) Swap(policy *rules.Policy) error {
	if policy == nil {
		return errors.New("swapping the policy: it is nil; the one in force stays")
	}
	p.policy.Store(policy)
	return nil
}

// ConnContext belongs into the ConnContext field of the http.Server that serves [Plugin.Front]. It gives each client's connection a
// place of its own for upstream connections that authenticate as a whole (NTLM, Negotiate). Without it such a request gets an upstream
// connection for itself alone: nobody else is ever authenticated by it, but the client cannot finish its log-in either.
func (p *Plugin) ConnContext(ctx context.Context, c net.Conn) context.Context {
	p.Listening(c.LocalAddr())
	return p.bindings.attach(ctx, c)
}

const (
	// gracePeriod is how long a client may still be in the middle of its handshake, or of its question, when the plugin has been told to stop; and how long one
	// that has just connected may take to begin it.
	gracePeriod = 2 * time.Second
	// quietTime is how long a stop waits at least for the request of a client that has just connected.
	quietTime = 50 * time.Millisecond
)

// Shutdown stops taking new work and waits until what runs is done: exchanges at every door, opened connections, and tunnels. Who comes now is refused; who
// was there already is served once more, a client too that was in the middle of its handshake, and his connection ends behind that answer. When ctx
// ends first, what is left is cut off and the context's error returned.
//
// Stop the outer http.Server first or at the same time; or, since that drops what it reads from then on without an answer, close its listener, have it end
// connections behind their answers ([http.Server.SetKeepAlivesEnabled]), and shut it down after this has returned. In the end it does
// what [Plugin.Close] does; both may be called again, and after each other.
func (p *Plugin) Shutdown(ctx context.Context) error {
	p.traffic.expect()
	p.awaitQuiet(time.Now().Add(gracePeriod), p.traffic.requestExpected())
	allArrived, idle := p.traffic.drain()
	p.stop()
	defer time.AfterFunc(gracePeriod, func() { p.endGrace() }).Stop()
	err := p.hall.drain(ctx, allArrived)
	select {
	case <-idle:
		err = errors.Join(err, p.hall.wait(ctx))
	case <-ctx.Done():
		err = ctx.Err()
	}
	return errors.Join(err, p.Close())
}

// awaitQuiet has the stop wait for quietTime, and again for as long as a request is expected, or was one quietTime ago: what the client sent must get to where it is
// counted. It waits once at least, since a connection that was accepted a moment ago may not be tracked yet.
func (p *Plugin) awaitQuiet(until time.Time, somebody bool) {
	time.AfterFunc(quietTime, func() {
		still := p.traffic.requestExpected()
		if (still || somebody) && time.Now().Before(until) {
			p.awaitQuiet(until, still)
			return
		}
		p.traffic.arrive()
	})
}

// Close cuts everything off at once: opened connections, tunnels, what upstreams are asked, and connections to them that lie idle. What comes then is refused,
// and a plugin that was closed serves no more; filters that [Plugin.Install] has put into a proxy go on deciding there. The listeners and the http.Server of
// the explicit door are their owner's to close; so are the issuer and the loggers.
func (p *Plugin) Close() error {
	p.traffic.drain()
	p.end()
	err := p.hall.close()
	p.traffic.closeAll()
	p.transport.CloseIdleConnections()
	p.transports.Load().closeIdle()
	p.bindings.closeAll()
	return err
}
