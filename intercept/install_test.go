package intercept_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/elazarl/goproxy"

	"autodiscover-guard/intercept"
)

// foreignProxy is somebody else's proxy that leads to the world's upstreams. Its own plugins come before our filters.
func foreignProxy(w *world, before ...func(*goproxy.ProxyHttpServer)) *goproxy.ProxyHttpServer {
	p := goproxy.NewProxyHttpServer()
	p.Logger = silent{}
	p.Tr = w.proxy.Tr.Clone()
	w.tb.Cleanup(p.Tr.CloseIdleConnections)
	for _, register := range before {
		register(p)
	}
	w.plugin.Install(p)
	return p
}

type silent struct{}

// Printf implements goproxy.Logger.
func (silent) Printf(string, ...any) {}

// through serves a proxy and returns a client of it.
func through(tb testing.TB, p http.Handler) *http.Transport {
	tb.Helper()
	s := httptest.NewServer(p)
	tb.Cleanup(func() { over(tb, s.Close) })
	address, err := url.Parse(s.URL)
	if err != nil {
		tb.Fatal(err)
	}
	client := &http.Transport{Proxy: http.ProxyURL(address), DisableCompression: true}
	tb.Cleanup(client.CloseIdleConnections)
	return client
}

func TestInstall_everyOutcome(t *testing.T) {
	checkOutcomes(t, func(w *world) http.Handler { return foreignProxy(w) })
}

// overTLS asks over https what it is given for http.
type overTLS struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (o overTLS) RoundTrip(r *http.Request) (*http.Response, error) {
	r.URL.Scheme = "https"
	return o.RoundTripper.RoundTrip(r)
}

// Inside the tunnels that a proxy opens in goproxy's own way, the filters see what they see in the clear.
func TestInstall_tunnelsThatGoproxyOpens(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("h2 %v", h2), func(t *testing.T) {
			checkOutcomesBy(t, func(w *world) http.RoundTripper {
				p := foreignProxy(w)
				p.AllowHTTP2 = h2
				p.OnRequest().HandleConnectFunc(func(host string, _ *goproxy.ProxyCtx) (*goproxy.ConnectAction, string) {
					return &goproxy.ConnectAction{Action: goproxy.ConnectMitm, TLSConfig: func(host string, _ *goproxy.ProxyCtx) (*tls.Config, error) {
						name, _, _ := strings.Cut(host, ":")
						leaf, err := w.issuer.Leaf(name)
						if err != nil {
							return nil, err
						}
						return &tls.Config{Certificates: []tls.Certificate{*leaf}}, nil
					}}, host
				})
				client := through(w.tb, p)
				client.TLSClientConfig, client.ForceAttemptHTTP2 = &tls.Config{RootCAs: w.issuer.roots()}, h2
				return overTLS{client}
			})
		})
	}
}

// A Plugin that New did not make would fail at the first request, and in goproxy's own loop end the process.
func TestInstall_zeroPlugin(t *testing.T) {
	for name, install := range map[string]func(*intercept.Plugin){
		"Install": func(p *intercept.Plugin) { p.Install(goproxy.NewProxyHttpServer()) },
		"Front":   func(p *intercept.Plugin) { p.Front(goproxy.NewProxyHttpServer()) },
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "make one with New") {
					t.Errorf("%s: recovered %v", name, v)
				}
			}()
			install(new(intercept.Plugin))
		}()
	}
}

// The proxy is its owner's to end: until then nobody in it is without a guard.
func TestInstall_closed(t *testing.T) {
	checkOutcomes(t, func(w *world) http.Handler {
		p := foreignProxy(w)
		if err := w.plugin.Close(); err != nil {
			w.tb.Error(err)
		}
		return p
	})
}

func TestInstall_filtersInstalledTwice(t *testing.T) {
	checkOutcomes(t, func(w *world) http.Handler {
		p := foreignProxy(w)
		w.plugin.Install(p)
		return p
	})
}

// A plugin before ours brings its own way upstream: it is used, and its answers are judged.
func TestInstall_earlierTransportIsUsed(t *testing.T) {
	var used atomic.Int64
	checkOutcomes(t, func(w *world) http.Handler {
		return foreignProxy(w, func(p *goproxy.ProxyHttpServer) {
			p.OnRequest().DoFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
				ctx.RoundTripper = goproxy.RoundTripperFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Response, error) {
					used.Add(1)
					if _, ok := r.Header["X-Idempotency-Key"]; ok {
						t.Error("the plugin's transport got a field that is for net/http")
					}
					return ctx.Proxy.Tr.RoundTrip(r)
				})
				return r, nil
			})
		})
	})
	t.Cleanup(func() { // after the parallel subtests
		if used.Load() == 0 {
			t.Error("the plugin's transport was not used")
		}
	})
}

