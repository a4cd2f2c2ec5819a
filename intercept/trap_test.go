package intercept_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/elazarl/goproxy"
)

type (
	proxyRequest  = func(*http.Request, *goproxy.ProxyCtx) (*http.Request, *http.Response)
	proxyResponse = func(*http.Response, *goproxy.ProxyCtx) *http.Response
)

func onRequest(f proxyRequest) option {
	return with(func(p *goproxy.ProxyHttpServer) { p.OnRequest().DoFunc(f) })
}

func onResponse(f proxyResponse) option {
	return with(func(p *goproxy.ProxyHttpServer) { p.OnResponse().DoFunc(f) })
}

// later registers handlers behind ours, where they have the final word.
func later(w *world, f proxyResponse) { w.proxy.OnResponse().DoFunc(f) }

// Somebody else's handler that panics costs its exchange and nothing else; a guarded client still hears the quiet answer.
func TestTrap_panicInSomebodyElsesHandler(t *testing.T) {
	boom := func() { panic("boom " + password) }
	cases := map[string]option{
		"request handler": onRequest(func(*http.Request, *goproxy.ProxyCtx) (*http.Request, *http.Response) { boom(); return nil, nil }),
		"response handler": onResponse(func(r *http.Response, _ *goproxy.ProxyCtx) *http.Response {
			boom()
			return r
		}),
		"transport": onRequest(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
			ctx.RoundTripper = goproxy.RoundTripperFunc(func(*http.Request, *goproxy.ProxyCtx) (*http.Response, error) {
				boom()
				return nil, nil
			})
			return r, nil
		}),
		"transport without answer": onRequest(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
			ctx.RoundTripper = goproxy.RoundTripperFunc(func(*http.Request, *goproxy.ProxyCtx) (*http.Response, error) { return nil, nil })
			return r, nil
		}),
		"request handler that loses the request": onRequest(func(*http.Request, *goproxy.ProxyCtx) (*http.Request, *http.Response) { return nil, nil }),
		"nil response":                           onResponse(func(*http.Response, *goproxy.ProxyCtx) *http.Response { return nil }),
		"answer without a status": onRequest(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
			return r, &http.Response{Header: http.Header{}, Body: http.NoBody}
		}),
	}
	for name, broken := range cases {
		for _, door := range doors {
			t.Run(name+"/"+door.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, jsonAnswer("{}"), broken)
				client := door.client(w)
				got := send(t, client, ask(t, door.scheme, "email@example.com"))
				if got.StatusCode != 200 || got.body != suggest("email@example.com") {
					t.Errorf("guarded: got %d %q, want the quiet answer", got.StatusCode, got.body)
				}
				if record := w.decision(1); record["action"] != "refuse" || w.decisions.Len() != 1 {
					t.Errorf("got %d records, %v", w.decisions.Len(), record)
				}
				got = send(t, client, request(t, http.MethodGet, door.scheme+"://opened.net/", ""))
				if got.StatusCode != http.StatusBadGateway || strings.Contains(got.body, password) {
					t.Errorf("not guarded: got %d %q, want 502", got.StatusCode, got.body)
				}
			})
		}
	}
}

// A handler behind ours that returns nil makes goproxy write a 500.
func TestTrap_nilResponseBehindOurFilter(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			w := newWorld(t, jsonAnswer(suggest("email@example.com", stranger)))
			later(w, func(*http.Response, *goproxy.ProxyCtx) *http.Response { return nil })
			got := send(t, door.client(w), ask(t, door.scheme, "email@example.com"))
			if got.StatusCode != 200 || got.body != suggest("email@example.com") {
				t.Errorf("got %d %q, want the quiet answer", got.StatusCode, got.body)
			}
			if record := w.decision(1); record["action"] != "refuse" || record["status"] != int64(http.StatusOK) {
				t.Errorf("got %v", record)
			}
		})
	}
}

