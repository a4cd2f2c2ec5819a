package intercept_test

import (
	"crypto/x509"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"autodiscover-guard/intercept"
)

// Other roots are believed from the next connection on, by all that dial: for discovery and for what passes through, in HTTP/1.1 and HTTP/2. The same
// roots again cost nobody a connection.
func TestPrepareUpstream_roots(t *testing.T) {
	for _, door := range doors {
		if door.scheme != "https" {
			continue
		}
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			var from atomic.Value
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				from.Store(r.RemoteAddr)
				jsonAnswer(suggest("", "imap.shop.com"))(w, r)
			}, timeouts(func(u *intercept.UpstreamConfig) { u.Roots = newAuthority(t, "rogue").roots() }))
			client := door.client(w)
			want := func(when string, status int) {
				t.Helper()
				if got := send(t, client, ask(t, "https", "jane@shop.com")); got.StatusCode != status {
					t.Errorf("discovery, %s: %s %s", when, got.Status, got.body)
				}
				if got := send(t, client, request(t, http.MethodGet, "https://opened.net/page", "")); got.StatusCode != status {
					t.Errorf("what passes through, %s: %s %s", when, got.Status, got.body)
				}
			}
			swap := func(a *authority) {
				t.Helper()
				swapUpstream(t, w.plugin, a.roots(), intercept.Credentials{})
			}
			want("the wrong roots", http.StatusBadGateway)
			swap(w.web)
			want("the right roots", http.StatusOK)
			before := from.Load()
			swap(w.web)
			want("the same roots", http.StatusOK)
			if after := from.Load(); after != before {
				t.Errorf("the same roots cost a connection: %v, then %v", before, after)
			}
			swap(newAuthority(t, "rogue"))
			want("the wrong roots again", http.StatusBadGateway)
			swapRight, err := w.plugin.PrepareUpstream(w.web.roots(), intercept.Credentials{})
			if err != nil {
				t.Fatal(err)
			}
			want("the right roots, prepared", http.StatusBadGateway)
			swapRight()
			want("the right roots, once more", http.StatusOK)
		})
	}
}

// The same for what the proxy behind us is told, and for how it proves who it is. What it cannot be told changes nothing.
func TestPrepareUpstream_parent(t *testing.T) {
	for _, kind := range uplinks {
		for _, door := range doors {
			t.Run(kind.name+"/"+door.name, func(t *testing.T) {
				t.Parallel()
				u := kind.make(t, true)
				w := u.world(t, jsonAnswer("{}"), timeouts(func(c *intercept.UpstreamConfig) {
					c.ProxyCredentials = intercept.NewCredentials(proxyUser, "old")
					if u.authority != nil {
						c.Roots = newAuthority(t, "rogue").roots()
					}
				}))
				roots := w.web.roots()
				if u.authority != nil {
					roots.AddCert(u.authority.cert)
				}
				client := door.client(w)
				page := func() *http.Request { return request(t, http.MethodGet, door.scheme+"://opened.net/page", "") }
				if got := send(t, client, page()); got.StatusCode != http.StatusBadGateway {
					t.Errorf("before: %s %s", got.Status, got.body)
				}
				swapUpstream(t, w.plugin, roots, intercept.NewCredentials(proxyUser, proxyPassword))
				if got := send(t, client, page()); got.StatusCode != http.StatusOK {
					t.Errorf("swapped: %s %s", got.Status, got.body)
				}
				swap, err := w.plugin.PrepareUpstream(newAuthority(t, "rogue").roots(), intercept.NewCredentials("a:"+strings.Repeat("b", 300), proxyPassword))
				if err == nil || swap != nil || strings.Contains(err.Error(), "bbb") || strings.Contains(err.Error(), proxyPassword) {
					t.Errorf("a name that cannot be said: %v", err)
				}
				if got := send(t, client, page()); got.StatusCode != http.StatusOK {
					t.Errorf("after what was refused: %s %s", got.Status, got.body)
				}
			})
		}
	}
}

func swapUpstream(t *testing.T, p *intercept.Plugin, roots *x509.CertPool, c intercept.Credentials) {
	t.Helper()
	swap, err := p.PrepareUpstream(roots, c)
	if err != nil {
		t.Fatal(err)
	}
	swap()
}