// In a foreign proxy nobody else would stand between a panic of such a transport and the end of the connection, or of the process.
func TestInstall_earlierTransportPanics(t *testing.T) {
	w := newWorld(t, jsonAnswer(""))
	client := through(t, foreignProxy(w, func(p *goproxy.ProxyHttpServer) {
		p.OnRequest().DoFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
			ctx.RoundTripper = goproxy.RoundTripperFunc(func(*http.Request, *goproxy.ProxyCtx) (*http.Response, error) { panic("boom") })
			return r, nil
		})
	}))
	got := send(t, client, ask(t, "http", "email@example.com"))
	if got.StatusCode != http.StatusOK || got.body != suggest("email@example.com") {
		t.Errorf("guarded: got %d %q, want the quiet answer", got.StatusCode, got.body)
	}
	if record := w.decision(1); record["action"] != "refuse" || record["reason"] != "something panicked" {
		t.Errorf("got the record %v", record)
	}
	if got := send(t, client, request(t, http.MethodGet, "http://opened.net/", "")); got.StatusCode != http.StatusBadGateway {
		t.Errorf("not guarded: got %d %q, want 502", got.StatusCode, got.body)
	}
}

// A plugin behind ours that puts its own transport in the place of ours takes the question out of our hands. Its answer is judged
// nevertheless; only secrets may have gone where we would not have sent them.
func TestInstall_laterTransportIsJudged(t *testing.T) {
	for _, twice := range []bool{false, true} {
		for _, c := range installed {
			t.Run(fmt.Sprintf("%s/twice %v", c.name, twice), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, func(http.ResponseWriter, *http.Request) { t.Error("our own transport was used") })
				p := foreignProxy(w)
				var used atomic.Int64
				p.OnRequest().DoFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
					ctx.RoundTripper = goproxy.RoundTripperFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Response, error) {
						used.Add(1)
						resp := goproxy.NewResponse(r, "application/json; charset=utf-8", http.StatusOK, c.says)
						resp.Body = io.NopCloser(bytes.NewBufferString(c.says))
						return resp, nil
					})
					return r, nil
				})
				if twice {
					w.plugin.Install(p)
				}
				got := send(t, through(t, p), c.asks(t))
				if got.StatusCode != http.StatusOK || !strings.Contains(got.body, c.want) || strings.Contains(got.body, stranger) {
					t.Errorf("got %d %q, want %q", got.StatusCode, got.body, c.want)
				}
				if used.Load() != c.asked {
					t.Errorf("the plugin's transport was used %d times, want %d", used.Load(), c.asked)
				}
				if c.action == "" {
					return
				}
				if record := w.decision(1); record["action"] != c.action || record["rule"] != c.rule || w.decisions.Len() != 1 {
					t.Errorf("got %d records, %v; want %s by %q", w.decisions.Len(), record, c.action, c.rule)
				}
			})
		}
	}
}

// Install, another plugin that asks by way of the transport that it finds, and Install again: each is asked once, and nobody goes round in a circle.
func TestInstall_twiceAroundAnotherTransport(t *testing.T) {
	w := newWorld(t, jsonAnswer(suggest(somehow, stranger)))
	p := foreignProxy(w)
	var used atomic.Int64
	p.OnRequest().DoFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		next := ctx.RoundTripper
		ctx.RoundTripper = goproxy.RoundTripperFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Response, error) {
			if used.Add(1) > 10 {
				return nil, errors.New("going round in a circle")
			}
			return next.RoundTrip(r, ctx)
		})
		return r, nil
	})
	w.plugin.Install(p)
	got := send(t, through(t, p), ask(t, "http", somehow))
	quiet(t, got)
	if used.Load() != 1 || w.decisions.Len() != 1 {
		t.Errorf("the other plugin was asked %d times, and there are %d records; want 1 each", used.Load(), w.decisions.Len())
	}
}

// A plugin before ours that answers hides our request filter. What it says is judged nevertheless, by what the question says without its body.
func TestInstall_earlierAnswerIsJudged(t *testing.T) {
	for _, c := range installed {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(http.ResponseWriter, *http.Request) { t.Error("upstream was asked") })
			p := foreignProxy(w, func(p *goproxy.ProxyHttpServer) {
				p.OnRequest().DoFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
					return r, goproxy.NewResponse(r, "application/json; charset=utf-8", http.StatusOK, c.says)
				})
			})
			got := send(t, through(t, p), c.asks(t))
			if got.StatusCode != http.StatusOK || !strings.Contains(got.body, c.want) || strings.Contains(got.body, stranger) {
				t.Errorf("got %d %q, want %q", got.StatusCode, got.body, c.want)
			}
			if c.action == "" {
				if n := w.decisions.Len(); n != 0 {
					t.Errorf("got %d records of what is not discovery", n)
				}
				return
			}
			if record := w.decision(1); record["action"] != c.action || record["rule"] != c.rule || w.decisions.Len() != 1 {
				t.Errorf("got %d records, %v; want %s by %q", w.decisions.Len(), record, c.action, c.rule)
			}
		})
	}
}

// cut is a body that ends too early.
type cut struct{}

