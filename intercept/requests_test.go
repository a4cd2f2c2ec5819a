package intercept_test

import (
	"net/http"
	"strings"
	"testing"

	"autodiscover-guard/intercept"
)

// One connection of HTTP/2 holds many requests: they take slots, as connections do, of which there are as many as one connection may have at least.
func TestLimits_requestsOverHTTP2(t *testing.T) {
	const slots = 100
	for name, c := range map[string]struct {
		limits intercept.Limits
		status int
		count  func(intercept.Stats) int64
	}{
		"of all":        {intercept.Limits{Connections: 10}, 503, func(s intercept.Stats) int64 { return s.RefusedConnections }},
		"of one client": {intercept.Limits{PerClient: 10}, 429, func(s intercept.Stats) int64 { return s.RefusedPerClient }},
	} {
		for _, scheme := range []string{"https", "http"} {
			t.Run(name+", "+scheme, func(t *testing.T) {
				t.Parallel()
				asked, release := make(chan struct{}, slots), make(chan struct{})
				w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/slow" {
						asked <- struct{}{}
						<-release
					}
				}, limits(c.limits))
				var client http.RoundTripper = w.client(true)
				if scheme == "http" {
					client = w.h2(t, w.secureDoor(t))
				}
				if got := send(t, client, request(t, http.MethodGet, scheme+"://opened.net/", "")); got.StatusCode != 200 || got.ProtoMajor != 2 {
					t.Fatalf("got %s %s", got.Proto, got.Status) // and the connection stays
				}
				served := make(chan int, slots)
				for range slots {
					r := request(t, http.MethodGet, scheme+"://opened.net/slow", "")
					go func() {
						resp, err := client.RoundTrip(r)
						if err != nil {
							t.Error(err)
							served <- 0
							return
						}
						_ = resp.Body.Close()
						served <- resp.StatusCode
					}()
				}
				for range slots {
					await(t, asked)
				}
				got := send(t, client, request(t, http.MethodGet, scheme+"://opened.net/", ""))
				if got.StatusCode != c.status || got.Header.Get("Retry-After") == "" || !strings.Contains(got.body, "too many requests") {
					t.Errorf("got %s %q, want %d", got.Status, got.body, c.status)
				}
				if n := c.count(w.plugin.Stats()); n != 1 {
					t.Errorf("got %d counted, want 1", n)
				}
				close(release)
				for range slots {
					if status := await(t, served); status != 200 {
						t.Errorf("one that had a slot: got %d", status)
					}
				}
				w.eventually(t, "a free slot", func(intercept.Stats) bool {
					return send(t, client, request(t, http.MethodGet, scheme+"://opened.net/", "")).StatusCode == 200
				})
			})
		}
	}
}
