package config

import "time"

// key is a row of the table of everything that may stand in a file.
type key struct {
	// name is the full name; what stands below a key follows it.
	name string
	// about is what the reference says of it, and sample a value to show there where the default shows nothing.
	about, sample string
	// value reads and writes it; nil means a section, which has only keys.
	value value
}

// keys is the contract with operators: rows may be added, not renamed.
var keys = []key{
	{name: "listen", about: "Where clients are served."},
	{
		name: "listen.proxy",
		about: "The proxy's address and port. Only loopback addresses (127.0.0.0/8 and ::1) are accepted, so that nobody but this " +
			"computer is served; port 0 picks a free port.",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Listen.Proxy },
			want:  wantListen,
			parse: parseListen,
			show:  word,
		},
	},
	{
		name: "listen.admin",
		about: "The admin listener's address and port, loopback only: /livez, /readyz, /metrics, and the root certificate as /ca.pem and /ca.cer. " +
			"It shows no key and no decision; off means none.",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Listen.Admin },
			want:  wantListen + ", or off",
			parse: parseAdmin,
			show:  showAdmin,
		},
	},
	{
		name: "listen.admin_url",
		about: "How clients reach the admin listener, where that is not its own address: a name that they can resolve, or that of a load balancer. " +
			"It is put into certificates as the place of the (empty) revocation lists, /authority.crl and /root.crl, for which Windows asks. Plain " +
			"http, as lists for TLS cannot be fetched with TLS. Empty means listen.admin for a guard that serves this computer alone, and no place for others.",
		sample: "http://gateway.corp.example:8081",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Listen.AdminURL },
			want:  wantURL,
			parse: parseURL,
			show:  word,
		},
	},
	{
		name: "state",
		about: "The directory for the authority, its keys and the decision records. Empty means the usual place: what systemd sets up, " +
			"/var/lib/autodiscover-guard for a service, else $XDG_STATE_HOME/autodiscover-guard or ~/.local/state/autodiscover-guard. " +
			"Relative paths in this file, here and below, begin at the file's own directory.",
		sample: "/srv/autodiscover-guard",
		value:  path(func(c *Config) *string { return &c.State }, "a directory"),
	},
	{name: "policy", about: "What is guarded."},
	{
		name: "policy.sets",
		about: "The sets of reserved names, whose accounts are guarded: ietf (example.com, .test and the like), icann (.internal), idn-test, " +
			"informal-private (.corp, .lan and the like), vendor-documentation (real domains from vendors' manuals).",
		value: list{
			at:     func(c *Config) *[]string { return &c.Policy.Sets },
			want:   "the name of a set",
			sample: "ietf, icann",
			parse:  oneOf("a set of reserved names", nil, setNames()...),
			filled: true,
		},
	},
	{
		name: "policy.services",
		about: "The central discovery services, which answer for anybody's domain: enforce opens a service, off tunnels it unread. A service " +
			"that is not named keeps its own default, which the command dialects lists.",
		sample: "{autodetect: enforce}",
		value: table[Mode]{
			at:     func(c *Config) *map[string]Mode { return &c.Policy.Services },
			want:   "enforce or off",
			sample: "autodetect: enforce",
			key:    parseService,
			parse:  oneOf("a mode", modeWords, Enforce, Off),
		},
	},
	{
		name: "policy.open",
		about: "Further hosts to open, each with everything below it: a hoster's autodiscover host, the target of an SRV record. They are named " +
			"in the authority's certificate, so a change here needs a new one.",
		sample: "[autodiscover.hoster.example]",
		value: list{
			at:     func(c *Config) *[]string { return &c.Policy.Open },
			want:   wantHost,
			sample: "autodiscover.hoster.example",
			parse:  parseOpen,
		},
	},
	{
		name: "policy.rules",
		about: "The operator's rules, asked before the built-in ones; the first that applies decides. A rule says which hosts may be named to " +
			"accounts of its domains, and so to whom their credentials may go. name: a word. domains: mail domains; *.corp.example.net is all " +
			"below. clients: ranges of addresses. services, dialects: where it applies; all where nothing is said. allow: hosts, *.hosts, " +
			"addresses and ranges. otherwise: block (refuse the whole answer), remove (take out what is not allowed) or rewrite (put in servers). " +
			"servers: per protocol (imap, pop3, smtp, activesync, ews, jmap, caldav, carddav) a host, or host, port, encryption (ssl, starttls, " +
			"none), username (with %EMAILADDRESS%, %EMAILLOCALPART%, %EMAILDOMAIN%), auth, url. answer: upstream, or local to answer with servers " +
			"and ask nobody. upstream: scrubbed asks hosts outside allow without secrets, never does not ask them; without it, only central " +
			"services are asked, scrubbed. mode: enforce, or monitor to change nothing and record what would happen. until: the last day. note: a " +
			"text. A rule's domains are named in the authority's certificate.",
		sample: `[{name: pin, domains: [corp.example.net], allow: ["*.corp.example.net"]}]`,
		value:  ruleList{},
	},
	{name: "upstream", about: "How discovery services are reached."},
	{
		name: "upstream.resolve",
		about: "Addresses to dial in the place of a host, or of a host at one port. The certificate must still be that of the host. For " +
			"laboratories and tests.",
		sample: `{mail.lab.test: 192.168.1.5, "mail.lab.test:80": "127.0.0.1:8080"}`,
		value: table[string]{
			at:     func(c *Config) *map[string]string { return &c.Upstream.Resolve },
			want:   "an IP address with or without a port",
			sample: "mail.lab.test: 127.0.0.1",
			key:    parseAsked,
			parse:  parseDialled,
		},
	},
	{
		name:   "upstream.roots",
		about:  "A file of PEM certificates that upstreams may be certified by, beside the system's own list.",
		sample: "lab-root.pem",
		value:  path(func(c *Config) *string { return &c.Upstream.Roots }, "a file"),
	},
	{name: "limits", about: "What one client, or one upstream, may cost."},
	amount("limits.header_bytes", "The largest header of a request; a larger one is answered 431.",
		func(l *Limits) *int64 { return &l.HeaderBytes }, bounds[int64]{4 << 10, 1 << 20}),
	amount("limits.body", "The largest body of a discovery request, and of the answer to it, that is read. A larger one is refused "+
		"for a guarded domain and passed for any other.",
		func(l *Limits) *int64 { return &l.Body }, bounds[int64]{4 << 10, 64 << 20}),
	span("limits.handshake_timeout", "How long a TLS handshake may take, with a client or with an upstream.",
		func(l *Limits) *time.Duration { return &l.Handshake }, bounds[time.Duration]{100 * time.Millisecond, 5 * time.Minute}),
	span("limits.header_timeout", "How long a client may take to send a request's header.",
		func(l *Limits) *time.Duration { return &l.Header }, bounds[time.Duration]{100 * time.Millisecond, 5 * time.Minute}),
	span("limits.body_timeout", "How long a client may take to send the body of a discovery request.",
		func(l *Limits) *time.Duration { return &l.BodyTime }, bounds[time.Duration]{100 * time.Millisecond, 10 * time.Minute}),
	span("limits.idle_timeout", "How long a connection may lie unused between two requests.",
		func(l *Limits) *time.Duration { return &l.Idle }, bounds[time.Duration]{time.Second, time.Hour}),
	span("limits.dial_timeout", "How long a connection to an upstream may take to be made.",
		func(l *Limits) *time.Duration { return &l.Dial }, bounds[time.Duration]{100 * time.Millisecond, 2 * time.Minute}),
	span("limits.answer_timeout", "How long an upstream's whole answer to a discovery request may take.",
		func(l *Limits) *time.Duration { return &l.Answer }, bounds[time.Duration]{100 * time.Millisecond, 5 * time.Minute}),
	span("limits.drain_timeout", "How long exchanges and tunnels may go on after the guard was told to stop; 0s cuts them off.",
		func(l *Limits) *time.Duration { return &l.Drain }, bounds[time.Duration]{0, time.Hour}),
	{name: "log", about: "What is written down."},
	{
		name: "log.decisions",
		about: "The file that gets one JSON record for each discovery exchange. A relative path begins at the state directory; \"-\" is the " +
			"standard output.",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Log.Decisions },
			want:  "a file name",
			parse: parseLog,
			show:  word,
		},
	},
	{
		name:  "log.level",
		about: "How much else is said, on the standard error: debug, info, warn or error. Decisions are not affected.",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Log.Level },
			want:  "debug, info, warn or error",
			parse: oneOf("a level", map[string]string{"warning": "warn", "err": "error", "trace": "debug"}, "debug", "info", "warn", "error"),
			show:  word,
		},
	},
	{
		name: "log.privacy",
		about: "How much of an account's address a record holds: domain (the mail domain alone), hash (a keyed hash besides, by which one account " +
			"can be followed without being known; the key is made in the state directory), or full.",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Log.Privacy },
			want:  "domain, hash or full",
			parse: oneOf("a privacy", map[string]string{"none": "domain", "off": "full", "hashed": "hash", "address": "full"}, "domain", "hash", "full"),
			show:  word,
		},
	},
}