// Read implements io.Reader.
func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// What another plugin says and nobody can read to its end is not judged by its beginning.
func TestInstall_anotherAnswerWithoutEnd(t *testing.T) {
	for name, rest := range map[string]io.Reader{"over the limit": strings.NewReader(strings.Repeat(" ", 16<<20)), "cut": cut{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, jsonAnswer(""))
			p := foreignProxy(w)
			p.OnRequest().DoFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
				resp := goproxy.NewResponse(r, "application/json; charset=utf-8", http.StatusOK, "")
				resp.Body, resp.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(suggest("user@lab.test", "imap.lab.test")), rest)), -1
				return r, resp
			})
			got := send(t, through(t, p), ask(t, "http", "user@lab.test"))
			if got.StatusCode != http.StatusOK || got.body != suggest("user@lab.test") {
				t.Errorf("got %d %.200q, want the quiet answer", got.StatusCode, got.body)
			}
			if record := w.decision(1); record["action"] != "refuse" || record["rule"] != "private-use" {
				t.Errorf("got the record %v", record)
			}
		})
	}
}

// A URL that names a user says two things of where it leads: it goes nowhere.
func TestInstall_urlThatNamesAUser(t *testing.T) {
	w := newWorld(t, func(http.ResponseWriter, *http.Request) { t.Error("upstream was asked") })
	s := httptest.NewServer(foreignProxy(w))
	t.Cleanup(func() { over(t, s.Close) })
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET http://"+docHost+"@"+bank+"/page HTTP/1.1\r\nHost: "+bank+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := answer(t, c, http.MethodGet); got.StatusCode != http.StatusBadRequest || !strings.Contains(got.body, "names a user") {
		t.Errorf("got %d %q", got.StatusCode, got.body)
	}
}

// Whom a question is about may stand in its body only. The safety net must not have forgotten that when the answer comes.
func TestInstall_laterTransportAndQuestionInTheBody(t *testing.T) {
	const says = `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">` +
		`<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"><Account><AccountType>email</AccountType>` +
		`<Action>settings</Action><Protocol><Type>IMAP</Type><Server>` + stranger + `</Server><Port>993</Port></Protocol></Account></Response></Autodiscover>`
	for account, want := range map[string]string{"email@example.com": "refuse", "user@corp-mail.net": "pass"} {
		t.Run(account, func(t *testing.T) {
			w := newWorld(t, jsonAnswer(""))
			p := foreignProxy(w)
			p.OnRequest().DoFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
				ctx.RoundTripper = goproxy.RoundTripperFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Response, error) {
					return goproxy.NewResponse(r, "text/xml; charset=utf-8", http.StatusOK, says), nil
				})
				return r, nil
			})
			r := poxAsk(t, "http://autodiscover-s.outlook.com"+poxPath, account)
			r.Header.Del("Authorization")
			got := send(t, through(t, p), r)
			if passed := strings.Contains(got.body, stranger); passed != (want == "pass") || got.StatusCode != http.StatusOK {
				t.Errorf("got %d %q, want %s", got.StatusCode, got.body, want)
			}
			if record := w.decision(1); record["action"] != want || w.decisions.Len() != 1 {
				t.Errorf("got %d records, %v; want %s", w.decisions.Len(), record, want)
			}
		})
	}
}

// madeAnew is a handler that forgets whose a request was.
func madeAnew(p *goproxy.ProxyHttpServer) {
	p.OnRequest().DoFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		anew, err := http.NewRequest(r.Method, r.URL.String(), r.Body) // the mistake: without a context
		if err != nil {
			ctx.Warnf("%v", err)
			return r, nil
		}
		anew.Header = r.Header
		return anew, nil
	})
}

// A request that another handler makes anew is the same exchange, and the same client's: rules may be for some clients only.
func TestInstall_requestMadeAnew(t *testing.T) {
	for _, form := range []struct {
		name, door string
		client     func(testing.TB) (*world, *http.Transport)
	}{
		{"front", "plain", func(tb testing.TB) (*world, *http.Transport) {
			w := newWorld(tb, jsonAnswer(suggest("user@lab.test", stranger)), with(madeAnew))
			return w, w.client(false)
		}},
		{"install", "installed", func(tb testing.TB) (*world, *http.Transport) {
			w := newWorld(tb, jsonAnswer(suggest("user@lab.test", stranger)))
			return w, through(tb, foreignProxy(w, madeAnew))
		}},
	} {
		t.Run(form.name, func(t *testing.T) {
			w, client := form.client(t)
			if got := send(t, client, ask(t, "http", "user@lab.test")); got.StatusCode != http.StatusOK || got.body != suggest("user@lab.test") {
				t.Errorf("got %d %q, want the quiet answer", got.StatusCode, got.body)
			}
			send(t, client, request(t, http.MethodGet, "http://opened.net/", "")) // over the same connection, and so behind all that the first leaves
			record := w.decision(1)
			if n := w.decisions.Len(); n != 1 || record["door"] != form.door || record["client"] != "127.0.0.1" || record["action"] != "refuse" {
				t.Errorf("got %d records, %v", n, record)
			}
		})
	}
}
