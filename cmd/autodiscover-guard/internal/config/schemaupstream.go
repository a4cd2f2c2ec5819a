package config

var upstreamKeys = []key{
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
			key:    parseResolveKey,
			parse:  parseResolveAddress,
		},
	},
	{
		name:   "upstream.roots",
		about:  "A file of PEM certificates that upstreams may be certified by, beside the system's own list. It is read again at SIGHUP.",
		sample: "lab-root.pem",
		value:  path(func(c *Config) *string { return &c.Upstream.Roots }, "a file"),
	},
	{
		name: "upstream.proxy",
		about: "The proxy behind the guard: http://, https:// or socks5://, with host and port. env takes it from HTTP_PROXY, HTTPS_PROXY and " +
			"NO_PROXY. Empty means none, whatever the environment says.",
		sample: "http://proxy.corp.example.net:3128",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Upstream.Proxy },
			want:  wantParent,
			parse: parseParent,
			show:  word,
		},
	},
	{
		name: "upstream.proxy_credentials",
		about: "A file whose first line is the name and the password for upstream.proxy, with a colon between. HTTP proxies are told " +
			"them by Basic; Digest, NTLM and Negotiate are not spoken. The file is as private as listen.key, and read again at SIGHUP.",
		sample: "proxy-credentials",
		value:  secretPath(func(c *Config) *string { return &c.Upstream.ProxyCredentials }),
	},
	{
		name: "upstream.no_proxy",
		about: "Hosts that are dialled directly although there is an upstream.proxy: names (with everything below them) and addresses, each with " +
			"or without a port, and ranges. This computer always is.",
		sample: "[lab.test, 10.0.0.0/8]",
		value: list[string]{
			at:     func(c *Config) *[]string { return &c.Upstream.NoProxy },
			want:   "a host, an address or a range",
			sample: "lab.test",
			parse:  parseNoProxy,
			show:   word,
		},
	},
	{
		name: "upstream.private",
		about: "Whether addresses of the guard's own surroundings are dialled: private, loopback, link-local, those of the computer itself, and those at which clouds serve " +
			"metadata. refuse, allow, or a list of ranges. It holds for names that resolve to them, too, but not for upstream.resolve, " +
			"nor for a name that upstream.proxy resolves: what that may reach is its own affair.",
		sample: "[10.0.0.0/8]",
		value:  private{},
	},
}
