package intercept_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elazarl/goproxy"
	"go.uber.org/zap"

	"autodiscover-guard/intercept"
)

const (
	proxyUser     = "guard@corp"
	proxyPassword = "s3cret:with%odd/signs"
)

// uplink is a proxy behind the guard, which leads to the world's upstream by port.
type uplink struct {
	url       string
	authority *authority // signed its certificate
	login     bool       // it wants proxyUser and proxyPassword
	untold    bool       // the guard is not told them

	mu     sync.Mutex
	secure string
	plain  string
	seen   []string
}

// world is a world whose every way leads through the uplink.
func (u *uplink) world(t *testing.T, upstream http.HandlerFunc, options ...option) *world {
	t.Helper()
	w := newWorld(t, upstream, append([]option{func(c *intercept.Config, _ *proxyServer, w *world) {
		c.Upstream.Resolve, c.Upstream.Proxy = nil, u.url
		if u.authority != nil {
			c.Upstream.Roots.AddCert(u.authority.cert)
		}
		if u.login && !u.untold {
			c.Upstream.ProxyCredentials = intercept.NewCredentials(proxyUser, proxyPassword)
		}
		u.secure, u.plain = w.secure.Listener.Addr().String(), w.plain.Listener.Addr().String()
	}}, options...)...)
	return w
}

func (u *uplink) note(what string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.seen = append(u.seen, what)
}

// taken returns what was seen since the last call.
func (u *uplink) taken() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	seen := strings.Join(u.seen, "; ")
	u.seen = nil
	return seen
}

func (u *uplink) dial(_, addr string) (net.Conn, error) {
	u.mu.Lock()
	to := u.secure
	if strings.HasSuffix(addr, ":80") {
		to = u.plain
	}
	u.mu.Unlock()
	return dial(to)
}

