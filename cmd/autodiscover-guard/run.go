package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/VictoriaMetrics/metrics"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

func runCommand() *cobra.Command {
	var file string
	overrides := map[string]*string{}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "start the guard",
		Long: `Start the guard. It works without any configuration: it makes its authority in the state directory, listens on 127.0.0.1:8080, and guards
the reserved names. When the file of --config changes, or at SIGHUP, its policy is put in force without a restart; a broken one leaves the old
policy in force. SIGTERM and SIGINT let exchanges in flight finish, then end it with exit code 0; a second signal ends it at once.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			load := func() (*config.Config, error) {
				c, err := loadConfig(file)
				if err != nil {
					return nil, err
				}
				for key, value := range overrides {
					if *value == "" {
						continue
					}
					if err := c.Set(key, *value); err != nil {
						return nil, fmt.Errorf("%s: %w", flagFor(key), err)
					}
				}
				return c, c.Check()
			}
			return serve(cmd.Context(), file, load, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration `FILE` (YAML); without it the defaults of \"autodiscover-guard config\" hold")
	for _, o := range []struct{ key, about string }{
		{"listen.proxy", "`ADDRESS` to serve clients on"},
		{"listen.admin", "`ADDRESS` of the admin listener (health, metrics, root certificate), or off"},
		{"state", "`DIR` for authority and log"},
		{"log.level", "`LEVEL` of what is written to standard error: debug, info, warn, error"},
	} {
		overrides[o.key] = cmd.Flags().String(flagFor(o.key)[2:], "", o.about)
	}
	return cmd
}

// flagFor is the flag that overrides a key.
func flagFor(key string) string {
	switch key {
	case "listen.proxy":
		return "--listen"
	case "listen.admin":
		return "--admin"
	case "log.level":
		return "--log-level"
	}
	return "--" + key
}

// serve runs the guard until a signal ends it. load reads the configuration, from file if there is one.
func serve(ctx context.Context, file string, load func() (*config.Config, error), stdout, stderr io.Writer) error {
	c, err := load()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger, err := lifeLogger(stderr, c.Log.Level)
	if err != nil {
		return err
	}
	// net/http's transport complains to the standard logger about servers that talk out of turn.
	log.SetFlags(0)
	log.SetOutput(debugLog(logger.Named("std")).Writer())
	path, err := c.StateDir()
	if err != nil {
		return err
	}
	state, err := openState(path)
	if err != nil {
		return err
	}
	defer state.close()
	decisionsFile, err := c.DecisionsFile()
	if err != nil {
		return err
	}
	figures := metrics.NewSet()
	decisions, records, err := openDecisions(decisionsFile, stdout)
	if err != nil {
		return err
	}
	defer records.Close()
	decisions = decisions.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core { return console.Counted(core, figures) }))
	g, err := newGuard(c, state, decisions, logger)
	if err != nil {
		return err
	}
	defer g.close()
	listener, err := listen(ctx, "listen.proxy", c.Listen.Proxy)
	if err != nil {
		return err
	}
	transparent, err := listenTransparent(ctx, c.Listen)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	watch(g.plugin, figures)
	r := &reloader{load: load, guard: g, state: state, logger: logger, figures: figures, config: c, policy: g.policy}
	r.note(nil)
	admin, err := startAdmin(ctx, c.Listen.Admin, r, proxyAt(c.Listen, here(listener.Addr())))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer admin.stop()
	if err := state.note("address", listener.Addr().String()); err != nil {
		return err
	}
	doors := []zap.Field{zap.Stringer("proxy", listener.Addr()), zap.String("policy", g.policy.Revision()), zap.String("version", version())}
	if transparent != nil {
		if err := state.note("transparent", transparent.Addr().String()); err != nil {
			return err
		}
		doors = append(doors, zap.Stringer("transparent", transparent.Addr()))
	}
	greet(stderr, g, listener.Addr(), decisionsFile)
	logger.Info("listening", doors...)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	following, leave := context.WithCancel(ctx)
	var followed sync.WaitGroup
	followed.Go(func() { r.follow(following, file, hangups) })
	defer followed.Wait()
	defer leave()
	ended := make(chan error, 2)
	go func() { ended <- g.serve(listener) }()
	go func() { ended <- g.serveTransparent(ctx, transparent) }()
	select {
	case err := <-ended:
		if ctx.Err() == nil { // a door that was told to stop may be the first to say so
			return err
		}
	case <-ctx.Done():
	}
	stop() // a second signal ends the process at once
	logger.Info("stopping", zap.Duration("at most", c.Limits.Drain))
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Limits.Drain)
	defer cancel()
	if err := g.shutdown(drain); err != nil {
		logger.Warn("what was left has been cut off", zap.Error(err))
	}
	logger.Info("stopped")
	return nil
}

// listen binds the address and explains what stands in the way.
func listen(ctx context.Context, key, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, hint(fmt.Errorf("%s: %s is taken by another process", key, address), "is a guard running already? otherwise choose another address: %s 127.0.0.1:0 takes any free port", flagFor(key))
	case errors.Is(err, syscall.EACCES):
		return nil, hint(fmt.Errorf("%s: no permission to listen on %s", key, address), "ports below 1024 need a privilege; choose a higher one")
	}
	return nil, fmt.Errorf("%s: %w", key, err)
}

// here is where this computer itself reaches a listener.
func here(address net.Addr) string {
	at, err := netip.ParseAddrPort(address.String())
	switch {
	case err != nil || !at.Addr().IsUnspecified():
		return address.String()
	case at.Addr().Is4():
		return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), at.Port()).String()
	}
	return netip.AddrPortFrom(netip.IPv6Loopback(), at.Port()).String()
}

// greet says in a few lines what somebody needs who starts the guard for the first time.
func greet(w io.Writer, g *guard, address net.Addr, decisions string) {
	root := g.authority.RootFile()
	fmt.Fprintf(w, "authority   %s\n", root)
	fmt.Fprintf(w, "            SHA-256 %s\n", g.authority.Fingerprint())
	fmt.Fprintf(w, "            it can sign for the guarded names and discovery services only; keep the keys beside it private\n")
	scheme := "http"
	if g.server.TLSConfig != nil {
		scheme = "https"
	}
	fmt.Fprintf(w, "listening   %s://%s (proxy for http and https)\n", scheme, address)
	fmt.Fprintf(w, "try it      curl -x %s://%s --cacert %s https://autodiscover.example.com/autodiscover/autodiscover.xml\n", scheme, here(address), root)
	fmt.Fprintf(w, "use it      trust the authority in the mail client, and set %s as its HTTP and HTTPS proxy\n", address)
	if decisions == "-" {
		decisions = "standard output"
	}
	fmt.Fprintf(w, "decisions   %s\n", decisions)
}
