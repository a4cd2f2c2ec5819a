package main

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

// adminServer is the admin listener; the zero value is none.
type adminServer struct{ server *http.Server }

// startAdmin serves the console, unless the address is empty.
func startAdmin(ctx context.Context, address string, r *reloader) (adminServer, error) {
	if address == "" {
		return adminServer{}, nil
	}
	l, err := listen(ctx, "listen.admin", address)
	if err != nil {
		return adminServer{}, err
	}
	if err := r.state.note("admin", l.Addr().String()); err != nil {
		return adminServer{}, errors.Join(err, l.Close())
	}
	server := &http.Server{
		Handler: console.New(console.Config{
			Status: r.status, RootPEM: r.guard.authority.RootPEM, Metrics: r.figures, RevocationLists: revocationLists(r.guard.authority),
		}),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          debugLog(r.logger.Named("admin")),
	}
	go func() { _ = server.Serve(l) }()
	return adminServer{server}, nil
}

// stop ends it at once: what it tells is of no use to a guard that ends.
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
