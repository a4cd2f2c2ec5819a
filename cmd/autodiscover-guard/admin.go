package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
	"autodiscover-guard/intercept"
)

// adminServer is the admin listener; the zero value is none.
type adminServer struct {
	server *http.Server
	// lists is the plain HTTP beside it; nil where it speaks no TLS.
	lists *http.Server
}

// maxAdminConnections bounds what anybody can take of the process's descriptors without being known.
const maxAdminConnections = 256

// startAdmin serves the console, where there is a listener for it. proxy is where clients reach the guard.
func startAdmin(l net.Listener, r *reloader, proxy companion.Proxy) adminServer {
	if l == nil {
		return adminServer{}
	}
	// Who reaches it through the proxy comes from this computer, whoever he is.
	r.guard.plugin.Listening(l.Addr())
	lists := revocationLists(r.guard.authority)
	c := &r.config.Listen
	server := r.adminHTTP(console.New(console.Config{
		Status: r.status, Health: r.health, Recent: r.logs.recent, Root: r.guard.authority.Root, Metrics: r.figures, Pprof: c.Pprof,
		PAC: func() []byte { return r.pac(proxy) }, Proxy: proxy, RevocationLists: lists,
		Access: r.access, Names: adminNames(c), Alone: onLoopback(l.Addr()),
	}))
	l = console.Bounded(l, maxAdminConnections)
	if server.TLSConfig = r.guard.credentials.adminTLS(); server.TLSConfig == nil {
		go func() { _ = server.Serve(l) }()
		return adminServer{server: server}
	}
	beside := r.adminHTTP(console.Lists(lists))
	mux := newProtocolMux(l, server.TLSConfig)
	go func() { _ = server.Serve(mux.secure) }()
	go func() { _ = beside.Serve(mux.plain) }()
	return adminServer{server, beside}
}

func (r *reloader) adminHTTP(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      30 * time.Second, // but for /events, which sets its own
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          intercept.StandardLog(r.logger.Named("admin")),
	}
}

// newAccess says who sees everything at the admin listener: nil, which is everybody, where the configuration asks for nothing.
func newAccess(c *config.Listen, token console.Token, figures *metrics.Set) *console.Access {
	if c.Admin == "" || c.AdminTokenFile == "" && c.AdminClients == "" {
		return nil
	}
	return console.NewAccess(token, c.AdminClients != "", figures)
}

// adminNames are the names by which clients reach the admin listener.
func adminNames(c *config.Listen) []string {
	names := []string{strings.ToLower(c.Name)}
	if u, err := url.Parse(c.AdminURL); err == nil {
		names = append(names, strings.ToLower(u.Hostname()))
	}
	return names
}

func onLoopback(a net.Addr) bool {
	at, err := netip.ParseAddrPort(a.String())
	return err == nil && at.Addr().IsLoopback()
}

// health is what the page tells beyond the status.
func (r *reloader) health() console.Health {
	authority := r.guard.authority.Status(time.Now())
	h := console.Health{Log: r.logs.where, RootUntil: authority.Root.NotAfter, Warnings: authority.Warnings}
	for _, d := range r.doors.named() {
		h.Doors = append(h.Doors, console.Door{Name: d.name, Address: d.l.Addr().String()})
	}
	return h
}

// check asks the console's handler, without a connection, whether the guard is alive.
func (a adminServer) check(ctx context.Context) error {
	if a.server == nil {
		return nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/livez", nil)
	if err != nil {
		return err
	}
	w := httptest.NewRecorder()
	a.server.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return fmt.Errorf("checking the admin handler: answered %d, want 200", w.Code)
	}
	return nil
}

// stop ends it at once. It is the last thing to end: a load balancer asks it whether to send anybody here.
func (a adminServer) stop() {
	for _, s := range []*http.Server{a.server, a.lists} {
		if s != nil {
			_ = s.Close()
		}
	}
}

// revocationAddress is how clients reach the admin listener, to ask whether a certificate was revoked: what the configuration says, or else, for
// a guard that serves its own computer, the listener's own address. A port that is picked anew at each start is none to put into certificates.
func revocationAddress(c *config.Config) string {
	if c.Listen.AdminURL != "" || c.Listen.Admin == "" {
		return statedRevocationAddress(c)
	}
	admin, err := netip.ParseAddrPort(c.Listen.Admin)
	if proxy, proxyErr := netip.ParseAddrPort(c.Listen.Proxy); err != nil || proxyErr != nil || !proxy.Addr().IsLoopback() || !admin.Addr().IsLoopback() || admin.Port() == 0 {
		return ""
	}
	return "http://" + c.Listen.Admin
}

// statedRevocationAddress is what the configuration says of that, and empty where it says nothing. It is always plain HTTP, which a listener with
// TLS answers at the same port; so the port must be named, where that of https is meant.
func statedRevocationAddress(c *config.Config) string {
	rest, secure := strings.CutPrefix(c.Listen.AdminURL, "https://")
	if !secure {
		return c.Listen.AdminURL
	}
	if u, err := url.Parse(c.Listen.AdminURL); err == nil && u.Port() == "" {
		rest += ":443"
	}
	return "http://" + rest
}

// adminBase is the address at which clients reach the admin listener, which is at address. By a name where there is TLS, because certificates
// have names: that of listen.admin_url, or else of listen.name.
func adminBase(c *config.Listen, address string) string {
	if c.AdminCertificate == "" {
		return "http://" + address
	}
	if strings.HasPrefix(c.AdminURL, "https:") {
		return c.AdminURL
	}
	if host, port, err := net.SplitHostPort(address); err == nil && c.Name != "" && host != "" {
		address = net.JoinHostPort(c.Name, port)
	}
	return "https://" + address
}

// revocationLists are what the console serves for them.
func revocationLists(a *certs.Authority) map[string]func(path string) ([]byte, error) {
	return map[string]func(path string) ([]byte, error){
		certs.IssuingCRLPath:        func(string) ([]byte, error) { return a.RevocationList(time.Now()) },
		certs.RootCRLPath:           func(string) ([]byte, error) { return a.RootRevocationList(), nil },
		certs.FormerCRLs + "{list}": func(path string) ([]byte, error) { return a.FormerRevocationList(path), nil },
	}
}
