package config

var policyKeys = []key{
	{name: "policy", about: "What is guarded."},
	{
		name: "policy.sets",
		about: "The sets of reserved names, whose accounts are guarded: ietf (example.com, .test and the like), icann (.internal), idn-test, " +
			"informal-private (.corp, .lan and the like), vendor-documentation (real domains from vendors' manuals).",
		value: list[string]{
			at:     func(c *Config) *[]string { return &c.Policy.Sets },
			want:   "the name of a set",
			sample: "ietf, icann",
			parse:  oneOf("a set of reserved names", nil, setNames()...),
			show:   word,
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
		value: list[string]{
			at:     func(c *Config) *[]string { return &c.Policy.Open },
			want:   wantHost,
			sample: "autodiscover.hoster.example",
			parse:  parseOpen,
			show:   word,
		},
	},
	{
		name: "policy.close",
		about: "Hosts to leave closed, each with everything below it, although they lie below a name that is opened, such as a rule's domain: an intranet " +
			"that asks for clients' certificates, a server with Extended Protection. Their TLS passes unread, discovery included.",
		sample: "[intranet.corp.example.net]",
		value: list[string]{
			at:     func(c *Config) *[]string { return &c.Policy.Close },
			want:   wantHost,
			sample: "intranet.corp.example.net",
			parse:  parseOpen,
			show:   word,
		},
	},
	{
		name: "policy.rules",
		about: "The operator's rules, asked before the built-in ones; the first that applies decides. A rule says which hosts may be named to " +
			"accounts of its domains, and so to whom their credentials may go. name: a word. domains: mail domains; *.corp.example.net is all " +
			"below. clients: ranges of addresses. services, dialects: where it applies; all where nothing is said. allow: hosts, *.hosts, " +
			"addresses and ranges (the doh service answers with addresses). otherwise: block (refuse the whole answer), remove (take out what is not allowed) or rewrite (put in servers, with their ways to log in). " +
			"servers: per protocol (imap, pop3, smtp, activesync, ews, jmap, caldav, carddav) a host, or host, port, encryption (ssl, starttls, " +
			"none), username (with %EMAILADDRESS%, %EMAILLOCALPART%, %EMAILDOMAIN%), auth (password-cleartext, password-encrypted, NTLM, GSSAPI, " +
			"client-IP-address, TLS-client-cert, OAuth2, none), url (not for mail; its host stands in allow, too). answer: upstream, or local to answer with servers " +
			"and ask nobody. upstream: scrubbed asks hosts outside allow without secrets, never does not ask them; without it, only central " +
			"services are asked, scrubbed. mode: enforce, or monitor to change nothing and record what would happen. until: the last day, in UTC. note: a " +
			"text. A rule's domains are named in the authority's certificate.",
		sample: `[{name: pin, domains: [corp.example.net], allow: ["*.corp.example.net"]}]`,
		value:  ruleList{},
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

// secretPath is path for a file that holds a secret, or may.
func secretPath(at func(*Config) *string) value {
	return single[string]{at: at, want: "a file", parse: parseSecretPath, show: word}
}
