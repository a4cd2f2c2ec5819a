package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
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
policy in force. SIGTERM and SIGINT let exchanges in flight finish, then end it with exit code 0; a second signal ends it at once. Meanwhile
/readyz of the admin listener answers 503.

Under systemd it says when it is ready, reloads and stops (Type=notify), serves the watchdog (WatchdogSec=), and takes over sockets that are
named proxy, transparent and admin (FileDescriptorName=). "autodiscover-guard setup gateway --print" prints the units.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			inherited, err := inheritedSockets()
			if err != nil {
				return err
			}
			defer inherited.close()
			addresses := inherited.addresses()
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
				if err := addresses.claim(c); err != nil {
					return nil, err
				}
				return c, c.Check()
			}
			return serve(cmd.Context(), file, load, inherited, cmd.OutOrStdout(), cmd.ErrOrStderr())
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
func serve(ctx context.Context, file string, load func() (*config.Config, error), inherited sockets, stdout, stderr io.Writer) error {
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
	d, err := openDoors(ctx, c.Listen, inherited)
	if err != nil {
		return err
	}
	defer d.close()
	r := &reloader{
		load: load, guard: g, state: state, logger: logger, figures: figures, config: c, policy: g.policy,
		supervisor: supervisor{logger}, doors: d,
	}
	r.note(nil)
	watch(g, r, figures)
	// Until everything has ended: whoever asks how the guard is must hear that it ends.
	admin := startAdmin(d.admin, c.Listen.Pprof, r)
	defer admin.stop()
	if err := d.note(state); err != nil {
		return err
	}
	greet(stderr, g, d.proxy.Addr(), decisionsFile)
	fields := []zap.Field{zap.Stringer("proxy", d.proxy.Addr()), zap.String("policy", g.policy.Revision()), zap.String("version", version())}
	if d.transparent != nil {
		fields = append(fields, zap.Stringer("transparent", d.transparent.Addr()))
	}
	logger.Info("listening", fields...)
	return r.live(ctx, stop, file, admin)
}

// live serves until ctx ends or a door fails, and then lets what runs finish. stop gives the signals back that end ctx.
func (r *reloader) live(ctx context.Context, stop func(), file string, admin adminServer) error {
	ended := make(chan error, 2)
	go func() { ended <- r.guard.serve(r.doors.proxy) }()
	go func() { ended <- r.guard.serveTransparent(ctx, r.doors.transparent) }()

	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	r.supervisor.ready(r.summary())
	following, leave := context.WithCancel(ctx)
	var followed sync.WaitGroup
	followed.Go(func() { r.follow(following, file, hangups) })
	defer followed.Wait()
	defer leave()
	watched, unwatch := context.WithCancel(context.WithoutCancel(ctx))
	var watching sync.WaitGroup
	watching.Go(func() {
		r.supervisor.watch(watched, func(ctx context.Context) error { return r.selfCheck(ctx, admin) })
	})
	defer watching.Wait()
	defer unwatch()

	select {
	case err := <-ended:
		if ctx.Err() == nil { // a door that was told to stop may be the first to say so
			return err
		}
	case <-ctx.Done():
	}
	stop() // a second signal ends the process at once
	r.draining.Store(true)
	leave()
	followed.Wait() // a reload that is under way would say that we are ready
	return r.drain(ctx)
}

// drain lets what runs finish, for as long as limits.drain_timeout allows.
func (r *reloader) drain(ctx context.Context) error {
	limit := r.config.Limits.Drain
	r.supervisor.stopping("draining, for " + limit.String() + " at most")
	r.logger.Info("stopping", zap.Duration("at most", limit))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	if err := r.guard.shutdown(ctx); err != nil {
		r.logger.Warn("what was left has been cut off", zap.Error(err))
	}
	r.logger.Info("stopped")
	return nil
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
