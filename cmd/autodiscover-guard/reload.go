package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
	"autodiscover-guard/intercept"
	"autodiscover-guard/rules"
)

// reloader puts a changed policy in force while the guard runs. A configuration that is broken, or that the authority cannot serve, as it is on the disk
// now, leaves everything as it is.
type reloader struct {
	load  func() (*config.Config, error)
	file  *fileStamp // as it was before it was read first
	guard *guard
	state *stateDir
	// logs: the file of decision records is opened anew at a signal.
	logs   *logs
	logger *zap.Logger
	// settings are those of the desktop that live as long as the guard.
	settings *session
	// figures gets a counter of reloads and a gauge that is 1 while the policy in force is older than the file.
	figures *metrics.Set
	// supervisor hears of reloads and of the end.
	supervisor supervisor
	doors      *doors
	// access says who sees everything at the admin listener; nil is everybody.
	access *console.Access
	// draining is true from the moment at which the guard is told to stop.
	draining atomic.Bool

	config *config.Config // that of the start
	// roots and proxyCredentials are what was read last of the files that it names.
	roots            *x509.CertPool
	proxyCredentials intercept.Credentials

	reloading sync.Mutex // one reload at a time, as long as a disk that hangs takes
	former    []string   // the scope of the policy before this one; a reload of the same is none

	mu     sync.Mutex // guards what follows, which reload alone changes; nothing that can hang is done while it is held
	policy *rules.Policy
	failed error     // of the last reload
	at     time.Time // of the last reload, zero where there was none
}

// reload reads the configuration again. Exchanges that have begun keep the policy that they began with (intercept.Plugin.Swap). Why it failed is told
// everywhere; the error is for whoever may try again.
func (r *reloader) reload() error {
	r.supervisor.reloading()
	defer func() { // a failed reload is over, too
		if !r.draining.Load() {
			r.supervisor.ready(r.summary())
		}
	}()
	r.reloading.Lock()
	defer r.reloading.Unlock()
	policy, failed := r.apply()
	r.mu.Lock()
	if failed == nil {
		r.policy = policy
	}
	r.failed, r.at = failed, time.Now().UTC()
	r.mu.Unlock()
	result, stale := "ok", 0.0
	if failed != nil {
		result, stale = "failed", 1
		r.logger.Error(messageNotReloaded, zap.String("policy", r.policy.Revision()), zap.Error(failed))
	}
	r.figures.GetOrCreateCounter(reloadsTotal(result)).Inc()
	r.figures.GetOrCreateGauge(policyStale, nil).Set(stale)
	r.note(failed)
	return failed
}

// reopen writes what is held into the file of decision records that has been, and begins the one that is there now.
func (r *reloader) reopen() {
	if err := r.logs.records.Reopen(); err != nil {
		r.logger.Error("the log of decisions could not be opened anew; the next record tries again", zap.Error(err))
		return
	}
	r.logger.Info("log of decisions opened anew")
}

// status is what /readyz tells. A policy that could not be replaced still guards.
func (r *reloader) status() console.Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.guard.authority
	s := console.Status{
		Ready: !r.draining.Load(), Version: version(), State: r.state.path, Policy: r.policy.Revision(), Stale: r.failed != nil, ReloadedAt: r.at,
		Authority: a.Fingerprint(), IssuingUntil: a.Issuing().NotAfter.UTC(),
	}
	if !s.Ready {
		s.Reason = "draining"
	}
	if r.failed != nil {
		s.Reload = r.failed.Error()
	}
	return s
}

// summary is what the service manager shows of us, in one line.
func (r *reloader) summary() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := "policy " + r.policy.Revision() + "; " + r.doors.String()
	if r.failed != nil {
		text += "; not reloaded: " + r.failed.Error()
	}
	return text
}

// selfCheck is what the watchdog hangs on: that the hall answers a client, and the admin handler too. While the guard drains the hall takes nobody
// any more, and limits.drain_timeout bounds how long that lasts. An authority that has ended is told elsewhere, and is no hang: the next start would fail, and
// with it what is nobody's discovery.
func (r *reloader) selfCheck(ctx context.Context, admin adminServer) error {
	if !r.draining.Load() {
		err := r.guard.plugin.SelfCheck(ctx)
		if _, over := errors.AsType[*certs.DamagedError](err); err != nil && !over && !r.draining.Load() {
			return err
		}
	}
	return admin.check(ctx)
}

// pac is the PAC file of the policy in force.
func (r *reloader) pac(proxy companion.Proxy) []byte {
	r.mu.Lock()
	policy := r.policy
	r.mu.Unlock()
	return companion.PAC(policy, proxy)
}

// note tells scripts which policy is in force, and why a newer one is not.
func (r *reloader) note(failed error) {
	text := r.policy.Revision()
	if failed != nil {
		text += "\nnot reloaded: " + failed.Error()
	}
	r.state.note("policy", text)
}

