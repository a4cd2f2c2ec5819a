package doctor

import (
	"context"
	"crypto/x509"
	"net/netip"
	"net/url"
	"time"

	"autodiscover-guard/certs"
	"autodiscover-guard/certs/truststore"
	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
	"autodiscover-guard/cmd/autodiscover-guard/internal/desktop"
	"autodiscover-guard/rules"
)

// Config says what is examined, and how. Nothing that it names is changed.
type Config struct {
	// Version is that of this program.
	Version string
	// Proxy is where clients reach the guard: an http or https URL. It may hold the name and password that the proxy asks for.
	Proxy *url.URL
	// Everywhere says that the proxy listens on all addresses, of which Proxy is this computer's own.
	Everywhere bool
	// ProxyRoots verifies an https proxy; nil is the system's roots.
	ProxyRoots *x509.CertPool
	// Local says that the guard holds State: what lies there is its own. Otherwise the checks of state, log and admin listener are left out.
	Local bool
	// State is the state directory.
	State string
	// Admin asks the guard's admin listener.
	Admin console.Client
	// Settings are the configuration on the disk, and Policy is made of it.
	Settings *config.Config
	Policy   *rules.Policy
	// Advertised is the proxy as the PAC names it.
	Advertised companion.Proxy
	// Domain is a further mail domain to ask about, canonical, empty for none.
	Domain string
	// Root is the authority's root; nil where it cannot be read, as RootErr says. The system's roots verify in its place then.
	Root    *x509.Certificate
	RootErr error
	// Authority opens the authority that is there, and makes none.
	Authority func() (*certs.Authority, error)
	// Trust looks into the trust stores of this computer, Desktop at its settings.
	Trust   func(ctx context.Context) ([]truststore.Report, error)
	Desktop func(ctx context.Context) ([]desktop.Result, error)
}

// examination is one run.
type examination struct {
	Config
	identity
	route             route
	accounts          []account // guarded, or meant to be
	unguardedAccounts []account // not guarded
	own               string    // the operator's domain, where somebody guards it
	begun             time.Time
	log               *records

	// What earlier checks found out.
	reached   bool
	client    netip.Addr // as which the guard sees us, as far as can be known
	leaf      *x509.Certificate
	date      time.Time // the guard's clock, zero where unknown
	offset    time.Duration
	exchanges []*exchange
	mine      []decision
}

// check is a row of the table.
type check struct {
	id, group string
	// reach says that it makes no sense where no guard answers; local, that it is about what only the guard's own computer has.
	reach, local bool
	run          func(e *examination, ctx context.Context) []Finding
}

// checks are all of them, in their order: later ones look at what the earlier ones caused.
func checks() []check {
	return []check{
		{"reachable", "guard", false, false, (*examination).reachable},
		{"version", "guard", true, true, (*examination).console},
		{"pac", "guard", true, true, (*examination).pac},
		{"client", "clients", true, false, (*examination).sequences},
		{"speed", "clients", true, false, (*examination).speed},
		{"tunnel", "traffic", true, false, (*examination).tunnelled},
		{"log", "traffic", true, true, (*examination).recorded},
		{"servers", "traffic", true, true, (*examination).servers},
		{"quarantine", "traffic", true, true, (*examination).quarantine},
		{"secrets", "traffic", true, false, (*examination).secrets},
		{"authority", "authority", false, true, (*examination).authority},
		{"trust", "trust", false, false, (*examination).trust},
		{"desktop", "desktop", false, false, (*examination).desktop},
		{"clock", "computer", false, false, (*examination).clock},
		{"disk", "computer", false, true, (*examination).disk},
	}
}

// Examine runs every check. It takes as long as the slowest of the clients that it plays; ctx ends it.
func Examine(ctx context.Context, c Config) *Report {
	e := &examination{Config: c, identity: newIdentity(), begun: time.Now()}
	e.route = routeTo(&e.Config)
	e.accounts = []account{{e.identity, documentation}, {e.identity, e.local + privateUse}}
	e.unguardedAccounts = []account{{e.identity, e.local + unguarded}}
	e.log = e.openRecords()
	defer e.log.close()
	report := &Report{Schema: reportSchema, Version: c.Version, Proxy: c.Proxy.Redacted(), Account: e.local}
	for _, k := range checks() {
		report.add(k, e.runs(ctx, k))
	}
	report.Records = e.counted()
	return report
}

// runs runs a check, where it can be.
func (e *examination) runs(ctx context.Context, k check) []Finding {
	switch {
	case k.reach && !e.reached:
		return []Finding{skipped("", "no guard was reached")}
	case k.local && !e.Local:
		return []Finding{skipped("", "the guard is not the one of the state directory "+e.State+", or does not run")}
	}
	return k.run(e, ctx)
}

// from is what the policy knows of us.
func (e *examination) from() rules.From { return rules.From{Client: e.client, At: e.begun} }

// placeOwn puts the operator's domain among the accounts. Whether somebody guards it may depend on who asks.
func (e *examination) placeOwn() {
	if e.Domain == "" || e.Domain == documentation {
		return
	}
	own := account{e.identity, e.Domain}
	if e.guards(own) {
		e.accounts, e.own = append(e.accounts, own), e.Domain
	} else {
		e.unguardedAccounts = append(e.unguardedAccounts, own)
	}
}

// guards reports whether a rule concerns an account, if it only monitors as well.
func (e *examination) guards(a account) bool {
	for _, c := range clients {
		for _, q := range c.questions {
			if r, err := c.ask(q, a); err == nil && e.plan(r).skip == "" {
				return true
			}
		}
	}
	return false
}

// pool holds one root.
func pool(root *x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(root)
	return p
}
