package config

import (
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v4"

	"autodiscover-guard/cmd/autodiscover-guard/internal/namedpipe"
	"autodiscover-guard/rules"
	"autodiscover-guard/rules/reserved"
)

// Config is what an operator says. Use [Default], [Load] or [Parse]: the zero Config has no meaning.
type Config struct {
	Listen  Listen
	Clients Clients
	// State is the directory that the guard keeps its files in, empty for the usual one; see [Config.StateDir].
	State    string
	Policy   Policy
	Upstream Upstream
	Limits   Limits
	Log      Log
	Notify   Notify
}

// Listen says where clients are served.
type Listen struct {
	// Proxy is an address and a port; port 0 picks a free one.
	Proxy string
	// Certificate and Key are PEM files for the proxy's own TLS, empty for none; an empty Key means that it stands in Certificate.
	Certificate, Key string
	// Transparent is the address and port of the transparent door, empty for none.
	Transparent string
	// TransparentBy is redirect or tproxy.
	TransparentBy string
	// ProxyProtocol are load balancers. It is nil where there are none.
	ProxyProtocol []netip.Prefix
	// Name is the host name or address by which clients reach the proxy, canonical; empty for that of Proxy.
	Name string
	// PAC says what clients do where the proxy does not answer.
	PAC PAC
	// Admin is an address and a port for the page, health, metrics, the PAC file and the root certificate; empty for none.
	Admin string
	// AdminCertificate and AdminKey are PEM files for the admin listener's TLS, as Certificate and Key are for the proxy's.
	AdminCertificate, AdminKey string
	// AdminTokenFile and AdminClients say who sees everything there: a file with a token, a PEM file of authorities. Both empty is everybody.
	AdminTokenFile, AdminClients string
	// AdminURL is how clients reach the admin listener, http://HOST[:PORT] or https://HOST[:PORT], or empty.
	AdminURL string
	// Pprof has the admin listener offer profiles.
	Pprof bool
}

// PAC is what a PAC file says of a proxy that does not answer. The empty PAC is invalid.
type PAC string

// What a client does then.
const (
	// PACClosed lets it fail.
	PACClosed PAC = "closed"
	// PACOpen lets it go directly.
	PACOpen PAC = "open"
)

// Clients says who may use the guard.
type Clients struct {
	Allow []netip.Prefix
	// Passwords is a file of names and hashes, Certificates a PEM file of authorities; empty where the question is not asked.
	Passwords, Certificates string
	// Quarantine is not asked for where it is zero.
	Quarantine time.Duration
}

// Policy says what is guarded.
type Policy struct {
	// Sets names the sets of reserved names, at least one.
	Sets []string
	// Services has the services that were named; the others keep their own default. It is nil where none was.
	Services map[string]Mode
	// Open lists further hosts to open, canonical, each with everything below it. It is nil where there are none.
	Open []string
	// Close lists hosts to leave closed in the same way.
	Close []string
	// Rules are the operator's, in their order, checked. It is nil where there are none.
	Rules []rules.Rule
	// RuleLines says on which line of the file each of them begins.
	RuleLines []int
}

// Mode says how far a service is guarded. The empty Mode is invalid.
type Mode string

// The modes.
const (
	// Off leaves a service alone: it is tunnelled, unread.
	Off Mode = "off"
	// Enforce opens a service and acts.
	Enforce Mode = "enforce"
)

// Upstream says how discovery services are reached.
type Upstream struct {
	// Resolve maps host or host:port, canonical, to the IP address or address:port to dial in its place. It is nil where it is empty.
	Resolve map[string]string
	// Roots is a file of PEM certificates to trust beside the system's, or empty.
	Roots string
	// Proxy is the URL of the proxy behind us, env for that of the environment, or empty.
	Proxy string
	// ProxyCredentials is a file with its user:password, or empty.
	ProxyCredentials string
	// NoProxy are hosts that are dialled directly all the same.
	NoProxy []string
	// Private says which private addresses are dialled.
	Private Private
}

// Private says which addresses of the guard's own surroundings may be dialled; the zero value is none.
type Private struct {
	All    bool
	Ranges []netip.Prefix
}

// Limits bounds what one client may cost. All but Drain are positive.
type Limits struct {
	HeaderBytes int64
	Body        int64
	Handshake   time.Duration
	Header      time.Duration
	BodyTime    time.Duration
	Idle        time.Duration
	Dial        time.Duration
	Answer      time.Duration
	Lifetime    time.Duration
	Stall       time.Duration
	Connections int64
	Tunnels     int64
	PerClient   int64
	Drain       time.Duration
}

// Log says what is written down.
type Log struct {
	// Decisions is the file of decision records as the operator wrote it; see [Config.DecisionsFile].
	Decisions string
	// Level is debug, info, warn or error.
	Level string
	// Privacy is domain, hash or full: how much of an account's address a record holds.
	Privacy string
	// Sink is file, journald, syslog or stderr: where decision records go. Decisions counts for file alone.
	Sink string
	// Repeat is beyond what identical decisions are written as one record; zero writes each.
	Repeat Rate
	Rotate Rotate
}

