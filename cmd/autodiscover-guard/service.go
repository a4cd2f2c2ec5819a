package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/intercept"
)

// service is what run was asked for.
type service struct {
	// file is the configuration file, empty for none; load reads it, and what flags and the service manager say besides.
	file string
	load func() (*config.Config, error)
	// places are the settings to put in place meanwhile, empty for none.
	places    string
	inherited sockets
}

// run runs the guard until a signal ends it.
func (s *service) run(ctx context.Context, stdout, stderr io.Writer) error {
	file := &fileStamp{file: s.file}
	file.changed() // before it is read: what is written to it meanwhile is a change
	c, err := s.load()
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	// Before the pid is written and until it is gone: a signal that nobody has asked for would end the process. One that comes before the guard
	// serves waits for that.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	// Who reads standard output and error may go, and come back: journald that is started again, say. Go ends a process that writes to such a pipe unless
	// somebody asks for the signal; ours gets an error then, as from a full disk. Programs that we start are still ended.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	logger, quiet, err := lifeLogger(stderr, &c.Log)
	if err != nil {
		return err
	}
	defer quiet()
	boundMemory(logger)
	// net/http's transport complains to the standard logger about servers that talk out of turn.
	log.SetFlags(0)
	log.SetOutput(intercept.StandardLog(logger.Named("std")).Writer())
	path, err := c.StateDir()
	if err != nil {
		return err
	}
	state, err := openState(path, logger)
	if err != nil {
		return err
	}
	defer state.close()
	state.note("pid", strconv.Itoa(os.Getpid()))
	settings, err := openSession(ctx, path, logger.Named("setup"))
	if err != nil { // no reason not to guard
		logger.Error("settings left over from a crash were not taken back; setup off does it", zap.Error(err))
	}
	defer settings.end()
	in, err := readInputs(c)
	if err != nil {
		return err
	}
	figures := metrics.NewSet()
	opener := logOpener{stdout: stdout, stderr: stderr, state: path, secret: in.hookSecret, figures: figures, life: logger}
	logs, err := opener.open(c)
	if err != nil {
		return err
	}
	defer logs.close()
	r := &reloader{
		load: s.load, file: file, state: state, logs: logs, logger: logs.life, figures: figures, config: c, supervisor: supervisor{logs.life}, settings: settings,
		roots: in.roots, proxyCredentials: in.proxyCredentials,
	}
	return s.guard(ctx, r, in, hangups, stderr)
}

// untilSignal is a context that ends with the first signal to end, or with parent. A second signal ends the process at once, also while it waits for a file
// in its start: that is so before the context ends, as whoever finds a door closed may send it.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	signalled, restore := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	ctx, end := context.WithCancel(context.WithoutCancel(parent))
	context.AfterFunc(signalled, func() {
		restore()
		end()
	})
	return ctx, restore
}

// guard opens the doors and serves.
func (s *service) guard(ctx context.Context, r *reloader, in inputs, hangups <-chan os.Signal, stderr io.Writer) error {
	g, err := newGuard(r.config, in, r.state, r.logs.decisions, r.logger)
	if err != nil {
		return err
	}
	defer g.close()
	d, err := openDoors(ctx, r.config.Listen, s.inherited)
	if err != nil {
		return err
	}
	defer d.close()
	r.guard, r.policy, r.doors = g, g.policy, d
	r.access = newAccess(&r.config.Listen, in.door.token, r.figures)
	r.note(nil)
	registerMetrics(g, r, r.figures)
	authorityFigures(g.authority, r.figures)
	// Until everything has ended: whoever asks how the guard is must hear that it ends.
	admin := startAdmin(d.admin, r, proxyAt(r.config.Listen, here(d.proxy.Addr())))
	defer admin.stop()
	d.note(r.state)
	printBanner(stderr, r.config, g, d.proxy.Addr(), d.admin, r.logs.where)
	fields := []zap.Field{zap.Stringer("proxy", d.proxy.Addr()), zap.String("policy", g.policy.Revision()), zap.String("version", version())}
	if d.transparent != nil {
		fields = append(fields, zap.Stringer("transparent", d.transparent.Addr()))
	}
	r.logger.Info("listening", fields...)
	return s.serve(ctx, r, hangups, admin)
}

// serve serves until ctx ends or a door fails, and then lets what runs finish.
func (s *service) serve(ctx context.Context, r *reloader, hangups <-chan os.Signal, admin adminServer) error {
	ended := make(chan error, 2)
	go func() { ended <- r.guard.serve(r.doors.proxy) }()
	go func() { ended <- r.guard.serveTransparent(ctx, r.doors.transparent) }()
	if s.places != "" {
		if err := r.settings.begin(ctx, s.places, r.state.path, r.config); err != nil {
			return err
		}
	}
	r.supervisor.ready(r.summary())
	following, leave := context.WithCancel(ctx)
	var followed sync.WaitGroup
	followed.Go(func() { r.follow(following, hangups) })
	followed.Go(func() { watchAuthority(following, r.guard.authority, r.logger) })
	followed.Go(func() { manageMemory(following, debug.FreeOSMemory) })
	followed.Go(func() { r.state.mend(following) })
	defer r.awaitFollowers(&followed)
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
	r.settings.end() // while there still is a guard for them to point at
	r.draining.Store(true)
	leave()
	return r.drain(ctx)
}

// reloadGrace is how long a reload that is under way may take at the end, when nobody is served any more.
const reloadGrace = 5 * time.Second

// awaitFollowers waits for what follows files and signals to end, so that nothing is taken away from a reload. One that hangs, in a file of a server that does not
// answer say, is left behind: what is still to be written at the end would be lost, were it waited for until somebody kills us.
func (r *reloader) awaitFollowers(followed *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() {
		followed.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(reloadGrace):
		r.logger.Warn("a reload hangs, and is not waited for any longer")
	}
}

// drain lets what runs finish, for as long as limits.drain_timeout allows.
func (r *reloader) drain(ctx context.Context) error {
	limit := r.config.Limits.Drain
	r.supervisor.stopping("draining, for " + limit.String() + " at most")
	r.logger.Info("stopping", zap.Duration("at_most", limit))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	if err := r.guard.shutdown(ctx, r.doors.proxy); err != nil {
		r.logger.Warn("what was left has been cut off", zap.Error(err))
	}
	r.logs.drainNotifications(context.WithoutCancel(ctx)) // they have a time of their own: tunnels use up that one, as a rule
	r.logger.Info("stopped")
	return nil
}