// httpUplink is goproxy, a proxy that we did not write, behind a log-in.
func httpUplink(t *testing.T, secure, login bool) *uplink {
	t.Helper()
	u := &uplink{login: login}
	p := goproxy.NewProxyHttpServer()
	p.Logger = silent{}
	p.Tr = &http.Transport{DialContext: func(_ context.Context, network, addr string) (net.Conn, error) { return u.dial(network, addr) }}
	t.Cleanup(p.Tr.CloseIdleConnections)
	p.ConnectDial = u.dial
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, pass, _ := (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth()
		if login && (user != proxyUser || pass != proxyPassword) || !login && r.Header["Proxy-Authorization"] != nil {
			w.Header().Set("Proxy-Authenticate", `Basic realm="uplink"`)
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		if via := r.Header.Get("Via"); !strings.HasPrefix(via, "1.1 autodiscover-guard-") && !strings.HasPrefix(via, "2.0 autodiscover-guard-") {
			u.note("no Via")
		}
		u.note(r.Method + " " + r.URL.String())
		p.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	t.Cleanup(func() { over(t, s.Close) })
	if !secure {
		s.Start()
		u.url = s.URL
		return u
	}
	u.authority = newAuthority(t, "uplink")
	cert, err := u.authority.sign(&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	s.EnableHTTP2 = true // it must not be chosen: a CONNECT request of ours is one of HTTP/1
	s.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}}
	s.StartTLS()
	u.url = s.URL
	return u
}

// socksUplink speaks as much SOCKS5 (RFC 1928, RFC 1929) as the guard needs.
func socksUplink(t *testing.T, login bool, reply byte) *uplink {
	t.Helper()
	u := &uplink{login: login}
	addr := listen(t, func(c net.Conn) {
		if err := u.socks(c, reply); err != nil && !errors.Is(err, io.EOF) {
			u.note(err.Error())
		}
	})
	u.url = "socks5h://" + addr
	return u
}

func (u *uplink) socks(c net.Conn, reply byte) error {
	read := func(n byte) []byte {
		b := make([]byte, n)
		_, _ = io.ReadFull(c, b)
		return b
	}
	methods := string(read(read(2)[1]))
	if u.login {
		if !strings.Contains(methods, "\x02") {
			_, err := c.Write([]byte{5, 0xff})
			return err
		}
		_, _ = c.Write([]byte{5, 2})
		user := string(read(read(2)[1]))
		password := string(read(read(1)[0]))
		if user != proxyUser || password != proxyPassword {
			_, err := c.Write([]byte{1, 1})
			return err
		}
		_, _ = c.Write([]byte{1, 0})
	} else {
		_, _ = c.Write([]byte{5, 0})
	}
	head := read(4)
	if head[3] != 3 {
		return fmt.Errorf("address of type %d, want a name", head[3])
	}
	host := string(read(read(1)[0]))
	addr := fmt.Sprintf("%s:%d", host, binary.BigEndian.Uint16(read(2)))
	u.note("SOCKS " + addr)
	_, _ = c.Write([]byte{5, reply, 0, 1, 0, 0, 0, 0, 0, 0})
	if reply == 0 {
		to := u.secure
		if strings.HasSuffix(addr, ":80") {
			to = u.plain
		}
		relay(c, to)
	}
	return nil
}

// uplinks are the kinds of proxies there are.
var uplinks = []struct {
	name string
	make func(t *testing.T, login bool) *uplink
}{
	{"http", func(t *testing.T, login bool) *uplink { t.Helper(); return httpUplink(t, false, login) }},
	{"https", func(t *testing.T, login bool) *uplink { t.Helper(); return httpUplink(t, true, login) }},
	{"socks5", func(t *testing.T, login bool) *uplink { t.Helper(); return socksUplink(t, login, 0) }},
}

// Everything goes through the proxy behind us: what is opened, what is plain, what is tunnelled; and what it is told stays there.
func TestParent_leadsEverything(t *testing.T) {
	for _, kind := range uplinks {
		for _, login := range []bool{false, true} {
			for _, door := range doors {
				t.Run(fmt.Sprintf("%s/login=%v/%s", kind.name, login, door.name), func(t *testing.T) {
					t.Parallel()
					s := &spy{next: jsonAnswer(suggest("", stranger))}
					u := kind.make(t, login)
					w := u.world(t, s.handle)
					port := map[string]string{"http": ":80", "https": ":443"}[door.scheme]
					for _, host := range []string{"opened.net", bank} {
						got := send(t, door.client(w), request(t, http.MethodGet, door.scheme+"://"+host+"/page", ""))
						if got.body != suggest("", stranger) {
							t.Errorf("%s: got %d %q", host, got.StatusCode, got.body)
						}
						want := "CONNECT //" + host + port
						switch {
						case kind.name == "socks5":
							want = "SOCKS " + host + port
						case door.scheme == "http" && (host != bank || door.name == "plain"):
							want = "GET http://" + host + "/page"
						}
						if seen := u.taken(); seen != want {
							t.Errorf("%s: the proxy saw %q, want %q", host, seen, want)
						}
					}
					if got := send(t, door.client(w), ask(t, door.scheme, "email@example.com")); got.body != suggest("email@example.com") {
						t.Errorf("guarded: got %d %q", got.StatusCode, got.body)
					}
					if raw := s.heard(); strings.Contains(raw, "Proxy-") {
						t.Errorf("upstream got %q", raw)
					}
				})
			}
		}
	}
}

// A mail server speaks first, and each side may say its last word before the other.
func TestParent_tunnelOfAnotherProtocol(t *testing.T) {
	for _, kind := range uplinks {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			u := kind.make(t, true)
			w := u.world(t, jsonAnswer(""))
			u.mu.Lock()
			u.secure = listen(t, func(c net.Conn) {
				_, _ = io.WriteString(c, "220 mail\r\n")
				said, _ := bufio.NewReader(c).ReadString('\n')
				_, _ = io.WriteString(c, "221 "+strings.TrimSpace(said))
			})
			u.mu.Unlock()
			c, err := w.connect(bank + ":25")
			if err != nil {
				t.Fatal(err)
			}
			greeting := make([]byte, len("220 mail\r\n"))
			if _, err := io.ReadFull(c, greeting); err != nil || string(greeting) != "220 mail\r\n" {
				t.Fatalf("got %q, %v", greeting, err)
			}
			_, _ = io.WriteString(c, "QUIT")
			if kind.name == "https" {
				_, _ = io.WriteString(c, "\n") // goproxy v1.9.4 as the proxy does not half-close what comes over TLS
			} else {
				_ = c.(*peeked).Conn.(*net.TCPConn).CloseWrite()
			}
			if all, err := io.ReadAll(c); string(all) != "221 QUIT" || err != nil {
				t.Errorf("got %q, %v", all, err)
			}
		})
	}
}

