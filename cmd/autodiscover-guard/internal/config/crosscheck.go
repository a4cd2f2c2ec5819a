package config

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Check says what is wrong with values that are right each by itself. [Parse] has asked it; whoever changes a Config with [Config.Set] asks again.
// The error is a [Problem].
func (c *Config) Check() error {
	for _, rule := range crossChecks {
		if key, f := rule(c); f != nil {
			return Problem{Key: key, Text: f.text, Want: f.want}
		}
	}
	return nil
}

// crossCheck reports what Check would, at the key's place in the file.
func (r *reader) crossCheck() {
	for _, rule := range crossChecks {
		key, f := rule(r.config)
		if f == nil {
			continue
		}
		p := Problem{Key: key, Text: f.text, Want: f.want}
		if n := r.given[key]; n != nil {
			p.Line, p.Column = n.Line, n.Column
		}
		r.problems = append(r.problems, p)
	}
}

// crossChecks are the conditions that hold between keys. Each names the key to look at.
var crossChecks = []func(*Config) (key string, f *fault){
	needsClients("listen.proxy", func(c *Config) string { return c.Listen.Proxy }),
	needsClients("listen.transparent", func(c *Config) string { return c.Listen.Transparent }),
	distinctListeners,
	needsCertificate,
	passwordsNeedTLS,
	adminNeedsCertificate,
	adminNeedsAuthentication,
	pprofOnLoopback,
	proxyKeysNeedProxy,
	proxyLoop,
	unusedKeys,
	closeConflicts,
}

// needsClients refuses a listener beyond this computer for whose clients nobody has said anything: a proxy that serves whoever finds it is a gift to
// strangers, and one that serves nobody is no use.
func needsClients(key string, at func(*Config) string) func(*Config) (string, *fault) {
	return func(c *Config) (string, *fault) {
		address := at(c)
		if address == "" || onLoopback(address) || slices.ContainsFunc(c.Clients.Allow, beyondLoopback) {
			return key, nil
		}
		return key, &fault{
			text: quoted(address) + " is reached from beyond this computer, but clients.allow admits nobody there",
			want: "say who may use it, such as clients: {allow: [192.168.0.0/16]}, or listen on 127.0.0.1",
		}
	}
}

// beyondLoopback reports whether a range that parsePrefix has read is of others than this computer: one with bits set behind its length it refuses, so none that begins
// at a loopback address is larger than those.
func beyondLoopback(p netip.Prefix) bool { return !p.Addr().IsLoopback() }

// listener is where something listens, and the key that says so.
type listener struct{ key, address string }

func (c *Config) listeners() []listener {
	return []listener{{"listen.proxy", c.Listen.Proxy}, {"listen.transparent", c.Listen.Transparent}, {"listen.admin", c.Listen.Admin}}
}

// distinctListeners refuses two listeners at one address: the second would find it taken, by nobody but us.
func distinctListeners(c *Config) (string, *fault) {
	all := c.listeners()
	for i, l := range all {
		for _, other := range all[:i] {
			if overlap(l.address, other.address) {
				if l.key == "listen.admin" && l.address == Default().Listen.Admin {
					l, other = other, l // nobody has written that one
				}
				return l.key, &fault{text: quoted(l.address) + " takes the port of " + other.key + ", " + quoted(other.address), want: "want another port"}
			}
		}
	}
	return "", nil
}

// overlap reports whether one of two addresses that parseListen has read is, or is among, the other's. No address has port 0, as any port has.
func overlap(a, b string) bool {
	p, _ := netip.ParseAddrPort(a)
	q, _ := netip.ParseAddrPort(b)
	if p.Port() != q.Port() || p.Port() == 0 {
		return false
	}
	return p == q || covers(p.Addr(), q.Addr()) || covers(q.Addr(), p.Addr())
}

// covers reports whether to listen at one address is to listen at the other, too: [::] is all, 0.0.0.0 all of IPv4.
func covers(all, one netip.Addr) bool { return all.IsUnspecified() && (all.Is6() || one.Is4()) }

// needsCertificate refuses to go without a certificate where something needs TLS at the proxy's door.
func needsCertificate(c *Config) (string, *fault) {
	switch {
	case c.Listen.Certificate != "":
	case c.Listen.Key != "":
		return "listen.key", &fault{text: "there is a key without a certificate", want: "want listen.certificate too"}
	case c.Clients.Certificates != "":
		return "clients.certificates", &fault{text: "clients show a certificate only over TLS", want: "want listen.certificate too"}
	}
	return "", nil
}