// Default is the configuration without a file. Each call makes a new one.
func Default() *Config {
	return &Config{
		Listen:  Listen{Proxy: "127.0.0.1:8080", Admin: "127.0.0.1:8081", TransparentBy: "redirect", PAC: PACClosed},
		Clients: Clients{Allow: loopback(), Quarantine: 10 * time.Minute},
		Policy:  Policy{Sets: defaultSets()},
		Limits: Limits{
			HeaderBytes: 64 << 10,
			Body:        1 << 20,
			Handshake:   10 * time.Second,
			Header:      10 * time.Second,
			BodyTime:    30 * time.Second,
			Idle:        2 * time.Minute,
			Dial:        10 * time.Second,
			Answer:      30 * time.Second,
			Lifetime:    24 * time.Hour,
			Stall:       5 * time.Minute,
			Connections: 16384,
			Tunnels:     16384,
			PerClient:   4096,
			Drain:       30 * time.Second,
		},
		Log: Log{
			Decisions: "decisions.jsonl", Level: "info", Privacy: "domain", Sink: "file", Repeat: Rate{Count: 10, Per: time.Second},
			Rotate: Rotate{Size: 100 << 20, Every: 30 * day, Keep: 10, Age: 90 * day},
		},
		Notify: Notify{Quiet: day},
	}
}

// Option adds what Load and Parse cannot know by themselves.
type Option func(*reader)

// KnownServices names the services that policy.services may switch. Without it any name is accepted there.
func KnownServices(names ...string) Option {
	return func(r *reader) { r.services = append([]string{}, names...) }
}

// Load reads a file. Mistakes in it come as an [*Error].
func Load(path string, options ...Option) (*Config, error) {
	f, err := namedpipe.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Parse(path, data, options...)
}

// Parse reads the text of a file. The name is for messages, and its directory is what relative paths in the file are relative to. The
// error is always an [*Error].
func Parse(name string, data []byte, options ...Option) (*Config, error) {
	r := &reader{config: Default(), given: make(map[string]*yaml.Node)}
	for _, o := range options {
		o(r)
	}
	for _, root := range r.rootNode(data) {
		r.section("", root)
	}
	if len(r.problems) == 0 {
		r.crossCheck()
	}
	if len(r.problems) > 0 {
		return nil, newError(name, r.problems)
	}
	for _, path := range append(r.config.files(), &r.config.State) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(filepath.Dir(name), *path)
		}
	}
	return r.config, nil
}

// files are where the names of files stand that the guard reads; empty where there is none.
func (c *Config) files() []*string {
	return []*string{
		&c.Listen.Certificate, &c.Listen.Key, &c.Listen.AdminCertificate, &c.Listen.AdminKey, &c.Listen.AdminTokenFile, &c.Listen.AdminClients,
		&c.Clients.Passwords, &c.Clients.Certificates, &c.Upstream.Roots, &c.Upstream.ProxyCredentials, &c.Notify.SecretFile,
	}
}

// Files are the files that the configuration names for the guard to read: certificates, keys, passwords, tokens, roots. Each is there once.
func (c *Config) Files() []string {
	var all []string
	for _, path := range c.files() {
		if *path != "" && !slices.Contains(all, *path) {
			all = append(all, *path)
		}
	}
	return all
}

// Set puts a single value in place, written as in the file: what a command line says overrides what a file says. It takes full names
// (listen.proxy) of keys with a single value. The error is a [Problem]. A relative path stays relative.
func (c *Config) Set(key, text string) error {
	for _, k := range keys {
		s, ok := k.value.(interface{ set(*Config, string) *fault })
		if k.name != key || !ok {
			continue
		}
		if f := s.set(c, text); f != nil {
			return Problem{Key: key, Text: f.text, Want: f.want}
		}
		return nil
	}
	return Problem{Key: key, Text: "no key with a single value"}
}

func defaultSets() []string {
	var names []string
	for _, s := range reserved.Sets() {
		if s.Default {
			names = append(names, s.Name)
		}
	}
	return names
}

func setNames() []string {
	var names []string
	for _, s := range reserved.Sets() {
		names = append(names, s.Name)
	}
	return names
}

// reader takes the values of one file into a Config and collects what is wrong with them.
type reader struct {
	config   *Config
	services []string // nil: not known
	given    map[string]*yaml.Node
	problems []Problem
}

func (r *reader) report(n *yaml.Node, key string, f fault) {
	r.problems = append(r.problems, Problem{
		Line: n.Line, Column: n.Column, Key: key, Text: f.text, Want: f.want, Valid: slices.Clone(f.valid),
	})
}