// modeWords are what people write for a mode. YAML 1.1 reads half of them as booleans; here they are words.
var modeWords = map[string]Mode{
	"on": Enforce, "true": Enforce, "yes": Enforce, "y": Enforce, "enabled": Enforce, "block": Enforce,
	"false": Off, "no": Off, "n": Off, "disabled": Off, "none": Off,
}

func parseService(r *reader, text string) (string, *fault) {
	if r.services == nil {
		if text == "" {
			return "", &fault{text: "a service without a name"}
		}
		return text, nil
	}
	name, f := oneOf("a service", nil, r.services...)(text)
	return name, f
}

func path(at func(*Config) *string, want string) value {
	return single[string]{at: at, want: want, parse: parsePath, show: word}
}

// bounds are the least and the most that a value may be.
type bounds[T int64 | time.Duration] struct{ least, most T }

func amount(name, about string, at func(*Limits) *int64, b bounds[int64]) key {
	return key{name: name, about: about + " From " + showSize(b.least) + " to " + showSize(b.most) + ".", value: single[int64]{
		at:    func(c *Config) *int64 { return at(&c.Limits) },
		want:  "a size such as " + showSize(b.most/4),
		parse: size(b),
		show:  showSize,
	}}
}

func span(name, about string, at func(*Limits) *time.Duration, b bounds[time.Duration]) key {
	return key{name: name, about: about + " From " + showDuration(b.least) + " to " + showDuration(b.most) + ".", value: single[time.Duration]{
		at:    func(c *Config) *time.Duration { return at(&c.Limits) },
		want:  "a length of time such as 10s",
		parse: duration(b),
		show:  showDuration,
	}}
}