// Whatever was decided before: for an answer that passed, and for a question of which the answer alone says whom it is about. So is one that panics there.
func TestTrap_replacedBehindWhatWasDecided(t *testing.T) {
	const lab = "user@lab.test"
	for name, c := range map[string]struct {
		account, answer string
		want, rule      string
	}{
		"passed":                {lab, suggest(lab, "imap.lab.test"), suggest(lab), "private-use"},
		"guarded by the answer": {"", suggest(somehow, stranger), suggest(""), "documentation"},
	} {
		for how, last := range map[string]proxyResponse{
			"nil":    func(*http.Response, *goproxy.ProxyCtx) *http.Response { return nil },
			"panics": func(*http.Response, *goproxy.ProxyCtx) *http.Response { panic("boom") },
		} {
			for _, door := range doors {
				t.Run(name+"/"+how+"/"+door.name, func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, jsonAnswer(c.answer))
					later(w, last)
					r := ask(t, door.scheme, c.account)
					if c.account == "" {
						r.Header.Del("Authorization")
					}
					got := send(t, door.client(w), r)
					if got.StatusCode != http.StatusOK || got.body != c.want || got.Header.Get("Content-Type") != "application/json; charset=utf-8" {
						t.Errorf("got %d %v %q, want the quiet answer", got.StatusCode, got.Header, got.body)
					}
					if record := w.decision(1); record["action"] != "refuse" || record["rule"] != c.rule || record["status"] != int64(http.StatusOK) ||
						len(record["subjects"].([]any)) != 1 {
						t.Errorf("got %v", record)
					}
				})
			}
		}
	}
}

// One that changes a status there has it for everybody but who is guarded.
func TestTrap_statusBehindOurFilter(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, jsonAnswer(suggest("", stranger)))
			later(w, func(r *http.Response, _ *goproxy.ProxyCtx) *http.Response {
				r.StatusCode = http.StatusTeapot
				return r
			})
			client := door.client(w)
			quiet(t, send(t, client, ask(t, door.scheme, somehow)))
			for name, r := range map[string]*http.Request{
				"discovery": ask(t, door.scheme, nobody), "not discovery": request(t, http.MethodGet, door.scheme+"://opened.net/", ""),
			} {
				if got := send(t, client, r); got.StatusCode != http.StatusTeapot || got.body != suggest("", stranger) {
					t.Errorf("%s of nobody guarded: got %d %q, want what the handler made of it", name, got.StatusCode, got.body)
				}
			}
		})
	}
}

// An answer that another handler made up is judged like upstream's.
func TestTrap_cannedAnswerIsJudged(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			s := &spy{next: jsonAnswer("")}
			w := newWorld(t, s.handle, onRequest(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
				return r, goproxy.NewResponse(r, "application/json", 200, suggest("", stranger))
			}))
			client := door.client(w)
			if got := send(t, client, ask(t, door.scheme, "email@example.com")); strings.Contains(got.body, stranger) || got.StatusCode != 200 {
				t.Errorf("guarded: got %d %q", got.StatusCode, got.body)
			}
			if got := send(t, client, ask(t, door.scheme, "user@corp-mail.net")); !strings.Contains(got.body, stranger) {
				t.Errorf("not guarded: got %q, want the handler's own answer", got.body)
			}
			if a, b := w.decision(1), w.decision(2); a["action"] != "refuse" || b["action"] != "pass" || s.asked.Load() != 0 {
				t.Errorf("got %v, %v", a, b)
			}
		})
	}
}

// An answer that passed and that another handler exchanged before it came to our filter is judged again: as a whole, by its body, and by its status.
func TestTrap_exchangedAnswerIsJudged(t *testing.T) {
	for name, exchange := range map[string]proxyResponse{
		"as a whole": func(r *http.Response, _ *goproxy.ProxyCtx) *http.Response {
			return goproxy.NewResponse(r.Request, "application/json", r.StatusCode, suggest("", stranger))
		},
		"the body": func(r *http.Response, _ *goproxy.ProxyCtx) *http.Response {
			r.Body = io.NopCloser(strings.NewReader(suggest("", stranger)))
			return r
		},
		"a copy with another field": func(r *http.Response, _ *goproxy.ProxyCtx) *http.Response {
			out := *r
			out.Header = r.Header.Clone()
			out.Header.Set("Location", "https://"+stranger+"/autodetect/detect")
			return &out
		},
		"the status": func(r *http.Response, _ *goproxy.ProxyCtx) *http.Response {
			r.StatusCode = http.StatusFound
			r.Header.Set("Location", "https://"+stranger+"/autodetect/detect")
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := jsonAnswer(suggest("", "imap.lab.test"))
			if got := send(t, newWorld(t, own).client(false), ask(t, "https", "user@lab.test")); got.body != suggest("", "imap.lab.test") {
				t.Fatalf("got %d %q, want what upstream said", got.StatusCode, got.body)
			}
			w := newWorld(t, own, onResponse(exchange))
			got := send(t, w.client(false), ask(t, "https", "user@lab.test"))
			if strings.Contains(got.body, stranger) || got.Header.Get("Location") != "" || got.StatusCode != 200 {
				t.Errorf("guarded: got %d %v %q", got.StatusCode, got.Header, got.body)
			}
			if record := w.decision(1); record["action"] == "pass" || record["bytes_out"] != int64(len(got.body)) {
				t.Errorf("guarded: got %v", record)
			}
			got = send(t, w.client(false), ask(t, "https", "user@corp-mail.net"))
			if !strings.Contains(got.body+got.Header.Get("Location"), stranger) {
				t.Errorf("not guarded: got %d %v %q, want what the handler made of it", got.StatusCode, got.Header, got.body)
			}
		})
	}
}

