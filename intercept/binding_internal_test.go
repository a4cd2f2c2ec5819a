package intercept

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A client that has logged in and gone leaves nothing behind, whichever way its connection ends; nor does one whose log-in comes when it is gone.
func TestBinding_leavesNothing(t *testing.T) {
	negotiate := http.Header{"Authorization": {"Negotiate x"}}
	for name, end := range map[string]func(*Plugin, *binding){
		"an opened connection is closed": func(p *Plugin, b *binding) {
			ours, theirs := net.Pipe()
			defer theirs.Close()
			c := &hallConn{Conn: ours, front: &front{p: p}, binding: b, release: func() {}}
			_ = c.Close()
		},
		"net/http drops the door's": func(p *Plugin, b *binding) { p.bindings.drop(b) },
	} {
		for when, late := range map[string]bool{"before": false, "after": true} {
			t.Run(name+", log-in "+when, func(t *testing.T) {
				p, b := new(Plugin), newBinding()
				if late {
					end(p, b)
				}
				if p.bindings.bound(b, negotiate, new(http.Transport)) == nil {
					t.Error("it has no transport of its own")
				}
				if !late {
					end(p, b)
				}
				if n := len(p.bindings.all); n != 0 {
					t.Errorf("%d are remembered", n)
				}
			})
		}
	}
}

// Where a log-in has no place to stay, upstream's connection ends with its one answer.
func TestBinding_oneRequestAlone(t *testing.T) {
	states := make(chan http.ConnState, 8)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "in") }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) { states <- s }
	server.Start()
	defer server.Close()
	gone := newBinding()
	gone.close()
	for name, b := range map[string]*binding{"no place": nil, "a client that is gone": gone} {
		var bs bindings
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "NTLM x")
		transport := bs.bound(b, r.Header, new(http.Transport))
		defer transport.CloseIdleConnections()
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		for _, want := range []http.ConnState{http.StateNew, http.StateActive, http.StateClosed} {
			if got := <-states; got != want {
				t.Errorf("%s: upstream's connection is %s, want %s", name, got, want)
			}
		}
	}
}

// Log-ins of a connection are in HTTP/1.1, whatever the transport speaks that is in force: ours, or one that somebody has put in its place.
func TestBinding_speaksHTTP1(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	both := new(http.Protocols)
	both.SetHTTP1(true)
	both.SetHTTP2(true)
	for name, base := range map[string]*http.Transport{
		"forced":    {ForceAttemptHTTP2: true},
		"protocols": {Protocols: both},
		"offered":   {ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{NextProtos: []string{"h2"}}},
	} {
		if base.TLSClientConfig == nil {
			base.TLSClientConfig = new(tls.Config)
		}
		base.TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		for _, c := range []struct {
			transport *http.Transport
			want      string
		}{{base, "HTTP/2.0"}, {withoutHTTP2(base), "HTTP/1.1"}} {
			resp, err := (&http.Client{Transport: c.transport}).Get(server.URL)
			if err != nil {
				t.Fatal(name, err)
			}
			if got, err := io.ReadAll(resp.Body); string(got) != c.want || err != nil {
				t.Errorf("%s: got %s, %v, want %s", name, got, err, c.want)
			}
			_ = resp.Body.Close()
			c.transport.CloseIdleConnections()
		}
	}
}
