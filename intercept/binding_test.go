package intercept_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/intercept"
)

// ntlm is an upstream that authenticates a connection: "NTLM 1 NAME" gets a challenge, "NTLM 3 NAME" on the same connection logs it in, and so
// does "Negotiate NAME" at once. Everything after that is served as NAME, whoever sends it.
type ntlm struct {
	logins sync.Map      // net.Conn → *login
	ended  chan struct{} // gets one for every connection that ends logged in
}

type login struct {
	mu               sync.Mutex
	challenged, user string
}

type loginKey struct{}

func newNTLM() *ntlm { return &ntlm{ended: make(chan struct{}, 1<<10)} }

// at puts the upstream behind the tests' hosts.
func (n *ntlm) at(c *intercept.Config, _ *proxyServer, w *world) {
	start := func(secure bool) string {
		s := httptest.NewUnstartedServer(n)
		s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
			l := new(login)
			n.logins.Store(c, l)
			return context.WithValue(ctx, loginKey{}, l)
		}
		s.Config.ConnState = func(c net.Conn, state http.ConnState) {
			if l, ok := n.logins.Load(c); ok && state == http.StateClosed && l.(*login).name() != "" {
				n.ended <- struct{}{}
			}
		}
		s.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
		if secure {
			s.EnableHTTP2 = true // the guard has to choose HTTP/1 by itself
			s.TLS = &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return w.web.Leaf(hello.ServerName) }}
			s.StartTLS()
		} else {
			s.Start()
		}
		w.tb.Cleanup(func() { over(w.tb, s.Close) })
		return s.Listener.Addr().String()
	}
	plain, secure := start(false), start(true)
	for _, host := range []string{"opened.net", bank} {
		c.Upstream.Resolve[host+":80"], c.Upstream.Resolve[host+":443"] = plain, secure
	}
}

func (l *login) name() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.user
}

// ServeHTTP implements http.Handler.
func (n *ntlm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l := r.Context().Value(loginKey{}).(*login)
	l.mu.Lock()
	defer l.mu.Unlock()
	said := strings.Fields(r.Header.Get("Authorization"))
	switch {
	case len(said) == 3 && said[1] == "1":
		l.challenged = said[2]
		w.Header().Set("Www-Authenticate", "NTLM 2")
	case len(said) == 3 && said[1] == "3" && l.challenged == said[2], len(said) == 2:
		l.user = said[len(said)-1]
		if r.ProtoMajor != 1 {
			l.user = "somebody over " + r.Proto
		}
	}
	if l.user == "" {
		w.WriteHeader(http.StatusUnauthorized)
	}
	_, _ = fmt.Fprintf(w, "as %q", l.user)
}

// targets are what is asked there: discovery about an account that nobody guards, something else on an opened host, and a host that is not.
var targets = map[string]func(tb testing.TB, scheme string) *http.Request{
	"discovery": func(tb testing.TB, scheme string) *http.Request {
		return poxAsk(tb, scheme+"://opened.net"+poxPath, "user@corp-mail.net")
	},
	"opened": func(tb testing.TB, scheme string) *http.Request {
		return request(tb, http.MethodGet, scheme+"://opened.net/ews", "")
	},
	"tunnelled": func(tb testing.TB, scheme string) *http.Request {
		return request(tb, http.MethodGet, scheme+"://"+bank+"/ews", "")
	},
}

// asks makes a client's question: what it says for itself goes into Authorization.
func asks(tb testing.TB, client http.RoundTripper, scheme, target, authorization string) string {
	tb.Helper()
	r := targets[target](tb, scheme)
	r.Header.Del("Authorization")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	got := sent(client, r)
	if got.err != nil {
		tb.Errorf("%s: %v", r.URL, got.err)
	}
	return got.body
}

func as(name string) string { return fmt.Sprintf("as %q", name) }

func TestBinding_nobodyIsServedAsSomebodyElse(t *testing.T) {
	for _, door := range doors {
		for target := range targets {
			if door.name == "connect-h2" && target == "tunnelled" {
				continue // no guard can help a client that logs in over HTTP/2
			}
			t.Run(door.name+"/"+target, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, jsonAnswer(""), newNTLM().at)
				alice, bob := door.client(w), door.client(w)
				step := func(who http.RoundTripper, authorization, want string) {
					t.Helper()
					if got := asks(t, who, door.scheme, target, authorization); got != want {
						t.Errorf("%q: got %q, want %q", authorization, got, want)
					}
				}
				step(bob, "", as("")) // leaves a connection that alice must not log in on
				step(alice, "NTLM 1 alice", as(""))
				step(bob, "NTLM 3 alice", as("")) // nor can bob finish what she began
				step(alice, "NTLM 3 alice", as("alice"))
				step(bob, "", as(""))
				step(alice, "", as("alice"))
				step(bob, "Basic", as(""))
				step(door.client(w), "", as(""))
				step(bob, "nEGOTIATE bob", as("bob"))
				step(alice, "", as("alice"))
				step(bob, "", as("bob"))
				alice.CloseIdleConnections()
				step(alice, "", as("")) // who comes again has to log in again
				step(door.client(w), "", as(""))
			})
		}
	}
}

