package intercept

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/rules/dialect"
)

func TestParseTarget(t *testing.T) {
	for authority, want := range map[string]string{
		"Example.COM:443":               "example.com:443",
		"example.com.:443":              "example.com:443",
		"example.com":                   "example.com:80",
		"[::1]:443":                     "[::1]:443",
		"[2001:DB8::1]":                 "[2001:db8::1]:80",
		"192.0.2.1:8080":                "192.0.2.1:8080",
		"bücher.example:443":            "xn--bcher-kva.example:443",
		"ＥＸＡＭＰＬＥ．ｃｏｍ:443":               "example.com:443",
		"exam\u00adple.com:1":           "example.com:1",
		"_autodiscover.example.com:":    "_autodiscover.example.com:80",
		"localhost:65535":               "localhost:65535",
		strings.Repeat("a", 63):         strings.Repeat("a", 63) + ":80",
		strings.Repeat("ab.", 84) + "a": strings.Repeat("ab.", 84) + "a:80",
	} {
		got, err := parseTarget(authority, portHTTP)
		if err != nil || got.String() != want {
			t.Errorf("%q: got %q, %v; want %q", authority, got, err, want)
		}
	}
	for _, authority := range []string{
		"", ":443", "a@b:443", "a/b:443", "a?b", "a#b", "a\\b", "a b", "a%2eb", "::1", "::1:443", "[::1", "[::1]443", "[::1]x", "[192.0.2.1]:1",
		"[fe80::1%25eth0]:1", "a:0", "a:65536", "a:+1", "a:-1", "a:http", "a..b", ".a", ".", "a$b", "a\x00b", "\u200b", "\u0378.com", "xn--ü.com", "a:1:2", ":1:2", "a{b", "a~b",
		strings.Repeat("a", 64) + ".com", strings.Repeat("abc.", 63) + "abc",
	} {
		if got, err := parseTarget(authority, portHTTP); err == nil {
			t.Errorf("%q: got %q, want an error", authority, got)
		}
	}
	if _, err := parseTarget("example.com", 0); err == nil {
		t.Error("a missing port was made up")
	}
}

// A tunnel to an address, in whatever spelling some resolver takes it, does not say which host is meant.
func TestTarget_unsaid(t *testing.T) {
	for authority, want := range map[string]bool{
		"192.0.2.33:443": true, "192.0.2.33:80": true, "[::ffff:192.0.2.33]:443": true, "0xC0000221:443": true, "3221226017:80": true, "192.0.545:443": true,
		"192.0.2.33:993": false, "0xc0000221:993": false, "mail.lab.test:443": false, "0x.lab.test:443": false,
	} {
		if to, err := parseTarget(authority, 0); err != nil || to.namesNoHost() != want {
			t.Errorf("%s: got %t, %v", authority, !want, err)
		}
	}
}

func TestResolve(t *testing.T) {
	u := UpstreamConfig{Resolve: map[string]string{
		"Host.net": "127.0.0.1", "host.net:25": "127.0.0.2:2525", "six.net": "::1", "port.net": "127.0.0.1:8443", "other.net:443": "host.net",
	}}
	if err := u.fill(); err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]string{
		"host.net:443": "127.0.0.1:443", "HOST.net.:443": "127.0.0.1:443", "host.net:25": "127.0.0.2:2525", "six.net:443": "[::1]:443",
		"port.net:443": "127.0.0.1:8443", "other.net:443": "host.net:443", "other.net:80": "other.net:80", "elsewhere.net:443": "elsewhere.net:443",
	} {
		if got := u.address(addr); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
	for from, to := range map[string]string{"a b": "127.0.0.1", "a:x": "127.0.0.1", "a": "127.0.0.1:x", "": "127.0.0.1", "a.net": ""} {
		u := UpstreamConfig{Resolve: map[string]string{from: to}}
		if err := u.fill(); err == nil {
			t.Errorf("%q → %q was accepted", from, to)
		}
	}
	for to, wrong := range map[string]bool{"127.0.0.1": false, "127.0.0.2": true} { // which of two would hold, the order of a map would decide
		u := UpstreamConfig{Resolve: map[string]string{"a.net": "127.0.0.1", "A.net.": to}}
		if err := u.fill(); (err != nil) != wrong {
			t.Errorf("a.net → 127.0.0.1, A.net. → %s: %v", to, err)
		}
	}
}

