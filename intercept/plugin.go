package intercept

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
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

// Plugin guards the traffic of one or more goproxy servers. It is safe for concurrent use. Make one with [New]; the zero Plugin
// allows nothing: it can neither be installed nor serve.
type Plugin struct {
	policy     atomic.Pointer[rules.Policy]
	issuer     Issuer
	authority  func() string
	decisions  *zap.Logger
	logger     *zap.Logger
	limits     Limits
	patience   time.Duration // lastWordTime, but in tests
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
	phases

	clients      []netip.Prefix
	proxySources []netip.Prefix
	login        Login
	limiter      limiter
	quarantine   quarantine
	redirects    redirects
	refusalsTold atomic.Int64 // that are being told just now
	counters
	acceptLog logThrottle // of connections that cannot be accepted
	checkLog  logThrottle // of upstreams whose TLS failed a check
	original  func(*net.TCPConn) (netip.AddrPort, error)

	privacy    Privacy
	privacyKey []byte

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
		logger:    calm(orNop(c.Logger)).Named("intercept"),
		limits:    c.Limits,
		patience:  lastWordTime,
		clock:     c.Clock,
		privacy:   c.Privacy, privacyKey: c.PrivacyKey,
		upstream: c.Upstream,
		run:      runID(),
		counters: newCounters(),
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
	if err := p.self.own.ask(); err != nil {
		p.logger.Warn("the system does not say which addresses this computer has: those that are not private are dialled like anybody's", zap.Error(err))
	}
	first := newTransports(p.dialer)
	p.transport = first.shared
	p.transports.Store(first)
	p.phases = newPhases()
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
