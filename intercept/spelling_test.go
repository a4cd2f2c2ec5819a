package intercept_test

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/elazarl/goproxy"

	"autodiscover-guard/intercept"
)

// spelledPaths are request targets, and what upstream must get: the same, but for bytes that a server may take for something else than the policy does.
var spelledPaths = map[string]string{
	"/a|b":                        "",
	"/a%7Cb":                      "",
	"/a%2Fb|c":                    "",
	"/%7euser/%e4|":               "",
	"/\"^{}<>`?q=|\"^{}<>`&q=%7c": "",
	"/a;b|c,d=[1]!$&'()*+:@~?":    "",
	"/a%2fb%5C\\c":                "/a%2fb%5C%5Cc",
	"/caf\u00e9|%C3%A9":           "/caf%C3%A9|%C3%A9",
	"/a#b|":                       "/a%23b|",
	"//a|b":                       "//a%7Cb",
	"//a%2Fb":                     "",
}

func TestSpelling_inHTTP1(t *testing.T) {
	for _, way := range oldWays {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			var got string
			n := newLAN(t, func(_ http.ResponseWriter, r *http.Request) { got = r.RequestURI + " " + r.Host })
			conn, err := way.dial(t, n)
			if err != nil {
				t.Fatal(err)
			}
			for sent, want := range spelledPaths {
				if want == "" {
					want = sent
				}
				_, _ = io.WriteString(conn, "GET "+strings.TrimSuffix(way.target, "/")+sent+" HTTP/1.1\r\nHost: opened.net\r\n\r\n")
				if status := answer(t, conn, http.MethodGet).StatusCode; status != http.StatusOK || got != want+" opened.net" {
					t.Errorf("%s: got %d, upstream %q, want %q", sent, status, got, want)
				}
			}
			_, _ = io.WriteString(conn, "OPTIONS "+cmp.Or(strings.TrimSuffix(way.target, "/"), "*")+" HTTP/1.1\r\nHost: opened.net\r\n\r\n")
			if status := answer(t, conn, http.MethodOptions).StatusCode; status != http.StatusOK || got != "* opened.net" {
				t.Errorf("OPTIONS: got %d, upstream %q", status, got)
			}
		})
	}
}

func TestSpelling_inHTTP2(t *testing.T) {
	for _, version := range []string{"HTTP/2.0", "HTTP/1.1"} { // of upstream
		t.Run(version, func(t *testing.T) {
			var got, proto string
			web := newAuthority(t, "other web")
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, proto = r.RequestURI+" "+r.Host, r.Proto }))
			s.EnableHTTP2 = version == "HTTP/2.0"
			s.TLS = &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return web.Leaf(hello.ServerName) }}
			s.StartTLS()
			t.Cleanup(func() { over(t, s.Close) })
			w := newWorld(t, nil, everywhere(s.Listener.Addr().String()), timeouts(func(u *intercept.UpstreamConfig) { u.Roots = web.roots() }))
			client := w.client(true)
			all := map[string]string{"/a b HTTP/1.1|": "/a%20b%20HTTP/1.1|"} // which no line of HTTP/1 can hold
			for sent, want := range spelledPaths {
				if !strings.HasPrefix(sent, "//") { // net/http's client would make a host of it
					all[sent] = want
				}
			}
			for sent, want := range all {
				if want == "" {
					want = sent
				}
				r := request(t, http.MethodGet, "https://opened.net/", "")
				path, query, asks := strings.Cut(sent, "?")
				r.URL.Opaque, r.URL.RawQuery, r.URL.ForceQuery = path, query, asks
				if status := send(t, client, r).StatusCode; status != http.StatusOK || got != want+" opened.net" || proto != version {
					t.Errorf("%s: got %d, upstream %q in %s, want %q", sent, status, got, proto, want)
				}
			}
		})
	}
}

// A proxy is asked in the absolute form, with the same spelling.
func TestSpelling_throughAProxy(t *testing.T) {
	lines := make(chan string, 1)
	addr := listen(t, func(c net.Conn) {
		for r := bufio.NewReader(c); ; {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			lines <- req.RequestURI + " " + req.Host
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	w := newWorld(t, nil, timeouts(func(u *intercept.UpstreamConfig) { u.Resolve, u.Proxy = nil, "http://"+addr }))
	conn := w.hold(t)
	for sent, want := range spelledPaths {
		if want == "" {
			want = sent
		}
		for _, host := range []string{"opened.net", "opened.net:8080"} {
			_, _ = io.WriteString(conn, "GET http://"+host+sent+" HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
			if status := answer(t, conn, http.MethodGet).StatusCode; status != http.StatusOK {
				t.Fatalf("%s: got %d", sent, status)
			}
			if got := await(t, lines); got != "http://"+host+want+" "+host {
				t.Errorf("%s: the proxy got %q, want %q", sent, got, want)
			}
		}
	}
	for target, c := range map[string]net.Conn{"http://opened.net": conn, "*": w.tunnel("opened.net:80")} {
		_, _ = io.WriteString(c, "OPTIONS "+target+" HTTP/1.1\r\nHost: opened.net\r\n\r\n")
		if status := answer(t, c, http.MethodOptions).StatusCode; status != http.StatusOK {
			t.Fatalf("OPTIONS %s: got %d", target, status)
		}
		if got := await(t, lines); got != "http://opened.net opened.net" {
			t.Errorf("OPTIONS %s: the proxy got %q", target, got)
		}
	}
}

// Another handler that changes the path changes it.
func TestSpelling_ofAHandler(t *testing.T) {
	var got string
	w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) { got = r.RequestURI })
	w.proxy.OnRequest().DoFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		r.URL.Path = "/other|"
		return r, nil
	})
	r := request(t, http.MethodGet, "http://opened.net/", "")
	r.URL = &url.URL{Scheme: "http", Host: "opened.net", Opaque: "//opened.net/a|b"}
	if send(t, w.client(false), r); got != "/other%7C" {
		t.Errorf("upstream got %q", got)
	}
}