func TestStripHop(t *testing.T) {
	h := http.Header{
		"Connection": {"close, X-Mine", "x-other"}, "X-Mine": {"1"}, "X-Other": {"1"}, "Keep-Alive": {"1"}, "Te": {"trailers, deflate"},
		"Transfer-Encoding": {"chunked"}, "Upgrade": {"WebSocket"}, "Proxy-Authorization": {"x"}, "X-End": {"1"},
	}
	stripHopByHop(h, true)
	if d := cmp.Diff(http.Header{"X-End": {"1"}, "Te": {"trailers"}}, h); d != "" {
		t.Error(d)
	}
	h = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"h2c"}}
	if stripHopByHop(h, true); len(h) > 0 {
		t.Errorf("what is left of h2c: %v", h)
	}
	for upgrade, want := range map[bool]http.Header{
		true:  {"Connection": {"Upgrade"}, "Upgrade": {"websocket"}},
		false: {},
	} {
		h := http.Header{"Connection": {"keep-alive, Upgrade"}, "Upgrade": {"WebSocket"}}
		stripHopByHop(h, upgrade)
		if d := cmp.Diff(want, h); d != "" {
			t.Errorf("upgrade %v: %s", upgrade, d)
		}
	}
}

func TestPublicValue(t *testing.T) {
	for path, want := range map[string]string{
		"/autodiscover/autodiscover.xml":                        "/autodiscover/autodiscover.xml",
		"/autodiscover/autodiscover.json/v1.0/user@example.com": "/autodiscover/autodiscover.json/v1.0/example.com",
		"/a/first.last+tag%40example.com/b":                     "/a/example.com/b",
		"/a/u%2540example.com":                                  "/a/example.com",
		"/a@b@c/d":                                              "/c/d",
		"@":                                                     "",
		`/"first last"@example.com/x`:                           "/example.com/x",
		"/a;jsessionid=secret/b;c=secret":                       "/a/b",
		"/user@example.com:secret/b":                            "/example.com/b",
		"/user@example.com:12345/b":                             "/example.com/b",
		"//user:secret@example.com:12345/b":                     "//example.com:12345/b",
		`/"a;b"@example.com secret`:                             "/example.com",
		"/user@[IPv6:2001:db8::1]:secret":                       "/[IPv6:2001:db8::1]",
		"/user@[x:secret":                                       "/[x",
		"/user@:secret/b":                                       "//b",
		"/user@ example.com:secret/b":                           "/example.com/b",
	} {
		if got := publicPath(path); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
	for _, c := range []struct {
		kind        dialect.Kind
		value, want string
	}{
		{dialect.KindURL, "https://u:pw@host.net/p?email=user@example.com&token=x#y", "https://host.net/p"},
		{dialect.KindRedirect, "https://host.net/user@example.com/x", "https://host.net/example.com/x"},
		{dialect.KindOpaque, "cn=x/cn=user@host.net#frag", "cn=x/host.net"},
		{dialect.KindHostname, "msstd:user@host.net?password=x", "host.net"},
		{dialect.KindAddress, `"a/b c"@other.net`, "other.net"},
		{dialect.KindAddress, "user%40other.net", "other.net"},
		{dialect.KindAddress, "user@other.net:secret", "other.net"},
		{dialect.KindAddress, "user@other.net secret", "other.net"},
		{dialect.KindAddress, "user@:secret", ""},
		{dialect.KindAddress, "user@[192.0.2.1]:25", "[192.0.2.1]"},
		{dialect.KindURL, "https://u:pw@host.net:8443/p;s=secret/q;secret", "https://host.net:8443/p/q"},
		{dialect.KindURL, "https://u:pw@[2001:db8::1]:8443/p", "https://[2001:db8::1]:8443/p"},
		{dialect.KindHostname, "u:pw@host.net:993;secret", "host.net"},
		{dialect.KindHostname, "u:pw@host.net:993", "host.net:993"},
		{dialect.KindRedirect, "/cal/;jsessionid=secret", "/cal/"},
	} {
		if got := publicValue(c.kind, c.value); got != c.want {
			t.Errorf("%s %q: got %q, want %q", c.kind, c.value, got, c.want)
		}
	}
	for path, want := range map[string]string{
		"/clientConfig/emailProvider/@id":                        "/clientConfig/emailProvider/@id",
		"header:x-feedback-token|jwt-payload|/P/0":               "header:x-feedback-token|jwt-payload|/P/0",
		"/Autodiscover/Response/Account/Protocol[2]/A[@x='y']/B": "/Autodiscover/Response/Account/Protocol[2]/A[@x='y']/B",
		"/user@example.com/url":                                  "/example.com/url",
	} {
		if got := withoutMailbox(path); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

func FuzzPublicPath(f *testing.F) {
	for _, s := range []string{"/a/user@example.com/b", "@@", "%40%40", "/@id", "a@b@c", "/a;b=c/d", "a@b:c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got := publicPath(path)
		if strings.ContainsAny(got, "@?#;") {
			t.Errorf("%q: got %q, which still names somebody", path, got)
		}
		if len(got) > maxText+len("…") {
			t.Errorf("got %d bytes", len(got))
		}
	})
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"example.com:443", "[::1]:80", "bücher.example", "a@b", "ＥＸ．com:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, authority string) {
		got, err := parseTarget(authority, portHTTPS)
		if err != nil {
			return
		}
		again, err := parseTarget(got.String(), 0)
		if err != nil || again != got {
			t.Errorf("%q: got %q, read again %q, %v", authority, got, again, err)
		}
	})
}
