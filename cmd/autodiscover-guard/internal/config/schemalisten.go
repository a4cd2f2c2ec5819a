package config

import (
	"net/netip"
	"time"
)

var listenKeys = []key{
	{name: "listen", about: "Where clients are served."},
	{
		name: "listen.proxy",
		about: "The proxy's address and port: absolute-form requests and CONNECT. Port 0 picks a free port. All addresses are [::] or " +
			"none (:8080); 0.0.0.0 is all of IPv4. Beyond this computer (127.0.0.0/8 " +
			"and ::1) it needs clients.allow.",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Listen.Proxy },
			want:  wantListen,
			parse: parseListen,
			show:  word,
		},
	},
	{
		name: "listen.certificate",
		about: "A PEM file with the proxy's own certificate, and the chain up to its issuer. With it the proxy is served over TLS (HTTP/1.1 and " +
			"HTTP/2); without it in the clear. It is read again at SIGHUP.",
		sample: "proxy.lab.test.pem",
		value:  secretPath(func(c *Config) *string { return &c.Listen.Certificate }),
	},
	{
		name: "listen.key",
		about: "A PEM file with the certificate's key; empty where it stands in the same file. Whichever has it must be private, as all files with secrets: nobody " +
			"but its owner may use it (mode 0600), except that the group of a file of root's may read it (0640), which is how systemd's LoadCredential= and, with " +
			"defaultMode: 0400, Kubernetes' fsGroup hand it over. Windows' access lists are not looked at.",
		sample: "proxy.lab.test.key",
		value:  secretPath(func(c *Config) *string { return &c.Listen.Key }),
	},
	{
		name: "listen.transparent",
		about: "The address and port of the transparent door, to which nftables sends connections that were meant for ports 443, 80 and those of " +
			"mail; off or \"\" means none. Linux only. \"setup gateway --print\" prints the rules.",
		sample: ":8443",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Listen.Transparent },
			want:  wantListen + ", or off",
			parse: orEmpty(orOff(parseListen)), // DESIGN, section 8, writes "" for none
			show:  shownOrOff(word),
		},
	},
	{
		name: "listen.transparent_by",
		about: "How connections come to the transparent door: redirect (nftables \"redirect to\", which any listener serves) or tproxy (nftables " +
			"\"tproxy to\", which needs CAP_NET_ADMIN).",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Listen.TransparentBy },
			want:  "redirect or tproxy",
			parse: oneOf("a way to the transparent door", map[string]string{"nat": "redirect", "dnat": "redirect"}, "redirect", "tproxy"),
			show:  word,
		},
	},
	{
		name: "listen.proxy_protocol",
		about: "Load balancers, as addresses or ranges: each of their connections to the proxy must begin with a PROXY header (version 1 or 2) and " +
			"then counts as the client's that it names. From anybody else such a header is refused.",
		sample: "[192.0.2.10]",
		value:  prefixes(func(c *Config) *[]netip.Prefix { return &c.Listen.ProxyProtocol }, false),
	},
	{
		name: "listen.name",
		about: "The name or address by which clients reach the proxy, for the PAC file, the set-up page and \"setup print\"; empty means the " +
			"proxy's own address. A proxy that listens on all addresses needs it as soon as other computers are to be set up.",
		sample: "guard.lab.test",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Listen.Name },
			want:  "a host name or an IP address, without a port",
			parse: parseName,
			show:  word,
		},
	},
	{
		name: "listen.pac",
		about: "What the PAC file has clients do where the proxy does not answer: closed (discovery fails, and nothing else does) or open (they ask " +
			"directly, unguarded).",
		value: single[PAC]{
			at:    func(c *Config) *PAC { return &c.Listen.PAC },
			want:  "closed or open",
			parse: oneOf("what a PAC file can do", map[string]PAC{"fail-open": PACOpen, "fail-closed": PACClosed, "direct": PACOpen}, PACClosed, PACOpen),
			show:  func(p PAC) string { return word(string(p)) },
		},
	},
}

var stateKeys = []key{
	{
		name: "state",
		about: "The directory for the authority, its keys and the decision records. Empty means the usual place: what systemd sets up, " +
			"/var/lib/autodiscover-guard for a service, else $XDG_STATE_HOME/autodiscover-guard or ~/.local/state/autodiscover-guard. " +
			"Relative paths in this file, here and below, begin at the file's own directory.",
		sample: "/srv/autodiscover-guard",
		value:  path(func(c *Config) *string { return &c.State }, "a directory"),
	},
}

var clientKeys = []key{
	{name: "clients", about: "Who may use the guard."},
	{
		name: "clients.allow",
		about: "Addresses and ranges of the clients that may use it, at every door. A listener beyond this computer refuses to start " +
			"while only this computer's own programs are allowed.",
		sample: "[127.0.0.0/8, \"::1/128\", 192.168.0.0/16]",
		value:  prefixes(func(c *Config) *[]netip.Prefix { return &c.Clients.Allow }, true),
	},
	{
		name: "clients.passwords",
		about: "A file of names and password hashes, one name:hash on a line: bcrypt (htpasswd -B -C 12) or argon2id. With it the proxy asks for a " +
			"password (Basic), which needs listen.certificate, or a listener on this computer alone. A client has one password looked at at a time and " +
			"16 waiting; more are answered 429. The transparent door cannot ask. It is as private as listen.key, and read again at SIGHUP.",
		sample: "passwords",
		value:  secretPath(func(c *Config) *string { return &c.Clients.Passwords }),
	},
	{
		name: "clients.certificates",
		about: "A PEM file of authorities. With it a client of the proxy must have a certificate of one of them, which needs " +
			"listen.certificate. The transparent door cannot ask. It is read again at SIGHUP.",
		sample: "clients-ca.pem",
		value:  path(func(c *Config) *string { return &c.Clients.Certificates }, "a file"),
	},
	durationKey("clients.quarantine", "For how long a client (of IPv6: its network of 64 bits) cannot reach the mail ports of a host that it was just kept from; 0s for not at all.",
		func(c *Config) *time.Duration { return &c.Clients.Quarantine }, bounds[time.Duration]{0, 24 * time.Hour}),
}

func prefixes(at func(*Config) *[]netip.Prefix, filled bool) value {
	return list[netip.Prefix]{
		at:     at,
		want:   "a range of addresses such as 10.0.0.0/8, or an address",
		sample: "192.168.0.0/16",
		parse:  parsePrefix,
		show:   func(p netip.Prefix) string { return word(p.String()) },
		filled: filled,
	}
}
