package config

var logKeys = []key{
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