func TestTrap_handlersSeeAndMayChangeWhatPasses(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"),
		onRequest(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
			r.Header.Set("X-Seen", r.URL.Host)
			return r, nil
		}),
		onResponse(func(r *http.Response, _ *goproxy.ProxyCtx) *http.Response {
			r.Header.Set("X-Stamped", "yes")
			return r
		}))
	got := send(t, w.client(true), request(t, http.MethodGet, "https://opened.net/", ""))
	if got.Header.Get("X-Stamped") != "yes" || got.body != "{}" {
		t.Errorf("got %v %q", got.Header, got.body)
	}
}

// What another plugin's transport had sent when it failed, nobody knows: the record does not say that the password stayed here.
func TestTrap_anotherTransportFails(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"), onRequest(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		ctx.RoundTripper = goproxy.RoundTripperFunc(func(*http.Request, *goproxy.ProxyCtx) (*http.Response, error) { return nil, errors.New("it broke off") })
		return r, nil
	}))
	if got := send(t, w.client(false), ask(t, "https", "user@corp-mail.net")); got.StatusCode != http.StatusBadGateway {
		t.Errorf("got %d %q, want 502", got.StatusCode, got.body)
	}
	if record := w.decision(1); record["credentials"].(map[string]any)["forwarded"] != true || record["upstream"].(map[string]any)["asked"] != true {
		t.Errorf("got %v", record)
	}
}

func TestTrap_clientDisconnectCancelsUpstream(t *testing.T) {
	for _, door := range doors {
		for name, make := range map[string]func(testing.TB, string) *http.Request{
			"discovery": func(tb testing.TB, scheme string) *http.Request { return ask(tb, scheme, "user@lab.test") },
			"not discovery": func(tb testing.TB, scheme string) *http.Request {
				return request(tb, "GET", scheme+"://opened.net/", "")
			},
		} {
			t.Run(door.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				asked, gone := make2(), make2()
				w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
					close(asked)
					<-r.Context().Done()
					close(gone)
				})
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					<-asked
					cancel()
				}()
				resp, err := door.client(w).RoundTrip(make(t, door.scheme).WithContext(ctx))
				switch {
				case err == nil: // TLS says that it leaves before it does, and what we then say to nobody may be read
					_ = resp.Body.Close()
				case !errors.Is(err, context.Canceled):
					t.Errorf("got %v", err)
				}
				await(t, gone) // upstream hears of it; the test's deadline is the limit
				if name == "discovery" {
					if record := w.decision(1); record["upstream"].(map[string]any)["error"] != "canceled" {
						t.Errorf("got %v", record)
					}
				}
			})
		}
	}
}

func make2() chan struct{} { return make(chan struct{}) }

