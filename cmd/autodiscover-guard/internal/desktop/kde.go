package desktop

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// KDE's programs, KMail among them, read the proxy from kioslaverc (KIO, kprotocolmanager.cpp; the name is the same in KDE Frameworks 5
// and 6). ProxyType 2 is an address of a PAC. The file is changed by KDE's own kwriteconfig, but on a copy: so what it will hold is
// known before anything changes, and it is put in place in one step.
const (
	kdeGroup = "Proxy Settings"
	kdeType  = "ProxyType"
	kdePAC   = "Proxy Config Script"
	// kdeUnset is what kreadconfig is asked to say of a key that is not there.
	kdeUnset = "\x1anot set\x1a"
)

func (d *Desktop) kde() place {
	s := d.config.System
	c := kioslaverc{run: s.Run}
	missing := ""
	switch {
	case s.Run.Has("kwriteconfig6") && s.Run.Has("kreadconfig6"):
		c.version = "6"
	case s.Run.Has("kwriteconfig5") && s.Run.Has("kreadconfig5"):
		c.version = "5"
	default:
		missing = "neither kwriteconfig6 nor kwriteconfig5 is installed"
	}
	return file{
		where: ID{"kde", kindKDE, filepath.Join(s.configHome(), "kioslaverc")}, missing: missing, codec: c, disk: d.disk, mode: 0o600, dirMode: 0o700,
		want: func(t Target) Values { return Values{kdeType: set("2"), kdePAC: set(t.PAC)} },
		other: func(before Values) string {
			if v := before[kdeType]; v.Set && v.Text != "0" {
				return "ProxyType " + v.Text
			}
			return ""
		},
		written: c.announce, lockedBy: c.locked,
	}
}

// locked says which key an administrator has locked for everybody (KDE's "kiosk" mode, [$i]): it goes before the user's, whatever stands there. KDE's own reader is asked, with a copy in
// the place of the user's file.
func (k kioslaverc) locked(ctx context.Context, then Snapshot) string {
	if !k.run.Has("env") {
		return ""
	}
	locked := ""
	_, err := k.copied(then.File.Data, func(name string) error {
		for _, key := range then.Values.keys() {
			out, err := k.run.Run(ctx, "env", "XDG_CONFIG_HOME="+filepath.Dir(name), "kreadconfig"+k.version, "--file", filepath.Base(name), "--group", kdeGroup, "--key", key, "--default", kdeUnset)
			if err != nil {
				return err
			}
			if v := then.Values[key]; v.Set && strings.TrimSuffix(out, "\n") != v.Text {
				locked = key
			}
		}
		return nil
	})
	if err != nil || locked == "" {
		return ""
	}
	return "the computer's administrator has locked " + locked
}

// kioslaverc reads and writes copies of the file.
type kioslaverc struct {
	run     Runner
	version string // of KDE's tools
}

// copied calls back with a copy of the data in a file, and returns what that file holds afterwards. It is not in the state directory: whoever only looks makes none, and
// takes no lock that would keep others who look off.
func (k kioslaverc) copied(data []byte, use func(name string) error) (result []byte, err error) {
	scratch, err := os.MkdirTemp("", "autodiscover-guard-kde-") // mode 0700
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	name := filepath.Join(scratch, "kioslaverc")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		return nil, err
	}
	if err := use(name); err != nil {
		return nil, err
	}
	return os.ReadFile(name)
}

func (k kioslaverc) read(ctx context.Context, data []byte) (Values, error) {
	values := Values{kdeType: {}, kdePAC: {}}
	if len(data) == 0 {
		return values, nil
	}
	_, err := k.copied(data, func(name string) error {
		for key := range values {
			out, err := k.run.Run(ctx, "kreadconfig"+k.version, "--file", name, "--group", kdeGroup, "--key", key, "--default", kdeUnset)
			if err != nil {
				return err
			}
			if text := strings.TrimSuffix(out, "\n"); text != kdeUnset {
				values[key] = set(text)
			}
		}
		return nil
	})
	return values, err
}

func (k kioslaverc) edit(ctx context.Context, data []byte, values Values) ([]byte, error) {
	return k.copied(data, func(name string) error {
		for _, key := range values.keys() {
			args := []string{"--file", name, "--group", kdeGroup, "--key", key}
			if v := values[key]; v.Set {
				args = append(args, "--", v.Text)
			} else {
				args = append(args, "--delete", "")
			}
			if _, err := k.run.Run(ctx, "kwriteconfig"+k.version, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

func (kioslaverc) vacant(data []byte) bool { return len(strings.TrimSpace(string(data))) == 0 }

// announce tells programs that run. Where nobody listens, they read the file when they start.
func (k kioslaverc) announce(ctx context.Context) {
	if k.run.Has("dbus-send") {
		_, _ = k.run.Run(ctx, "dbus-send", "--type=signal", "/KIO/Scheduler", "org.kde.KIO.Scheduler.reparseSlaveConfiguration", "string:")
	}
}
