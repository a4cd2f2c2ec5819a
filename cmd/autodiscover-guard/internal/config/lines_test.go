package config_test

import (
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"

	"github.com/google/go-cmp/cmp"
)

// What stands at a border is on its right side: each line is a whole file, and is read.
func TestParse_accepted(t *testing.T) {
	for text, want := range map[string]func(*config.Config) (got, want any){
		`listen: {admin: off}`:                                                                   func(c *config.Config) (any, any) { return c.Listen.Admin, "" },
		`listen: {transparent: ""}`:                                                              func(c *config.Config) (any, any) { return c.Listen.Transparent, "" },
		`listen: {admin: off, pprof: on}`:                                                        nil,
		`listen: {admin: off, admin_token_file: t}`:                                              nil,
		`listen: {admin_token_file: t}`:                                                          nil,
		`listen: {proxy: "127.0.0.1:0", admin: "127.0.0.1:0"}`:                                   nil,
		`listen: {proxy: "127.0.0.1:8080", admin: "[::1]:8080"}`:                                 nil,
		`{listen: {proxy: "0.0.0.0:80", admin: "[::1]:80"}, ` + lan:                              nil,
		`listen: {admin_url: "http://MÜLLER.Example.:8081"}`:                                     func(c *config.Config) (any, any) { return c.Listen.AdminURL, "http://xn--mller-kva.example:8081" },
		`listen: {admin_url: "http://192.0.2.1:8081"}`:                                           func(c *config.Config) (any, any) { return c.Listen.AdminURL, "http://192.0.2.1:8081" },
		`listen: {name: 192.0.2.1}`:                                                              func(c *config.Config) (any, any) { return c.Listen.Name, "192.0.2.1" },
		`listen: {name: "[2001:db8::1]"}`:                                                        func(c *config.Config) (any, any) { return c.Listen.Name, "2001:db8::1" },
		`listen: {name: guard_09az.lab.test}`:                                                    func(c *config.Config) (any, any) { return c.Listen.Name, "guard_09az.lab.test" },
		`policy: {open: [` + strings.Repeat("a", 63) + `.lab.test]}`:                             nil,
		`listen: {admin: ":8081", admin_clients: ca, admin_certificate: c}`:                      nil,
		`{listen: {proxy: "127.0.0.1:8080"}, clients: {passwords: p}}`:                           nil,
		`{listen: {proxy: "192.0.2.1:8080"}, upstream: {proxy: "http://127.0.0.1:8080"}, ` + lan: nil,
		`listen: {certificate: c.pem, key: c.pem}`:                                               func(c *config.Config) (any, any) { return c.Files(), []string{"c.pem"} },
		`upstream: {proxy: env, no_proxy: [192.168.1.5]}`:                                        func(c *config.Config) (any, any) { return c.Upstream.Proxy + c.Upstream.NoProxy[0], "env192.168.1.5" },
		`upstream: {proxy: "http://p.test:3128/"}`:                                               func(c *config.Config) (any, any) { return c.Upstream.Proxy, "http://p.test:3128" },
		`upstream: {private: allow}`:                                                             func(c *config.Config) (any, any) { return c.Upstream.Private.All, true },
		`upstream: {resolve: {"[2001:db8::1]": "[::1]"}}`:                                        func(c *config.Config) (any, any) { return c.Upstream.Resolve, map[string]string{"2001:db8::1": "::1"} },
		`log: {repeat: off}`:                                                                     func(c *config.Config) (any, any) { return c.Log.Repeat, config.Rate{} },
		`log: {repeat: 1/s}`:                                                                     nil,
		`log: {repeat: 1000000/h}`:                                                               nil,
		`notify: {url: "http://127.0.0.2:9/x"}`:                                                  nil,
		`notify: {url: "http://[::1]:9/x"}`:                                                      nil,
		`notify: {url: "http://localhost/x"}`:                                                    nil,
		`policy: {rules: }`:                                                                      nil,
		"# \ufffd \u00a0 \u0085":                                                                 nil,
		rule(`allow: []`):                                                                        nil,
		rule(`until: 2026-12-31T18:00:00+02:00`): func(c *config.Config) (any, any) {
			return c.Policy.Rules[0].Until, time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC)
		},
		rule(`until: 2026-12-31`): func(c *config.Config) (any, any) {
			return c.Policy.Rules[0].Until, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		},
		rule(`clients: ["::ffff:192.0.2.1"]`): func(c *config.Config) (any, any) {
			return c.Policy.Rules[0].Clients, []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}
		},
	} {
		c, err := config.Parse("guard.yaml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if want != nil {
			got, want := want(c)
			if d := cmp.Diff(want, got, samePrefix); d != "" {
				t.Errorf("%s (-want +got):\n%s", text, d)
			}
		}
	}
}