// passwordsNeedTLS refuses passwords of clients that would travel in the clear.
func passwordsNeedTLS(c *Config) (string, *fault) {
	if c.Clients.Passwords == "" || c.Listen.Certificate != "" || onLoopback(c.Listen.Proxy) {
		return "", nil
	}
	return "clients.passwords", &fault{text: "passwords would travel in the clear", want: "want listen.certificate too, or a listener on 127.0.0.1"}
}

// adminNeedsCertificate refuses to go without a certificate where something needs TLS at the admin listener.
func adminNeedsCertificate(c *Config) (string, *fault) {
	l := &c.Listen
	const want = "want listen.admin_certificate too"
	switch {
	case l.AdminCertificate != "":
	case l.AdminKey != "":
		return "listen.admin_key", &fault{text: "there is a key without a certificate", want: want}
	case l.AdminClients != "":
		return "listen.admin_clients", &fault{text: "clients show a certificate only over TLS", want: want}
	case strings.HasPrefix(l.AdminURL, "https:"):
		return "listen.admin_url", &fault{text: "the admin listener does not speak TLS", want: want}
	case l.AdminTokenFile != "" && l.Admin != "" && !onLoopback(l.Admin):
		return "listen.admin_token_file", &fault{text: "the token would travel in the clear", want: want + ", or a listener on 127.0.0.1"}
	}
	return "", nil
}

// adminNeedsAuthentication refuses an admin listener that is reached from beyond this computer without a word on who may look.
func adminNeedsAuthentication(c *Config) (string, *fault) {
	l := &c.Listen
	if l.Admin == "" || onLoopback(l.Admin) || l.AdminTokenFile != "" || l.AdminClients != "" {
		return "", nil
	}
	return "listen.admin", &fault{
		text: quoted(l.Admin) + " is reached from beyond this computer, and everybody there would see who asks for what",
		want: "set listen.admin_certificate, and listen.admin_token_file or listen.admin_clients, or listen on 127.0.0.1",
	}
}

// pprofOnLoopback refuses profiles for other computers: making one costs time.
func pprofOnLoopback(c *Config) (string, *fault) {
	if !c.Listen.Pprof || c.Listen.Admin == "" || onLoopback(c.Listen.Admin) {
		return "", nil
	}
	return "listen.pprof", &fault{text: "profiles are for listeners on this computer only", want: "want off, or listen.admin on 127.0.0.1"}
}

// proxyKeysNeedProxy refuses keys about a proxy behind us where there is none.
func proxyKeysNeedProxy(c *Config) (string, *fault) {
	if c.Upstream.Proxy != "" && c.Upstream.Proxy != "env" {
		return "", nil
	}
	for _, k := range []struct {
		key   string
		given bool
	}{
		{"upstream.proxy_credentials", c.Upstream.ProxyCredentials != ""},
		{"upstream.no_proxy", len(c.Upstream.NoProxy) > 0 && c.Upstream.Proxy == ""},
	} {
		if k.given {
			return k.key, &fault{text: "there is no proxy that it could be about", want: "want upstream.proxy as a URL too"}
		}
	}
	return "", nil
}

// proxyLoop refuses the guard as the proxy behind itself, as far as the addresses tell: each request would be a loop.
func proxyLoop(c *Config) (string, *fault) {
	u, err := url.Parse(c.Upstream.Proxy)
	if err != nil || u.Host == "" {
		return "", nil
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "localhost" {
		host = "127.0.0.1"
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return "", nil
	}
	at = at.Unmap()
	for _, l := range c.listeners() {
		on, err := netip.ParseAddrPort(l.address)
		if err == nil && strconv.Itoa(int(on.Port())) == u.Port() && (on.Addr().Unmap() == at || at.IsUnspecified() || at.IsLoopback() && covers(on.Addr(), at)) {
			return "upstream.proxy", &fault{text: quoted(c.Upstream.Proxy) + " is the guard itself, at " + l.key, want: "want another proxy, or none"}
		}
	}
	return "", nil
}

// unusedKeys refuses a key that has no effect because what it is about is not there.
func unusedKeys(c *Config) (string, *fault) {
	switch {
	case c.Listen.TransparentBy == "tproxy" && c.Listen.Transparent == "":
		return "listen.transparent_by", &fault{text: "there is no transparent door", want: "want listen.transparent too"}
	case c.Notify.SecretFile != "" && c.Notify.URL == "":
		return "notify.secret_file", &fault{text: "nobody is notified", want: "want notify.url too"}
	}
	return "", nil
}
