package intercept_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"testing"

	"github.com/elazarl/goproxy"

	"autodiscover-guard/intercept"
)

// loginFunc is a Login that is a function.
type loginFunc func(ctx context.Context, client netip.Addr, user, password string) (bool, error)

func (f loginFunc) Allowed(ctx context.Context, client netip.Addr, user, password string) (bool, error) {
	return f(ctx, client, user, password)
}

// connectAs asks for a tunnel with a name and a password.
var connectAs = "CONNECT " + bank + ":443 HTTP/1.1\r\nHost: " + bank + ":443\r\nProxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("desk:s3same")) + "\r\n\r\n"

// A password that was not looked at is no wrong one: a client that is asked again for a password would forget the right one.
func TestLogin_tooManyAtOnce(t *testing.T) {
	asked := make(chan netip.Addr, 1)
	w := newWorld(t, (&spy{next: jsonAnswer("{}")}).handle, func(c *intercept.Config, _ *proxyServer, _ *world) {
		c.Login = loginFunc(func(_ context.Context, client netip.Addr, _, _ string) (bool, error) {
			asked <- client
			return true, errors.New("too many") // an error is stronger than whatever else is said
		})
	})
	got := w.raw(t, connectAs)
	if got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" || got.Header.Get("Proxy-Authenticate") != "" {
		t.Errorf("got %s %v", got.Status, got.Header)
	}
	if client := await(t, asked); !client.IsLoopback() {
		t.Errorf("asked for the client %v", client)
	}
	if n := w.plugin.Stats().RefusedLogins; n != 1 {
		t.Errorf("got %d refused, want 1", n)
	}
}

// A client that goes away no longer waits for its turn.
func TestLogin_endsWithTheClient(t *testing.T) {
	asked, ended := make(chan struct{}), make(chan struct{})
	w := newWorld(t, (&spy{next: jsonAnswer("{}")}).handle, func(c *intercept.Config, _ *proxyServer, _ *world) {
		c.Login = loginFunc(func(ctx context.Context, _ netip.Addr, _, _ string) (bool, error) {
			close(asked)
			<-ctx.Done()
			close(ended)
			return false, ctx.Err()
		})
	})
	c := w.hold(t)
	_, _ = io.WriteString(c, connectAs)
	await(t, asked)
	_ = c.Close()
	await(t, ended)
}

// Who is not let in hears so, and nothing that he asks for reaches anybody. The password of who is reaches nobody either, handlers of other plugins included.
func TestLogin_endsAtTheDoor(t *testing.T) {
	s := &spy{next: jsonAnswer("{}")}
	seen := make(chan string, 8)
	w := newWorld(t, s.handle, onRequest(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		seen <- r.Header.Get("Proxy-Authorization")
		return r, nil
	}), func(c *intercept.Config, _ *proxyServer, _ *world) {
		c.Login = loginFunc(func(_ context.Context, _ netip.Addr, user, password string) (bool, error) {
			if user == "busy" {
				return false, errors.New("too many")
			}
			return user == "desk" && password == "s3same", nil
		})
	})
	for _, c := range []struct {
		said string
		want int
	}{{"desk:wrong", http.StatusProxyAuthRequired}, {"", http.StatusProxyAuthRequired}, {"busy:s3same", http.StatusTooManyRequests}, {"desk:s3same", http.StatusOK}} {
		text := "GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n"
		if c.said != "" {
			text += "Proxy-Authorization: " + basicAuth(c.said) + "\r\n"
		}
		before := s.asked.Load()
		if got := w.raw(t, text+"\r\n"); got.StatusCode != c.want {
			t.Errorf("%q: got %s", c.said, got.Status)
		}
		if asked := s.asked.Load() - before; (asked == 1) != (c.want == http.StatusOK) || asked > 1 {
			t.Errorf("%q: upstream was asked %d times", c.said, asked)
		}
	}
	if len(seen) != 1 {
		t.Fatalf("handlers saw %d requests", len(seen))
	}
	if got := await(t, seen); got != "" {
		t.Errorf("a handler sees %q", got)
	}
}
