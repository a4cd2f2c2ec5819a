package intercept_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/elazarl/goproxy"
)

// A handler that makes another question of a guarded one does not get it judged by the old plan, whatever it is that it changes.
func TestMoved_guardedQuestion(t *testing.T) {
	for name, change := range map[string]func(r *http.Request){
		"host": func(r *http.Request) { r.URL.Host = bank },
		"scheme": func(r *http.Request) {
			r.URL.Scheme = map[string]string{"http": "https", "https": "http"}[r.URL.Scheme]
		},
		"path":   func(r *http.Request) { r.URL.Path += "/more" },
		"query":  func(r *http.Request) { r.URL.RawQuery += "&more=1" },
		"method": func(r *http.Request) { r.Method = http.MethodPut },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &spy{next: jsonAnswer("{}")}
			w := newWorld(t, s.handle)
			w.proxy.OnRequest().DoFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
				change(r)
				return r, nil
			})
			got := send(t, w.client(false), ask(t, "https", "email@example.com"))
			if got.StatusCode != 200 || s.asked.Load() != 0 {
				t.Errorf("got %d, upstream asked %d times", got.StatusCode, s.asked.Load())
			}
			if record := w.decision(1); record["action"] != "refuse" || record["reason"] != "another handler sent the question elsewhere" {
				t.Errorf("got the record %v", record)
			}
			if got := send(t, w.client(false), request(t, http.MethodGet, "http://opened.net/", "")); got.body != "{}" {
				t.Errorf("not guarded: got %d %q", got.StatusCode, got.body)
			}
		})
	}
}

// Where nobody guarded asked at first, the question that a handler makes of it is planned for as if the client had asked it.
func TestMoved_intoAGuardedQuestion(t *testing.T) {
	const account = "email@example.com"
	for name, c := range map[string]struct {
		asks   func(t *testing.T, scheme string) *http.Request
		change func(*http.Request)
		host   string
		method string
		reason string
		asked  int64
	}{
		"without its secrets": {
			asks: func(t *testing.T, scheme string) *http.Request {
				t.Helper()
				r := request(t, http.MethodPost, scheme+"://opened.net/", "")
				r.SetBasicAuth(account, password)
				return r
			},
			change: func(r *http.Request) {
				r.Method, r.URL.Host, r.URL.Path, r.URL.RawQuery = http.MethodGet, central, "/autodetect/detect", "app=outlookdesktopBasic"
			},
			host: central, method: http.MethodGet, reason: "1 of 1 suggestions name hosts outside the rule", asked: 1,
		},
		"answered without asking": {
			asks: func(t *testing.T, scheme string) *http.Request {
				t.Helper()
				r := poxAsk(t, scheme+"://opened.net/", account)
				r.Header.Del("Authorization") // its body alone says who asks
				return r
			},
			change: func(r *http.Request) { r.URL.Path = poxPath },
			host:   "opened.net", method: http.MethodPost, reason: "no host may be named to the domain, and the asked host is none of its own", asked: 0,
		},
	} {
		for _, door := range doors {
			t.Run(name+"/"+door.name, func(t *testing.T) {
				t.Parallel()
				s := &spy{next: jsonAnswer(suggest(account, stranger))}
				w := newWorld(t, s.handle)
				w.proxy.OnRequest().DoFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
					c.change(r)
					return r, nil
				})
				r := c.asks(t, door.scheme)
				secret := r.Header.Get("Authorization")
				got := send(t, door.client(w), r)
				if got.StatusCode != http.StatusOK || strings.Contains(got.body, stranger) || s.asked.Load() != c.asked {
					t.Errorf("got %d %q, upstream asked %d times", got.StatusCode, got.body, s.asked.Load())
				}
				if raw := s.heard(); raw != "" && secret != "" && strings.Contains(raw, secret) {
					t.Errorf("upstream got the password:\n%s", raw)
				}
				record := w.decision(1)
				if record["action"] != "refuse" || record["rule"] != "documentation" || record["host"] != c.host || record["method"] != c.method || record["reason"] != c.reason {
					t.Errorf("got the record %v", record)
				}
				if credentials := record["credentials"].(map[string]any); credentials["present"] != (secret != "") || credentials["forwarded"] != false {
					t.Errorf("got credentials %v", credentials)
				}
			})
		}
	}
}