func TestBinding_manyAtOnce(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, jsonAnswer(""), newNTLM().at)
			var all sync.WaitGroup
			for i := range 12 {
				client, name := door.client(w), fmt.Sprint("user", i)
				if i%3 == 0 {
					name = ""
				}
				target := []string{"discovery", "opened"}[i%2]
				all.Go(func() {
					if name != "" {
						asks(t, client, door.scheme, target, "NTLM 1 "+name)
						asks(t, client, door.scheme, target, "NTLM 3 "+name)
					}
					for range 5 {
						// A busy client may open a connection more, and be nobody there; it must never be somebody else.
						if got := asks(t, client, door.scheme, target, ""); got != as(name) && got != as("") {
							t.Errorf("got %q, want %q", got, as(name))
						}
					}
				})
			}
			all.Wait()
		})
	}
}

// A server that forgot ConnContext has no place to keep a log-in made at the plain door. It fails, and opens nothing to anybody.
func TestBinding_serverWithoutConnContext(t *testing.T) {
	for _, door := range doors {
		for _, target := range []string{"discovery", "opened"} {
			t.Run(door.name+"/"+target, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, jsonAnswer(""), newNTLM().at)
				bare := httptest.NewServer(w.server.Handler)
				t.Cleanup(func() { over(t, bare.Close) })
				w.addr = bare.Listener.Addr().String()
				alice, bob := door.client(w), door.client(w)
				kept := "" // opened tunnels have a place of their own
				if door.name != "plain" {
					kept = "alice"
				}
				step := func(who http.RoundTripper, authorization, want string) {
					t.Helper()
					if got := asks(t, who, door.scheme, target, authorization); got != as(want) {
						t.Errorf("%q: got %q, want %q", authorization, got, as(want))
					}
				}
				step(bob, "", "")
				step(alice, "NTLM 1 alice", "")
				step(alice, "NTLM 3 alice", kept)
				step(bob, "", "")
				step(alice, "", kept)
				step(alice, "Negotiate alice", "alice") // one message is enough, and good for one request
				step(bob, "", "")
				step(alice, "", kept)
				step(door.client(w), "", "")
			})
		}
	}
}

func TestBinding_endsWithTheClientsConnection(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			n := newNTLM()
			w := newWorld(t, jsonAnswer(""), n.at)
			client := door.client(w)
			if got := asks(t, client, door.scheme, "opened", "Negotiate alice"); got != as("alice") {
				t.Fatalf("got %q", got)
			}
			client.CloseIdleConnections()
			for end := time.After(enough()); ; {
				select {
				case <-n.ended:
					return
				case <-end:
					vain(t, "the upstream connection outlived the client's")
				default:
					runtime.GC() // the outer server's connections are not ours to watch
				}
			}
		})
	}
}

func TestBinding_closeEndsThem(t *testing.T) {
	n := newNTLM()
	w := newWorld(t, jsonAnswer(""), n.at)
	client := w.client(false)
	asks(t, client, "http", "opened", "Negotiate alice")
	_ = w.plugin.Close()
	await(t, n.ended) // while the client's own connection still stands
	if got := asks(t, client, "http", "opened", ""); strings.Contains(got, "alice") {
		t.Errorf("got %q after Close", got)
	}
}

// A foreign proxy has no places at all.
func TestBinding_installedElsewhere(t *testing.T) {
	w := newWorld(t, jsonAnswer(""), newNTLM().at)
	foreign := httptest.NewServer(foreignProxy(w))
	t.Cleanup(func() { over(t, foreign.Close) })
	address, _ := url.Parse(foreign.URL)
	clients := [2]*http.Transport{{Proxy: http.ProxyURL(address)}, {Proxy: http.ProxyURL(address)}}
	for _, c := range clients {
		t.Cleanup(c.CloseIdleConnections)
	}
	for target := range targets {
		for i, want := range []string{"", "alice", "", ""} {
			authorization := ""
			if want != "" {
				authorization = "Negotiate " + want
			}
			if got := asks(t, clients[i/2], "http", target, authorization); got != as(want) {
				t.Errorf("%s, request %d: got %q, want %q", target, i, got, as(want))
			}
		}
	}
}
