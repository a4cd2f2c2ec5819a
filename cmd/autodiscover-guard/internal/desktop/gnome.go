package desktop

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// GNOME keeps the system's proxy in dconf (schema org.gnome.system.proxy, gsettings-desktop-schemas). GIO, and with it GNOME's programs,
// Evolution and Geary among them, reads it there (see ignoredBy), and so do Firefox and Thunderbird under their default "use system proxy settings",
// on whatever desktop they run.
const (
	gnomeSchema = "org.gnome.system.proxy"
	gnomePath   = "/system/proxy/"
	gnomeMode   = "mode"
	gnomePAC    = "autoconfig-url"
)

// gnomeDefaults are the schema's own, in GVariant text.
var gnomeDefaults = map[string]string{gnomeMode: "'none'", gnomePAC: "''"}

type gnome struct {
	system System
	disk   disk
}

func (gnome) id() ID { return ID{"gnome", kindGnome, gnomeSchema} }

func (g gnome) absent(ctx context.Context) string {
	if !g.system.Run.Has("gsettings") {
		return "gsettings is not installed"
	}
	if _, err := g.system.Run.Run(ctx, "gsettings", "list-keys", gnomeSchema); err != nil {
		return "the schema " + gnomeSchema + " is not installed"
	}
	if g.system.Getenv("DBUS_SESSION_BUS_ADDRESS") == "" && !exists(filepath.Join(g.system.Getenv("XDG_RUNTIME_DIR"), "bus")) {
		return "no session bus: run it as the user of the desktop" // gsettings would report success, and write nothing
	}
	return ""
}

func (gnome) wanted(t Target) Values {
	return Values{gnomeMode: set("'auto'"), gnomePAC: set("'" + t.PAC + "'")}
}

func (gnome) displaced(before Values) string {
	if mode := before[gnomeMode]; mode.Set && mode.Text != gnomeDefaults[gnomeMode] {
		return "proxy mode " + mode.String()
	}
	return ""
}

func (g gnome) read(ctx context.Context) (Snapshot, error) {
	if why := g.elsewhere(ctx); why != "" {
		return Snapshot{}, errors.New(why)
	}
	s := Snapshot{Values: Values{}, Unset: Values{}}
	for _, key := range []string{gnomeMode, gnomePAC} {
		var err error
		if s.Values[key], s.Unset[key], err = g.readKey(ctx, key); err != nil {
			return Snapshot{}, err
		}
	}
	return s, nil
}

// readKey asks dconf, which alone tells a key that is not set from one that is set to its default, and what the computer's administrator has given to all who set
// nothing (dconf(7), "system-db"). A key that holds just that counts as not set, for nobody says which it is. Without dconf's own program, or with another backend,
// that goes for the schema's default.
func (g gnome) readKey(ctx context.Context, key string) (v, unset Value, err error) {
	if g.usesDconf() && g.system.Run.Has("dconf") {
		out, err := g.system.Run.Run(ctx, "dconf", "read", gnomePath+key)
		if text := strings.TrimSpace(out); text != "" {
			v = set(text)
		}
		given, oldProgram := g.system.Run.Run(ctx, "dconf", "read", "-d", gnomePath+key)
		if text := strings.TrimSpace(given); oldProgram == nil && text != "" {
			unset = set(text)
		}
		if v == unset {
			v = Value{}
		}
		return v, unset, err
	}
	out, err := g.system.Run.Run(ctx, "gsettings", "get", gnomeSchema, key)
	if text := strings.TrimSpace(out); err == nil && text != gnomeDefaults[key] {
		v = set(text)
	}
	return v, unset, err
}

// usesDconf reports whether gsettings keeps settings in dconf, as it does unless it is told otherwise.
func (g gnome) usesDconf() bool {
	backend := g.system.Getenv("GSETTINGS_BACKEND")
	return backend == "" || backend == "dconf"
}

// plan sets no key to what it holds without that: nobody could tell that it did.
func (gnome) plan(_ context.Context, now Snapshot, values Values) (Snapshot, error) {
	then := overlay(now, values)
	for key, v := range then.Values {
		if v == now.Unset[key] {
			then.Values[key] = Value{}
		}
	}
	return then, nil
}

// ignoredBy knows by which desktops GIO's own reader of this setting is used (glib-networking 2.74, gproxyresolvergnome.c): on others GIO asks libproxy, which
// reads it on MATE, and before version 0.5 evaluates a PAC by a plugin that need not be there. The latter goes for GNOME, too, where glib-pacrunner does it, and
// can be asked. What nobody evaluates goes direct, and no program says so.
func (g gnome) ignoredBy(ctx context.Context, pac string) string {
	desktops := strings.Split(g.system.Getenv("XDG_CURRENT_DESKTOP"), ":")
	switch {
	case desktops[0] != "" && !slices.Contains(desktops, "GNOME") && !slices.Contains(desktops, "MATE"):
		return gioDirect + "this setting is not read for them on " + desktops[0] + " (setup on --env sends them to the guard)"
	case !g.system.Run.Has("gdbus"):
		return ""
	}
	out, err := g.system.Run.Run(ctx, "gdbus", "call", "--session", "--dest", "org.gtk.GLib.PACRunner", "--object-path", "/org/gtk/GLib/PACRunner",
		"--method", "org.gtk.GLib.PACRunner.Lookup", pac, alwaysInPAC)
	if err != nil || strings.TrimSpace(out) != "(['direct://'],)" {
		return ""
	}
	return gioDirect + "libproxy makes nothing of the PAC (Debian 12 has libproxy1-plugin-webkit for that)"
}

const gioDirect = "Evolution, Geary and what else is built on GIO go direct: "

// write sets the address before the mode that uses it, and the other way round when the mode goes. Where one of them cannot be set, neither is.
func (g gnome) write(ctx context.Context, now, then Snapshot) error {
	for _, c := range difference(now.Values, then.Values) {
		if out, err := g.system.Run.Run(ctx, "gsettings", "writable", gnomeSchema, c.Key); err == nil && strings.TrimSpace(out) == "false" {
			return fmt.Errorf("the computer's administrator has locked %s %s", gnomeSchema, c.Key)
		}
	}
	order := []string{gnomePAC, gnomeMode}
	if then.inForce()[gnomeMode].Text != "'auto'" {
		order = []string{gnomeMode, gnomePAC}
	}
	for _, key := range order {
		v := then.Values[key]
		if v == now.Values[key] {
			continue
		}
		args := []string{"reset", gnomeSchema, key}
		if v.Set {
			args = []string{"set", gnomeSchema, key, v.Text}
		}
		g.disk.step("gsettings " + args[0] + " " + key)
		if _, err := g.system.Run.Run(ctx, "gsettings", args...); err != nil {
			return fmt.Errorf("setting %s %s: %w", gnomeSchema, key, err)
		}
	}
	return nil
}
