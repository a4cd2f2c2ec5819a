package config

var adminKeys = []key{
	{
		name: "listen.admin",
		about: "The admin listener's address and port: a page with the latest decisions as they come, /livez, /readyz, /metrics, the PAC file as /proxy.pac " +
			"and /wpad.dat, the root certificate as /ca.pem, /ca.cer and /ca.mobileconfig, and /setup, which says how to set clients up. It changes " +
			"nothing and shows no key, and of decisions what the log has. On this computer (127.0.0.0/8 and ::1) every program may ask, unless one of the " +
			"keys below says otherwise; beyond it they must. off means none.",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Listen.Admin },
			want:  wantListen + ", or off",
			parse: orOff(parseListen),
			show:  shownOrOff(word),
		},
	},
	{
		name: "listen.admin_certificate",
		about: "A PEM file with the admin listener's own certificate, and the chain up to its issuer. With it the listener is served over TLS (HTTP/1.1 " +
			"and HTTP/2), and over plain HTTP answers for the revocation lists alone. It is read again at SIGHUP.",
		sample: "gateway.corp.example.pem",
		value:  secretPath(func(c *Config) *string { return &c.Listen.AdminCertificate }),
	},
	{
		name:   "listen.admin_key",
		about:  "A PEM file with that certificate's key; empty where it stands in the same file. Whichever has it is private, as listen.key is.",
		sample: "gateway.corp.example.key",
		value:  secretPath(func(c *Config) *string { return &c.Listen.AdminKey }),
	},
	{
		name: "listen.admin_token_file",
		about: "A file, as private as listen.key, with a token of 32 to 512 printable characters and nothing else; \"openssl rand -hex 32\" makes one. " +
			"Programs show it as \"Authorization: Bearer TOKEN\", people sign in with it. Without it everybody gets what clients need and what tells no more " +
			"than that the guard is there: the PAC file, the root certificate, /setup, revocation lists, /livez, and of /readyz whether it is. Where " +
			"listen.admin_clients is set too, one of both is enough. It is read again at SIGHUP, which signs everybody out if it has changed.",
		sample: "admin.token",
		value:  secretPath(func(c *Config) *string { return &c.Listen.AdminTokenFile }),
	},
	{
		name: "listen.admin_clients",
		about: "A PEM file of authorities: whoever has a certificate of one of them (for client authentication) sees everything, as with the token. It needs " +
			"listen.admin_certificate, and is read again at SIGHUP.",
		sample: "admins-ca.pem",
		value:  path(func(c *Config) *string { return &c.Listen.AdminClients }, "a file"),
	},
	{
		name: "listen.admin_url",
		about: "How clients reach the admin listener, where that is not its own address: a name that they can resolve, or that of a load balancer; http, or " +
			"https with listen.admin_certificate. The listener answers to its host, as to listen.name and its own addresses. Its host and port are also put " +
			"into certificates as the place of the (empty) revocation lists, /authority.crl, /root.crl and below /former/, for which Windows asks: always as http, as lists for " +
			"TLS cannot be fetched with TLS, and a listener with TLS answers for them in the clear at the same port. A load balancer must pass both through. " +
			"Empty means listen.admin for a guard that serves this computer alone, and no place for others.",
		sample: "http://gateway.corp.example:8081",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Listen.AdminURL },
			want:  wantURL,
			parse: parseURL,
			show:  word,
		},
	},
	{
		name: "listen.pprof",
		about: "on lets the admin listener make profiles of the running program (/debug/pprof/), for \"go tool pprof\". A profile holds no traffic, but " +
			"making one costs time, and whoever may see the page may ask for it; so it is for listeners on this computer only.",
		value: single[bool]{
			at:    func(c *Config) *bool { return &c.Listen.Pprof },
			want:  "on or off",
			parse: parseSwitch,
			show:  showSwitch,
		},
	},
}
