package main

import (
	"context"
	"errors"
	"net/http"
	"time"

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
	// Who reaches it through the proxy comes from this computer, whoever he is.
	r.guard.plugin.Listening(l.Addr())
	if err := r.state.note("admin", l.Addr().String()); err != nil {
		return adminServer{}, errors.Join(err, l.Close())
	}
	server := &http.Server{
		Handler:           console.New(console.Config{Status: r.status, RootPEM: r.guard.authority.RootPEM(), Metrics: r.figures}),
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