func TestParent_noProxy(t *testing.T) {
	u := httpUplink(t, false, false)
	w := u.world(t, jsonAnswer("reached"), func(c *intercept.Config, _ *proxyServer, w *world) {
		c.Upstream.NoProxy = []string{"direct.net", ".below.net"}
		c.Upstream.Resolve = map[string]string{"opened.net:443": w.secure.Listener.Addr().String(), "opened.net:80": w.plain.Listener.Addr().String()}
	})
	for _, host := range []string{"-a.direct.net", "-a.below.net"} { // no resolver is asked for such a name
		for _, where := range []string{"http://" + host + "/", "https://" + host + "/"} {
			resp, err := w.client(false).RoundTrip(request(t, http.MethodGet, where, ""))
			if err == nil {
				_ = resp.Body.Close()
			}
			if seen := u.taken(); seen != "" {
				t.Errorf("%s: the proxy saw %q", where, seen)
			}
		}
	}
	for _, scheme := range []string{"http", "https"} { // Resolve names an address, and that is dialled
		if got := send(t, w.client(false), request(t, http.MethodGet, scheme+"://opened.net/", "")); got.body != "reached" || u.taken() != "" {
			t.Errorf("%s: got %d %q", scheme, got.StatusCode, got.body)
		}
	}
}

func TestParent_environment(t *testing.T) {
	plain, secure := httpUplink(t, false, true), socksUplink(t, false, 0)
	for _, name := range []string{"NO_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, "")
	}
	t.Setenv("HTTP_PROXY", strings.Replace(plain.url, "://", "://guard%40corp:s3cret%3Awith%25odd%2Fsigns@", 1))
	t.Setenv("HTTPS_PROXY", secure.url)
	w := plain.world(t, jsonAnswer("reached"), timeouts(func(u *intercept.UpstreamConfig) {
		u.Proxy, u.ProxyCredentials = "env", intercept.Credentials{}
	}))
	secure.secure, secure.plain = plain.secure, plain.plain
	for scheme, want := range map[string]string{"http": "GET http://opened.net/", "https": "SOCKS opened.net:443"} {
		if got := send(t, w.client(false), request(t, http.MethodGet, scheme+"://opened.net/", "")); got.body != "reached" {
			t.Errorf("%s: got %d %q", scheme, got.StatusCode, got.body)
		}
		if seen := plain.taken() + secure.taken(); seen != want {
			t.Errorf("%s: the proxies saw %q, want %q", scheme, seen, want)
		}
	}
	got := send(t, w.client(false), request(t, http.MethodGet, "http://opened.net:8080/", ""))
	if seen := plain.taken() + secure.taken(); seen != "GET http://opened.net:8080/" {
		t.Errorf("got %d; the proxies saw %q", got.StatusCode, seen)
	}
}

// A proxy inside is no way around the rule for private addresses, nor is it a host to be asked for.
func TestParent_privateAddresses(t *testing.T) {
	for _, kind := range uplinks {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			u := kind.make(t, false)
			w := u.world(t, jsonAnswer("reached"))
			for _, host := range []string{"169.254.169.254", "10.0.0.1", "[fd00:ec2::254]", "[::ffff:10.0.0.1]", "2130706434", "0x0a.1"} {
				if _, err := w.connect(host + ":443"); err == nil || !strings.Contains(err.Error(), "403 Forbidden") || !strings.Contains(err.Error(), "private address") {
					t.Errorf("CONNECT %s: got %v", host, err)
				}
				got := send(t, w.client(false), request(t, http.MethodGet, "http://"+host+"/", ""))
				if got.StatusCode != http.StatusBadGateway || !strings.Contains(got.body, "private address") {
					t.Errorf("GET %s: got %d %q", host, got.StatusCode, got.body)
				}
			}
			_, at, _ := strings.Cut(u.url, "://")
			if got := send(t, w.client(false), request(t, http.MethodGet, "http://"+at+"/", "")); got.StatusCode != http.StatusBadGateway {
				t.Errorf("the proxy itself: got %d %q", got.StatusCode, got.body)
			}
			if seen := u.taken(); seen != "" {
				t.Errorf("the proxy saw %q", seen)
			}
		})
	}
}
