package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/elazarl/goproxy"
	"go.uber.org/zap"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/intercept"
	"autodiscover-guard/rules"
)

// guard is policy, authority, plugin and server wired together.
type guard struct {
	policy      *rules.Policy
	authority   *certs.Authority
	plugin      *intercept.Plugin
	server      *http.Server
	credentials *credentialStore
}

func newGuard(c *config.Config, in inputs, state *stateDir, decisions, logger *zap.Logger) (*guard, error) {
	in.warn(logger)
	d := new(credentialStore)
	d.current.Store(in.door)
	made, err := pluginConfig(c, in, d)
	if err != nil {
		return nil, err
	}
	if c.Log.Privacy == "hash" {
		if made.PrivacyKey, err = state.privacyKey(); err != nil {
			return nil, err
		}
	}
	authority, err := certs.Open(authorityDir(state.path), certs.Scope{Names: in.policy.Scope()}, certs.RevocationAt(revocationAddress(c)))
	if err != nil {
		return nil, explained(err)
	}
	made.Issuer, made.Authority, made.Decisions, made.Logger = authority, authority.Fingerprint, decisions, logger
	plugin, err := intercept.New(made)
	if err != nil {
		return nil, errors.Join(err, authority.Close())
	}
	server, err := explicitDoor(c, plugin, d, logger)
	if err != nil {
		return nil, errors.Join(err, plugin.Close(), authority.Close())
	}
	return &guard{in.policy, authority, plugin, server, d}, nil
}

// pluginConfig is the plugin's configuration, but for its authority and its logs.
func pluginConfig(c *config.Config, in inputs, d *credentialStore) (intercept.Config, error) {
	private, err := privateAddresses(c.Upstream.Private)
	return intercept.Config{
		Policy:  in.policy,
		Privacy: privacies[c.Log.Privacy],
		Upstream: intercept.UpstreamConfig{
			Roots: in.roots, Resolve: c.Upstream.Resolve, DialTimeout: c.Limits.Dial,
			TLSHandshakeTimeout: c.Limits.Handshake, AnswerTimeout: c.Limits.Answer,
			Private: private, Proxy: c.Upstream.Proxy, NoProxy: c.Upstream.NoProxy, ProxyCredentials: in.proxyCredentials,
		},
		Clients: c.Clients.Allow, ProxyProtocol: c.Listen.ProxyProtocol, Login: d.login(), Quarantine: quarantine(c.Clients.Quarantine),
		Limits: intercept.Limits{
			Handshake: c.Limits.Handshake, Header: c.Limits.Header, Body: c.Limits.BodyTime, Idle: c.Limits.Idle,
			Lifetime: c.Limits.Lifetime, Stall: c.Limits.Stall, HeaderBytes: int(c.Limits.HeaderBytes), BodyBytes: c.Limits.Body,
			Connections: int(c.Limits.Connections), Tunnels: int(c.Limits.Tunnels), PerClient: int(c.Limits.PerClient),
		},
	}, err
}

// explicitDoor is the server that clients connect to.
func explicitDoor(c *config.Config, plugin *intercept.Plugin, d *credentialStore, logger *zap.Logger) (*http.Server, error) {
	server := &http.Server{
		Handler:           plugin.Front(goproxy.NewProxyHttpServer()),
		ConnContext:       plugin.ConnContext,
		TLSConfig:         d.tlsConfig(),
		ReadHeaderTimeout: c.Limits.Header,
		IdleTimeout:       c.Limits.Idle,
		MaxHeaderBytes:    int(c.Limits.HeaderBytes),
		ErrorLog:          intercept.StandardLog(logger.Named("door")),
	}
	if server.TLSConfig == nil {
		return server, nil
	}
	return server, plugin.ConfigureHTTP2(server)
}

func privateAddresses(p config.Private) (intercept.Private, error) {
	if p.All {
		return intercept.AllowPrivate(), nil
	}
	private, err := intercept.AllowPrivateIn(p.Ranges...)
	if err != nil {
		return private, fmt.Errorf("upstream.private: %w", err)
	}
	return private, nil
}

// quarantine is the time as the plugin wants it: there, zero is the default.
func quarantine(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

// serve answers clients of the proxy until shutdown is called or the listener fails.
func (g *guard) serve(l net.Listener) error {
	if g.server.TLSConfig != nil {
		l = g.plugin.SecureListener(l, g.server.TLSConfig)
	} else {
		l = g.plugin.Listener(l)
	}
	if err := g.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

// serveTransparent does the same at the transparent door; there may be none.
func (g *guard) serveTransparent(ctx context.Context, l net.Listener) error {
	if l == nil {
		<-ctx.Done()
		return nil
	}
	if err := g.plugin.ServeTransparent(ctx, l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// shutdown takes no new work and lets what runs finish, as long as ctx allows. Door and hall end at the same time: one after the other, a single long exchange
// at the door would leave the hall taking new work for as long as there is, and no time to finish it. But the door's server is shut down last: from
// then on net/http drops what it reads without an answer (server.go: shuttingDown), and a client that has connected already must get one.
func (g *guard) shutdown(ctx context.Context, door net.Listener) error {
	acceptWaiting(ctx, door)
	_ = door.Close()
	g.server.SetKeepAlivesEnabled(false)
	hall := g.plugin.Shutdown(ctx)
	return errors.Join(shutDown(ctx, g.server), hall)
}

// How long a door that is to be closed goes on accepting at most, and how often it is looked at.
const (
	acceptGrace = 2 * time.Second
	acceptPause = time.Millisecond
)

// acceptWaiting waits until nobody waits to be accepted at a door. The system has connected them already, and would cut them off when it closes: a load balancer
// that has sent one here tells its client of an error, and no other replica.
func acceptWaiting(ctx context.Context, door net.Listener) {
	for begun := time.Now(); hasBacklog(door) && time.Since(begun) < acceptGrace && ctx.Err() == nil; {
		time.Sleep(acceptPause)
	}
}

// shutDown is http.Server.Shutdown for a server whose listener was closed before: it closes it once more where Serve has not noticed yet, and takes the
// complaint about that for its own failure.
func shutDown(ctx context.Context, server *http.Server) error {
	if err := server.Shutdown(ctx); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// close ends everything at once.
func (g *guard) close() {
	_ = g.server.Close()
	_ = g.plugin.Close()
	_ = g.authority.Close()
}
