package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
	"autodiscover-guard/cmd/autodiscover-guard/internal/notify"
	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

// logs are both logs of a running guard, and the notifier that looks at them.
type logs struct {
	records  *record.Log
	notifier *notify.Notifier // nil where nobody is told
	// recent has the latest records for the page of the admin listener; nil without one.
	recent *console.Ring
	// where says where decision records go.
	where string
	// decisions gets decision records, life everything else.
	decisions, life *zap.Logger
}

// alarms are the messages that somebody is told of, and as what.
var alarms = map[string]notify.Type{
	messageNotReloaded: notify.Reload,
	messageAuthority:   notify.Authority,
}

// messageNotReloaded is a message to alert on.
const messageNotReloaded = "the configuration was not reloaded; the policy in force stays"

// logOpener has what logs are opened with, besides the configuration.
type logOpener struct {
	stdout, stderr io.Writer
	state          string        // the state directory
	secret         notify.Secret // signs notifications
	figures        *metrics.Set
	life           *zap.Logger // where everything but decision records goes already
}

// open opens what the configuration asks for.
func (o *logOpener) open(c *config.Config) (*logs, error) {
	where, err := whereDecisions(c)
	if err != nil {
		return nil, err
	}
	l := &logs{where: where, life: o.life}
	var shown func(record.Record)
	if c.Listen.Admin != "" {
		l.recent = console.NewRing()
		shown = l.recent.Show
	}
	if l.records, err = o.openDecisions(c, shown); err != nil {
		return nil, err
	}
	l.decisions = zap.New(console.Counted(l.records.Core(), o.figures))
	if c.Notify.URL == "" {
		return l, nil
	}
	l.notifier, err = notify.New(notify.Config{
		URL: c.Notify.URL, Secret: o.secret, Quiet: c.Notify.Quiet, Strangers: filepath.Join(o.state, "strangers.json"),
		Agent: program + "/" + version(), Logger: o.life.Named("notify"), Outcome: console.Notifications(o.figures),
	})
	if err != nil {
		l.close()
		return nil, fmt.Errorf("notify: %w", err)
	}
	l.decisions = l.decisions.WithOptions(also(l.notifier.Decisions()))
	l.life = l.life.WithOptions(also(l.notifier.Life(alarms)))
	return l, nil
}

// also has another core look at what is logged.
func also(other zapcore.Core) zap.Option {
	return zap.WrapCore(func(core zapcore.Core) zapcore.Core { return zapcore.NewTee(core, other) })
}

// drainNotifications delivers the notifications that wait, as long as ctx allows.
func (l *logs) drainNotifications(ctx context.Context) {
	if l.notifier != nil {
		l.notifier.Close(ctx)
	}
}

// close writes what is held and ends both. What was not delivered by then is not.
func (l *logs) close() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	l.drainNotifications(ended)
	if err := l.records.Close(); err != nil {
		l.life.Warn("closing the log of decisions", zap.Error(err))
	}
}

// readHookSecret reads the key that notifications are signed with, where any are sent.
func readHookSecret(c *config.Config) (notify.Secret, error) {
	if c.Notify.URL == "" {
		return notify.Secret{}, nil
	}
	from, text := "environment variable "+config.NotifySecretVariable, []byte(os.Getenv(config.NotifySecretVariable))
	if file := c.Notify.SecretFile; file != "" {
		read, err := readPrivate("notify.secret_file", file)
		if err != nil {
			return notify.Secret{}, err
		}
		from, text = "notify.secret_file: "+file, read
	} else if len(text) == 0 {
		return notify.Secret{}, hint(fmt.Errorf("notify: no key to sign with: notify.secret_file is empty, and %s is not set", config.NotifySecretVariable),
			"openssl rand -hex 32 makes one; give it to the receiver, too")
	}
	secret, err := notify.ParseSecret(text)
	if err != nil {
		return notify.Secret{}, fmt.Errorf("%s: %w", from, err)
	}
	return secret, nil
}