// goproxy ends a body that upstream cut short as if it were whole. What came of it arrives, however short it is.
func TestTrap_truncatedBodyIsVisible(t *testing.T) {
	const half = `{"email":"user@corp-mail.net","protocols":[`
	cut := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("app") == "length" {
			w.Header().Set("Content-Length", "1000")
		}
		_, _ = io.WriteString(w, half)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	for _, door := range doors {
		for _, framing := range []string{"length", "chunked"} {
			t.Run(door.name+"/"+framing, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, cut)
				client := door.client(w)
				for _, target := range []string{"opened.net/", central + "/autodetect/detect"} {
					got := send(t, client, request(t, http.MethodGet, door.scheme+"://"+target+"?app="+framing, ""))
					switch {
					case got.err == nil:
						t.Errorf("%s: half a body looks whole: %q", target, got.body)
					case got.body != half || got.ProtoMajor == 1 && !errors.Is(got.err, io.ErrUnexpectedEOF): // a reset could cost what came before it
						t.Errorf("%s: got %q and then %v", target, got.body, got.err)
					}
				}
				if record := w.decision(1); record["upstream"].(map[string]any)["error"] != "truncated" {
					t.Errorf("got %v", record)
				}
				if got := send(t, client, ask(t, door.scheme, "email@example.com")); got.body != suggest("email@example.com") {
					t.Errorf("guarded: got %d %q, want the quiet answer", got.StatusCode, got.body)
				}
			})
		}
	}
}

// curl and nghttp2 end the stream with PROTOCOL_ERROR where an HTTP/1 upstream's Keep-Alive gets through.
func TestTrap_hopByHopFieldsEndHere(t *testing.T) {
	var asked http.Header
	addr := listen(t, func(c net.Conn) {
		buf := make([]byte, 8192)
		n, _ := c.Read(buf)
		asked = http.Header{"Raw": {string(buf[:n])}}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive, X-Private\r\nX-Private: 1\r\nProxy-Authenticate: Basic\r\n"+
			"Proxy-Connection: x\r\nUpgrade: h2c\r\nTE: x\r\nX-Public: 1\r\nContent-Length: 2\r\n\r\n{}")
	})
	for _, door := range doors[:3] {
		for _, host := range []string{"opened.net", central} {
			t.Run(door.name+"/"+host, func(t *testing.T) {
				w := newWorld(t, jsonAnswer(""), resolve("opened.net:80", addr), resolve(central+":80", addr))
				r := request(t, http.MethodGet, "http://"+host+detect[:len("/autodetect/detect")], "")
				r.Header = http.Header{
					"Connection": {"X-Mine"}, "X-Mine": {"1"}, "Keep-Alive": {"1"}, "Proxy-Authorization": {"Basic " + password},
					"Proxy-Connection": {"1"}, "Upgrade": {"h2c"}, "X-End": {"1"},
				}
				got := send(t, w.client(false), r)
				for _, name := range []string{"Keep-Alive", "Connection", "X-Private", "Proxy-Authenticate", "Proxy-Connection", "Upgrade", "Te"} {
					if got.Header.Get(name) != "" {
						t.Errorf("the client got %s: %q", name, got.Header.Get(name))
					}
				}
				if got.Header.Get("X-Public") != "1" || got.body != "{}" {
					t.Errorf("got %v %q", got.Header, got.body)
				}
				raw := asked.Get("Raw")
				for _, name := range []string{"X-Mine", "Keep-Alive", "Proxy-", "Upgrade", password} {
					if strings.Contains(raw, name) {
						t.Errorf("upstream got %s:\n%s", name, raw)
					}
				}
				if !strings.Contains(raw, "X-End: 1") {
					t.Errorf("upstream got\n%s", raw)
				}
			})
		}
	}
}

// An HTTP/2 client in front of an HTTP/1 upstream that sends hop-by-hop fields.
func TestTrap_h2ClientAndKeepAliveUpstream(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Reached", "yes")
		_, _ = io.WriteString(w, "{}")
	}, onRequest(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		ctx.RoundTripper = goproxy.RoundTripperFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Response, error) {
			resp, err := ctx.Proxy.Tr.RoundTrip(r)
			if err == nil {
				resp.Header.Set("Keep-Alive", "timeout=5")
				resp.Header.Set("Connection", "keep-alive")
			}
			return resp, err
		})
		return r, nil
	}))
	got := send(t, w.client(true), request(t, http.MethodGet, "https://opened.net/", ""))
	if got.ProtoMajor != 2 || got.body != "{}" || got.Header.Get("Keep-Alive") != "" || got.Header.Get("Connection") != "" {
		t.Errorf("got %s %v %q", got.Proto, got.Header, got.body)
	}
}
