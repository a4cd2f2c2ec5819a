package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"time"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

// adminServer is the admin listener; the zero value is none.
type adminServer struct{ server *http.Server }

// startAdmin serves the console, where there is a listener for it. proxy is where clients reach the guard.
func startAdmin(l net.Listener, pprof bool, r *reloader, proxy companion.Proxy) adminServer {
	if l == nil {
		return adminServer{}
	}
	// Who reaches it through the proxy comes from this computer, whoever he is.
	r.guard.plugin.Listening(l.Addr())
	server := &http.Server{
		Handler: console.New(console.Config{
			Status: r.status, Health: r.health, Recent: r.logs.recent, Root: r.guard.authority.Root, Metrics: r.figures, Pprof: pprof,
			PAC: func() []byte { return r.pac(proxy) }, Proxy: proxy,
			RevocationLists: revocationLists(r.guard.authority),
		}),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      30 * time.Second, // but for /events, which sets its own
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          debugLog(r.logger.Named("admin")),
	}
	go func() { _ = server.Serve(l) }()
	return adminServer{server}
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
	if a.server != nil {
		_ = a.server.Close()
	}
}

// revocationAddress is how clients reach the admin listener, to ask whether a certificate was revoked: what the configuration says, or else, for
// a guard that serves its own computer, the listener's own address. A port that is picked anew at each start is none to put into certificates.
func revocationAddress(c *config.Config) string {
	if c.Listen.AdminURL != "" || c.Listen.Admin == "" {
		return c.Listen.AdminURL
	}
	admin, err := netip.ParseAddrPort(c.Listen.Admin)
	if proxy, proxyErr := netip.ParseAddrPort(c.Listen.Proxy); err != nil || proxyErr != nil || !proxy.Addr().IsLoopback() || !admin.Addr().IsLoopback() || admin.Port() == 0 {
		return ""
	}
	return "http://" + c.Listen.Admin
}

// revocationLists are what the console serves for them.
func revocationLists(a *certs.Authority) map[string]func() ([]byte, error) {
	return map[string]func() ([]byte, error){
		certs.IssuingCRLPath: func() ([]byte, error) { return a.RevocationList(time.Now()) },
		certs.RootCRLPath:    func() ([]byte, error) { return a.RootRevocationList(), nil },
	}
}
