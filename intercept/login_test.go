package intercept_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"testing"

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
	if client := <-asked; !client.IsLoopback() {
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
	<-asked
	_ = c.Close()
	<-ended
}
