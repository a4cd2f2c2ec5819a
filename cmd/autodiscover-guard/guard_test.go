package main

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/intercept"
)

// TestPluginConfig_everyKey has each key of the configuration say something else than its default, and looks for it in what the plugin and the door's server are told.
func TestPluginConfig_everyKey(t *testing.T) {
	t.Parallel()
	c, err := config.Parse("guard.yaml", []byte(`
listen: {proxy_protocol: [192.0.2.10]}
clients: {allow: [127.0.0.0/8, 198.51.100.0/24], quarantine: 7m}
upstream: {resolve: {mail.lab.test: 192.168.1.5}, proxy: "http://proxy.lab.test:3128", no_proxy: [lab.test], private: [10.0.0.0/8]}
limits:
  header_bytes: 11KiB
  body: 12KiB
  handshake_timeout: 1s
  header_timeout: 2s
  body_timeout: 3s
  idle_timeout: 4s
  dial_timeout: 5s
  answer_timeout: 6s
  lifetime: 2h
  stall_timeout: 13s
  connections: 21
  tunnels: 22
  per_client: 23
  drain_timeout: 8s
log: {privacy: full}
`))
	if err != nil {
		t.Fatal(err)
	}
	in, err := readInputs(c)
	if err != nil {
		t.Fatal(err)
	}
	d := new(credentialStore)
	d.current.Store(in.door)
	got, err := pluginConfig(c, in, d)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(intercept.Limits{
		Handshake: time.Second, Header: 2 * time.Second, Body: 3 * time.Second, Idle: 4 * time.Second, Lifetime: 2 * time.Hour, Stall: 13 * time.Second,
		HeaderBytes: 11 << 10, BodyBytes: 12 << 10, Connections: 21, Tunnels: 22, PerClient: 23,
	}, got.Limits); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	private, err := intercept.AllowPrivateIn(netip.MustParsePrefix("10.0.0.0/8"))
	if err != nil {
		t.Fatal(err)
	}
	prefixes := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
	if diff := cmp.Diff(intercept.UpstreamConfig{
		Resolve: map[string]string{"mail.lab.test": "192.168.1.5"}, Private: private, Proxy: "http://proxy.lab.test:3128", NoProxy: []string{"lab.test"},
		DialTimeout: 5 * time.Second, TLSHandshakeTimeout: time.Second, AnswerTimeout: 6 * time.Second,
	}, got.Upstream, cmp.AllowUnexported(intercept.Private{}, intercept.Credentials{}), prefixes); diff != "" {
		t.Errorf("upstream (-want +got):\n%s", diff)
	}
	if want := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("198.51.100.0/24")}; !cmp.Equal(got.Clients, want, prefixes) {
		t.Errorf("clients %v", got.Clients)
	}
	if len(got.ProxyProtocol) != 1 || got.ProxyProtocol[0] != netip.MustParsePrefix("192.0.2.10/32") || got.Quarantine != 7*time.Minute || got.Privacy != intercept.PrivacyFull || got.Login != nil {
		t.Errorf("proxy protocol %v, quarantine %v, privacy %d, log-in %v", got.ProxyProtocol, got.Quarantine, got.Privacy, got.Login)
	}
	if never := quarantine(0); never >= 0 {
		t.Errorf("clients.quarantine: 0s is %v to the plugin, whose zero is its default", never)
	}
	got.Issuer = noIssuer{}
	plugin, err := intercept.New(got)
	if err != nil {
		t.Fatal(err)
	}
	defer plugin.Close()
	server, err := explicitDoor(c, plugin, d, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if server.ReadHeaderTimeout != 2*time.Second || server.IdleTimeout != 4*time.Second || server.MaxHeaderBytes != 11<<10 {
		t.Errorf("the door: header within %v and %d bytes, idle %v", server.ReadHeaderTimeout, server.MaxHeaderBytes, server.IdleTimeout)
	}
	if c.Limits.Drain != 8*time.Second {
		t.Errorf("drain %v", c.Limits.Drain)
	}
}

// guardInBubble makes a guard that logs nothing, in a bubble of synctest, and closes it when the test ends.
func guardInBubble(t *testing.T, c *config.Config, state *stateDir) *guard {
	t.Helper()
	in, err := readInputs(c)
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGuard(c, in, state, zap.NewNop(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.close()
		synctest.Wait()
	})
	return g
}