// apply puts another policy in force, and what comes with it. It asks of everything first whether it can be; the authority, where asking and changing are one, comes
// last of what can fail.
func (r *reloader) apply() (*rules.Policy, error) {
	c, err := r.load()
	if err != nil {
		return nil, err
	}
	in, err := readInputs(c) // the next start is the first to sign notifications with the secret, and fails without it
	if err != nil {
		return nil, err
	}
	policy := in.policy
	// What names another file than at the start takes effect at the next one, and may not fit the proxy behind us, or the door that is open.
	roots, proxyCredentials := r.roots, r.proxyCredentials
	if r.config.Upstream.Roots == c.Upstream.Roots {
		roots = in.roots
	}
	if r.config.Upstream.ProxyCredentials == c.Upstream.ProxyCredentials {
		proxyCredentials = in.proxyCredentials
	}
	swapUpstream, err := r.guard.plugin.PrepareUpstream(roots, proxyCredentials)
	if err != nil {
		return nil, fmt.Errorf("upstream.proxy_credentials: %w", err)
	}
	if err := wouldServe(c, in, r.state.path); err != nil {
		return nil, err
	}
	in.door.keep(r.guard.credentials.current.Load(), r.config, c)
	before, former := r.policy.Revision(), r.former
	if policy.Revision() != before {
		former = r.policy.Scope()
	}
	if err := r.rescope(policy.Scope(), former); err != nil {
		return nil, err
	}
	r.former = former
	swapUpstream()
	r.roots, r.proxyCredentials = roots, proxyCredentials
	if err := r.guard.plugin.Swap(policy); err != nil {
		return nil, err
	}
	r.guard.credentials.replace(in.door)
	if r.access != nil {
		r.access.Renew(in.door.token)
	}
	r.logger.Info("policy reloaded", zap.String("before", before), zap.String("policy", policy.Revision()), zap.Int("rules", len(c.Policy.Rules)),
		zap.String("authority", r.guard.authority.Fingerprint()), zap.Time("issuing_until", r.guard.authority.Issuing().NotAfter.UTC()))
	in.warn(r.logger)
	if keys := config.Changed(r.config, c); len(keys) != 0 {
		r.logger.Warn("keys outside policy have changed as well; they take effect when the guard is started again", zap.Strings("keys", keys))
	}
	return policy, nil
}

// rescope has the authority sign for the names of a policy, and of the former one, and take over what is in its directory. Where that cannot be, the policy is refused with it, however
// good it is: "reloaded" would say of the whole that it is in force, and the next start would say otherwise.
func (r *reloader) rescope(names, former []string) error {
	// Connections that the old policy opened may still be in their handshake. Whoever changes the file and sends SIGHUP has it read twice.
	both := slices.Concat(names, former)
	slices.Sort(both)
	err := r.guard.authority.Rescope(certs.Scope{Names: slices.Compact(both)})
	if narrow, ok := errors.AsType[*certs.ScopeError](err); ok {
		// They are cut off rather than the new policy refused, which may come with an authority that was made for it alone.
		if err = r.guard.authority.Rescope(certs.Scope{Names: names}); err != nil && !narrow.Foreign {
			err = fmt.Errorf("%w: %s ca renew --widen --config FILE does that, and SIGHUP then takes both", err, program)
		}
	}
	if err != nil {
		return fmt.Errorf("authority: %w", err)
	}
	return nil
}

// debounce is how long a file must have lain still before it is read: editors write in several steps.
const debounce = 200 * time.Millisecond

// follow reloads at each signal, and when the file has changed, until ctx ends. The directory is watched, because editors and deployments put
// a new file in the place of the old one; and the file is looked at, because they do that with directories, too.
func (r *reloader) follow(ctx context.Context, signals <-chan os.Signal) {
	changes, errs, stop := watchFile(r.file.file, r.logger)
	defer stop()
	still := time.NewTimer(time.Hour)
	still.Stop()
	defer still.Stop()
	retry := newReloadRetry()
	defer retry.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	if r.file.file == "" {
		poll.Stop() // nothing to look at, and a computer that wants to sleep
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			// The log comes first: what a reload makes different is recorded in the new file, and a broken configuration holds up no logrotate.
			r.reopen()
			retry.after(r.reload())
		case <-still.C:
			r.file.changed() // what is read now need not be read once more
			retry.after(r.reload())
		case <-poll.C:
			if r.file.changed() {
				still.Reset(debounce)
			}
		case <-retry.C:
			retry.after(r.reload())
		case e := <-changes:
			if e.Has(fsnotify.Chmod) && !e.Has(fsnotify.Write|fsnotify.Create|fsnotify.Rename) || !concerns(e.Name, r.file.file) {
				continue
			}
			still.Reset(debounce)
		case err := <-errs:
			r.logger.Warn("watching the configuration file", zap.Error(err))
		}
	}
}

// concerns reports whether a change of name may be one of file: its own, or that of the link by which a Kubernetes volume is replaced.
func concerns(name, file string) bool {
	base := filepath.Base(name)
	return base == filepath.Base(file) || base == "..data"
}

// watchFile watches the directory of a file; without a file, or where that cannot be, nothing ever comes. Signals still work then, and a file is looked at
// ([pollEvery]).
func watchFile(file string, logger *zap.Logger) (<-chan fsnotify.Event, <-chan error, func()) {
	if file == "" {
		return nil, nil, func() {}
	}
	w, err := fsnotify.NewWatcher()
	if err == nil {
		if err = w.Add(filepath.Dir(file)); err == nil {
			return w.Events, w.Errors, func() { _ = w.Close() }
		}
		_ = w.Close()
	}
	logger.Warn("the configuration file cannot be watched; it is looked at once a second all the same", zap.Error(err))
	return nil, nil, func() {}
}
