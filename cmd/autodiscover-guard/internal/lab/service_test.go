package lab_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// startHTTPS starts a service that the test closes, and gives a client of it that speaks HTTP/2 only, or HTTP/1.1 only.
func startHTTPS(t *testing.T, h http.Handler, http2 bool, hosts ...string) (*lab.Service, *http.Client) {
	t.Helper()
	s, err := lab.Start(hosts, h)
	if err != nil {
		t.Fatal(err)
	}
	transport := s.Transport()
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(!http2)
	transport.Protocols.SetHTTP2(http2)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		s.Close()
	})
	return s, &http.Client{Transport: transport}
}

func send(t *testing.T, c *http.Client, r *http.Request) (*http.Response, []byte) {
	t.Helper()
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

func newRequest(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestService_keeps_what_it_is_asked(t *testing.T) {
	t.Parallel()
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	for name, c := range map[string]struct {
		http2 bool
		proto string
	}{"HTTP/1.1": {false, "HTTP/1.1"}, "HTTP/2": {true, "HTTP/2.0"}} {
		t.Run(name, func(t *testing.T) {
			s, client := startHTTPS(t, echo, c.http2, "one.example", "*.lab.test", "127.0.0.1")
			r := newRequest(t, http.MethodPost, "https://a.lab.test/a%20path?x=1%202", strings.NewReader("a body"))
			r.Header.Set("X-Email", "somebody@lab.test")
			resp, body := send(t, client, r)
			if resp.StatusCode != http.StatusOK || string(body) != "a body" {
				t.Errorf("got %s %q", resp.Status, body)
			}
			seen := s.Seen()
			if len(seen) != 1 {
				t.Fatalf("got %d requests, want 1", len(seen))
			}
			g := seen[0]
			if g.Method != "POST" || g.Proto != c.proto || g.Host != "a.lab.test" || g.ServerName != "a.lab.test" || g.Path != "/a path" ||
				g.Target != "/a%20path?x=1%202" || g.Query != "x=1%202" || g.Header.Get("X-Email") != "somebody@lab.test" ||
				string(g.Body) != "a body" || g.Cut {
				t.Errorf("got %+v", g)
			}
			if s.Forget(); len(s.Seen()) != 0 {
				t.Error("requests are left after Forget")
			}
		})
	}
}

func TestService_keeps_a_mebibyte_of_body_and_hands_on_all(t *testing.T) {
	t.Parallel()
	var arrived int64
	s, client := startHTTPS(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived, _ = io.Copy(io.Discard, r.Body)
	}), true, "one.example")
	const size = 3 << 20
	send(t, client, newRequest(t, http.MethodPost, "https://one.example/", bytes.NewReader(make([]byte, size))))
	if g := s.Seen()[0]; len(g.Body) != 1<<20 || !g.Cut {
		t.Errorf("got %d bytes, cut %v; want 1 MiB, cut", len(g.Body), g.Cut)
	}
	if arrived != size {
		t.Errorf("the handler got %d bytes, want %d", arrived, size)
	}
}

func TestService_trusts_only_its_own_authority(t *testing.T) {
	t.Parallel()
	one, client := startHTTPS(t, lab.Incident(), false, "one.example")
	other, _ := startHTTPS(t, lab.Incident(), false, "one.example")
	send(t, client, newRequest(t, http.MethodGet, "https://one.example/", nil))
	for name, c := range map[string]*tls.Config{
		"another's authority": {RootCAs: other.Pool(), ServerName: "one.example"},
		"another name":        {RootCAs: one.Pool(), ServerName: "two.example"},
	} {
		d := tls.Dialer{Config: c}
		if conn, err := d.DialContext(t.Context(), "tcp", one.Addr()); err == nil {
			conn.Close()
			t.Errorf("%s: the handshake succeeded", name)
		}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(append(other.RootPEM(), one.RootPEM()...)) || !pool.Equal(union(t, one, other)) {
		t.Error("RootPEM and Pool differ")
	}
	d := tls.Dialer{Config: &tls.Config{RootCAs: pool, ServerName: "one.example"}}
	conn, err := d.DialContext(t.Context(), "tcp", one.Addr())
	if err != nil {
		t.Fatalf("with both authorities: %v", err)
	}
	conn.Close()
}

func union(t *testing.T, services ...*lab.Service) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	for _, s := range services {
		if !pool.AppendCertsFromPEM(s.RootPEM()) {
			t.Fatal("RootPEM is not PEM")
		}
	}
	return pool
}

func TestStart_wants_a_host(t *testing.T) {
	t.Parallel()
	if s, err := lab.Start(nil, lab.Incident()); err == nil {
		s.Close()
		t.Error("a service without a host started")
	}
}

// Close in the middle of everything: requests that hang, connections that say nothing, and clients that keep coming.
func TestService_Close_ends_what_runs(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			entered := make(chan struct{}, 100)
			s, client := startHTTPS(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				entered <- struct{}{}
				<-r.Context().Done()
			}), http2, "one.example")
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var clients sync.WaitGroup
			for range 8 {
				clients.Go(func() {
					for {
						r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://one.example/", http.NoBody)
						resp, err := client.Do(r)
						if err != nil {
							return
						}
						resp.Body.Close()
					}
				})
			}
			<-entered
			if err := s.Close(); err != nil {
				t.Errorf("closing: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("closing again: %v", err)
			}
			clients.Wait()
		})
	}
}
