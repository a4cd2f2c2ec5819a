package intercept

import (
	"fmt"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"autodiscover-guard/rules/dialect"
)

func TestRedirects(t *testing.T) {
	at := func(s string) *url.URL {
		t.Helper()
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	mine, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	var sent redirects
	sent.add(mine, urlKey(at("http://Opened.NET:80/a%2Fb?x=1#y")), dialect.Inquiry{Dialect: dialect.POX}, now)
	sent.add(mine, urlKey(at("https://opened.net")), dialect.Inquiry{Dialect: dialect.POX}, now)
	sent.add(netip.Addr{}, urlKey(at("https://nobody.net/")), dialect.Inquiry{Dialect: dialect.POX}, now)
	for _, c := range []struct {
		client netip.Addr
		url    string
		after  time.Duration
		want   bool
	}{
		{mine, "https://opened.net/a%2Fb?x=1", 0, true},
		{netip.MustParseAddr("::ffff:192.0.2.1"), "http://opened.net./a%2Fb?x=1", redirectTime - 1, true},
		{mine, "https://opened.net/a%2Fb?x=1", redirectTime, false},
		{mine, "http://opened.net/", 0, true},
		{mine, "http://opened.net/?", 0, true},
		{other, "https://opened.net/a%2Fb?x=1", 0, false},
		{mine, "https://opened.net/a/b?x=1", 0, false},
		{mine, "https://opened.net/a%2Fb", 0, false},
		{mine, "https://opened.net:8443/a%2Fb?x=1", 0, false},
		{mine, "https://www.opened.net/a%2Fb?x=1", 0, false},
		{netip.Addr{}, "https://nobody.net/", 0, false},
	} {
		if q, got := sent.find(c.client, at(c.url), now.Add(c.after)); got != c.want || got && q.Dialect != dialect.POX {
			t.Errorf("%v at %s, %v later: %v, %t", c.client, c.url, c.after, q.Dialect, got)
		}
	}
}

// What clients ask who are sent to a place, as curl 7.88, urllib (Python 3.11), fetch (node 20) and requests 2.34 were seen to write it; with a fragment also PHP 8.2 and LWP 6.68.
func TestPlaceName_clientsSpellings(t *testing.T) {
	for location, asked := range map[string][]string{
		"/a/%2e%2e/s": {"/a/%2e%2e/s", "/s"}, "/a/.%2E/s": {"/s"}, "/a/../s": {"/s"}, "/x//y/../s": {"/x//s"}, "/s/.": {"/s/"},
		"/a|b": {"/a%7Cb"}, `/a"b`: {"/a%22b"}, "/a^b`{}": {"/a^b%60%7B%7D", "/a%5Eb%60%7B%7D"}, "/a b": {"/a%20b"}, "/%7Euser": {"/~user"},
		"/\xfc": {"/%fc", "/%EF%BF%BD"}, "/ü": {"/%c3%bc", "/%C3%BC"}, "/s%2ft": {"/s%2Ft"}, "": {"/"}, "/s#f": {"/s"},
		"/s?x='": {"/s?x=%27"}, `/s?x="<>`: {"/s?x=%22%3C%3E"}, "/s?x=a b": {"/s?x=a+b", "/s?x=a%20b"}, "/s?x=\xfc": {"/s?x=%EF%BF%BD"}, "/s?x=%41": {"/s?x=A"},
		"/s?x={|}^`[]": {"/s?x=%7B%7C%7D%5E%60%5B%5D"}, "/s?x=%zz": {"/s?x=%25zz"}, "/s%zz%": {"/s%25zz%25"},
		"/s#f?g": {"/s%23f?g"}, "/s?x=#f": {"/s?x=%23f"}, "http://lab.test:0080/s": {"http://lab.test/s", "http://lab.test:80/s"}, "https://lab.test:08443/s": {"https://lab.test:8443/s"},
	} {
		from := &url.URL{Scheme: "https", Host: "lab.test", Path: "/"}
		to, err := dialect.ResolveReference(from, location)
		if err != nil {
			t.Fatal(err)
		}
		for _, uri := range append(asked, location) {
			u, err := dialect.ResolveReference(from, uri)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := urlKey(u), urlKey(to); got != want {
				t.Errorf("sent to %q, asks %q: %q is not %q", location, uri, got, want)
			}
		}
	}
	for _, other := range []string{"/a/b", "/A", "/a?", "/a?b=c", "/b", "/a/b?c"} {
		u, err := url.Parse("https://lab.test" + other)
		if err != nil {
			t.Fatal(err)
		}
		if is := urlKey(u) == urlKey(&url.URL{Host: "lab.test", Path: "/a"}); is != (other == "/a?") {
			t.Errorf("%s is /a: %t", other, is)
		}
	}
}

// Each place has its time, and an IPv6 client all addresses of its network.
func TestRedirects_eachPlace(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	places := map[string]*url.URL{"/first": {Scheme: "https", Host: "opened.net", Path: "/first"}, "/second": {Scheme: "https", Host: "opened.net", Path: "/second"}}
	var s redirects
	s.add(netip.MustParseAddr("2001:db8::1"), urlKey(places["/first"]), dialect.Inquiry{}, now)
	s.add(netip.MustParseAddr("2001:db8::2%eth0"), urlKey(places["/second"]), dialect.Inquiry{}, now.Add(redirectTime-1))
	for _, c := range []struct {
		client, place string
		after         time.Duration
		want          bool
	}{
		{"2001:db8::3", "/first", redirectTime - 1, true},
		{"2001:db8::3", "/second", redirectTime - 1, true},
		{"2001:db8::3", "/first", redirectTime, false},
		{"2001:db8::3", "/second", redirectTime, true},
		{"2001:db8::3", "/second", 2*redirectTime - 1, false},
		{"2001:db8:0:1::1", "/first", 0, false},
	} {
		if _, got := s.find(netip.MustParseAddr(c.client), places[c.place], now.Add(c.after)); got != c.want {
			t.Errorf("%s at %s, %v later: %t", c.client, c.place, c.after, got)
		}
	}
}

// A client forgets its own places first, and the clients whose time is over are forgotten first.
func TestRedirects_bounded(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	knows := func(s *redirects, client netip.Addr, n int) bool {
		_, ok := s.find(client, &url.URL{Scheme: "https", Host: "opened.net", Path: fmt.Sprint("/", n)}, now)
		return ok
	}
	var s redirects
	client := func(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}) }
	for n := range redirectsPerClient + 1 {
		s.add(client(0), fmt.Sprintf("opened.net /%d ", n), dialect.Inquiry{}, now)
	}
	if knows(&s, client(0), 0) || !knows(&s, client(0), 1) || !knows(&s, client(0), redirectsPerClient) {
		t.Error("the first place should be the one that is forgotten")
	}
	for n := range redirectClients {
		s.add(client(n+1), "opened.net /0 ", dialect.Inquiry{}, now.Add(time.Duration(n+1)))
	}
	if len(s.clients) != redirectClients || knows(&s, client(0), 1) || !knows(&s, client(1), 0) || !knows(&s, client(redirectClients), 0) {
		t.Errorf("%d clients; the first one should be forgotten", len(s.clients))
	}
	s.add(client(5), "opened.net /0 ", dialect.Inquiry{}, now.Add(redirectTime))
	s.add(client(0), "opened.net /0 ", dialect.Inquiry{}, now.Add(2*redirectTime-1))
	if len(s.clients) != 2 {
		t.Errorf("%d clients are remembered beyond their time", len(s.clients)-2)
	}
}