const lan = `clients: {allow: [10.0.0.0/8]}}`

func rule(more string) string {
	return `policy: {rules: [{name: pin, domains: [corp.example.net], ` + more + `}]}`
}

// And what is beyond a border is refused, for that reason.
func TestParse_refused(t *testing.T) {
	long := strings.Repeat("a", 64)
	for text, want := range map[string]string{
		`listen: {proxy: ":99999"}`:                                      "is not an address and a port",
		`listen: {proxy: "guard.lab.test:8080"}`:                         "want an address and a port",
		`listen: {proxy: "[fe80::1%eth0]:8080"}`:                         "is not an address and a port",
		`listen: {transparent: ":8443"}`:                                 "listen.transparent: \"[::]:8443\" is reached from beyond",
		`{listen: {proxy: "127.0.0.1:80", transparent: ":80"}, ` + lan:   "takes the port of listen.proxy",
		`{listen: {proxy: "[::]:80", transparent: "[::1]:80"}, ` + lan:   "takes the port of listen.proxy",
		`listen: {name: "fe80::1%eth0"}`:                                 "is not a host name or an address",
		`listen: {admin_url: "http://[::1"}`:                             "is not the address of a web server",
		`listen: {admin_url: "http://user@guard.lab.test"}`:              "is not the address of a web server",
		`listen: {admin_url: "http://guard.lab.test?a"}`:                 "is not the address of a web server",
		`listen: {admin_url: "http://guard.lab.test#a"}`:                 "is not the address of a web server",
		`policy: {open: [` + long + `.lab.test]}`:                        "is not a host name",
		`policy: {open: [` + strings.Repeat(long[:50]+".", 5) + `test]}`: "is not a host name",
		`policy: {open: [-a.lab.test]}`:                                  "is not a host name",
		`policy: {open: [a-.lab.test]}`:                                  "is not a host name",
		`policy: {open: ["a!.lab.test"]}`:                                "is not a host name",
		`policy: {open: ["a{.lab.test"]}`:                                "is not a host name",
		`policy: {open: ["a^.lab.test"]}`:                                "is not a host name",
		`policy: {open: ["user@mail.lab.test/path"]}`:                    `did you mean "mail.lab.test"?`,
		`clients: {allow: !x [10.0.0.0/8]}`:                              "tags are not read",
		`clients: {allow: ["fe80::1%eth0"]}`:                             "is not an address range",
		`upstream: {resolve: {"mail.lab.test:0": 127.0.0.1}}`:            "is not a host with or without a port",
		`upstream: {resolve: {"mail.lab.test:99999": 127.0.0.1}}`:        "is not a host with or without a port",
		`upstream: {resolve: {mail.lab.test: "127.0.0.1:0"}}`:            "is not an IP address with or without a port",
		`upstream: {resolve: {mail.lab.test: "[::1"}}`:                   "is not an IP address with or without a port",
		`upstream: {resolve: {mail.lab.test: "::1]"}}`:                   "is not an IP address with or without a port",
		`upstream: {resolve: {mail.lab.test: "fe80::1%eth0"}}`:           "is not an IP address with or without a port",
		`upstream: {resolve: {mail.lab.test: "[fe80::1%eth0]:443"}}`:     "is not an IP address with or without a port",
		`upstream: {resolve: {mail.lab.test: localhost}}`:                `did you mean "127.0.0.1"?`,
		`upstream: {resolve: {mail.lab.test: "localhost:8443"}}`:         `did you mean "127.0.0.1:8443"?`,
		`upstream: {resolve: {mail.lab.test: "lab.test:8443"}}`:          "want one such as 127.0.0.1",
		`upstream: {no_proxy: [10.0.0.5/99]}`:                            "is not a host, address or range",
		`upstream: {no_proxy: [lab.test]}`:                               "there is no proxy that it could be about",
		`upstream: {resolve: !x {mail.lab.test: 127.0.0.1}}`:             "tags are not read",
		`upstream: !x {private: allow}`:                                  "tags are not read",
		`upstream: &a {private: allow}`:                                  "anchors and aliases are not read",
		`upstream: {proxy: env, proxy_credentials: c}`:                   "there is no proxy that it could be about",
		`upstream: {proxy: "http://[::1"}`:                               "is not the URL of a proxy",
		`upstream: {proxy: "ftp://p.test:21"}`:                           "want http, https or socks5",
		`upstream: {proxy: "http://p.test:3128/x"}`:                      `did you mean "http://p.test:3128"?`,
		`upstream: {proxy: "http://p.test:3128?x"}`:                      `did you mean "http://p.test:3128"?`,
		`upstream: {proxy: "http://p.test:3128#x"}`:                      `did you mean "http://p.test:3128"?`,
		`upstream: {proxy: "jane:secret@p.test:3128"}`:                   `"…@p.test:3128" is not the URL of a proxy; want a URL`,
		`upstream: {proxy: "secret@p.test:3128"}`:                        `"…@p.test:3128" is not the URL of a proxy; want a URL`,
		`log: {decisions: .}`:                                            "is not a file",
		`log: {repeat: 0/s}`:                                             "is out of range",
		`log: {repeat: 1000001/s}`:                                       "is out of range",
		`notify: {url: "ftp://hooks.lab.test/x"}`:                        "not a URL with a scheme and a host",
		`notify: {url: "http://[::1"}`:                                   "not a URL with a scheme and a host",
		`notify: {url: "https://:443/x"}`:                                "not a URL with a scheme and a host",
		`notify: {url: "http://192.0.2.1/x"}`:                            "http to another computer",
		`policy: {rules: !x []}`:                                         "tags are not read",
		"listen: {}\n---\n[":                                             "not YAML",
		"# \x7f":                                                         "a control character",
		"# \u009b":                                                       "a control character",
		rule(`allow: mail.corp.example.net`):                             "a single value",
		rule(`clients: 10.0.0.0/8`):                                      "want a list such as",
		rule(`clients: !x [10.0.0.0/8]`):                                 "tags are not read",
		rule(`servers: mail.corp.example.net`):                           "want a mapping such as",
		rule(`servers: !x {imap: mail.corp.example.net}`):                "tags are not read",
		rule(`servers: {imap: {host: mail.corp.example.net, port: 0}}`):  "is not a port",
		rule(`until: 2026-12-31 18:00`):                                  `did you mean "2026-12-31T18:00:00Z"?`,
		`policy: {rules: [!x {name: pin}]}`:                              "tags are not read",
		`!x listen: {proxy: "127.0.0.1:9"}`:                              "tags are not read",
	} {
		_, err := config.Parse("guard.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// What a command line says is held against the same conditions.
func TestConfig_Check(t *testing.T) {
	c := config.Default()
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	if err := c.Set("listen.proxy", ":8080"); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), `listen.proxy: "[::]:8080" is reached from beyond`) {
		t.Errorf("got %v", err)
	}
}

// A file that can be read in part only is not taken for a shorter one, and absolute paths stay.
func TestLoad_whole(t *testing.T) {
	if _, err := config.Load(t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "reading the configuration: ") {
		t.Errorf("a directory: got %v", err)
	}
	roots := filepath.Join(t.TempDir(), "roots.pem")
	c, err := config.Parse("lab/guard.yaml", []byte(`upstream: {roots: '`+roots+`'}`))
	if err != nil || c.Upstream.Roots != roots {
		t.Errorf("got %+v, %v", c, err)
	}
}
