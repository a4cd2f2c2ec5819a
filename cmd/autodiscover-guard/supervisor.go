package main

import (
	"context"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// supervisor is the service manager that has started us, spoken to as sd_notify(3) says. Where there is none (no NOTIFY_SOCKET) nothing is sent.
type supervisor struct{ logger *zap.Logger }

// notify sends assignments; they arrive together. That they do not arrive harms nobody but the manager's picture of us.
func (s supervisor) notify(assignments ...string) {
	if _, err := daemon.SdNotify(false, strings.Join(assignments, "\n")); err != nil {
		s.logger.Warn("telling the service manager", zap.Error(err))
	}
}

// longestStatus is how many bytes of a STATUS are sent. systemd passes over a message of more than 4096 without a word to us (manager.c: NOTIFY_BUFFER_MAX), the READY
// beside it included, and the service would be reloading for ever; what is wrong with a file can be told at any length.
const longestStatus = 1 << 10

// ready says that every door listens, or that a reload is over. A STATUS is one line.
func (s supervisor) ready(status string) {
	if len(status) > longestStatus {
		status = strings.ToValidUTF8(status[:longestStatus], "") + "…"
	}
	s.notify(daemon.SdNotifyReady, "STATUS="+strings.ReplaceAll(status, "\n", " "))
}

// reloading says that a reload begins; the time is what Type=notify-reload tells it from an older one by.
func (s supervisor) reloading() {
	s.notify(daemon.SdNotifyReloading, strings.TrimSuffix(daemon.SdNotifyMonotonicUsec(), "\n"))
}

// stopping says that the end has begun.
func (s supervisor) stopping(status string) {
	s.notify(daemon.SdNotifyStopping, "STATUS="+status)
}

// watch tells the manager four times in each interval of its watchdog (WatchdogSec=) that we serve, as long as check says so, until ctx ends. When the
// manager hears nothing for a whole one, it ends us (SIGABRT, upon which Go's runtime writes down what every goroutine does) and starts us again. A check may
// take what is left of the interval behind the wait for it: with a little of a processor and thousands of handshakes before it, it takes long and is no hang,
// and to be ended would cut off those who are served, who then all come back at once.
func (s supervisor) watch(ctx context.Context, check func(context.Context) error) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		s.logger.Warn("the service manager's watchdog is not served", zap.Error(err))
	}
	if interval <= 0 {
		return
	}
	tick := time.NewTicker(interval / 4)
	defer tick.Stop()
	for {
		s.pingWatchdog(ctx, interval/4*3, check)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s supervisor) pingWatchdog(ctx context.Context, limit time.Duration, check func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	switch err := check(ctx); {
	case err == nil:
		s.notify(daemon.SdNotifyWatchdog)
	case ctx.Err() == context.Canceled: // of our own making: the guard ends
	default:
		s.logger.Error("the self check failed; the watchdog is not told that all is well", zap.Error(err))
	}
}
