package desktop

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
)

// Config says where the journal is and whose settings are meant.
type Config struct {
	// State is the directory of the journal. It is made, private to its owner, when there is something to write.
	State  string
	System System
	// Lock keeps other processes off while places change, or while they are only looked at, and returns what ends that. Nil is no lock.
	Lock func(changes bool) (unlock func(), err error)
}

// Desktop changes settings. Its methods must not run at the same time in one process; other processes are kept off by Config.Lock.
type Desktop struct {
	config Config
	disk   disk
}

// New makes a Desktop. It touches nothing.
func New(c Config) *Desktop {
	return &Desktop{config: c, disk: disk{step: func(string) {}}}
}

// Options say how far a method goes.
type Options struct {
	// Only has the names of the families to put in place; empty is all but the environment.
	Only []string
	// Environment puts the environment in place as well.
	Environment bool
	// Session has the settings go when the guard that put them in place ends, or at its next start after a crash. Settings that were put
	// in place to stay do stay.
	Session bool
	// Force restores what somebody else has changed meanwhile, too.
	Force bool
	// DryRun changes nothing, and tells what would be.
	DryRun bool
}

// open takes the lock and reads the journal.
func (d *Desktop) open(changes bool) (*journal, func(), error) {
	unlock := func() {}
	if d.config.Lock != nil {
		var err error
		if unlock, err = d.config.Lock(changes); err != nil {
			return nil, nil, err
		}
	}
	j, err := loadJournal(d.config.State)
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return j, unlock, nil
}

// Names are the families of places of this system, in their order.
func (d *Desktop) Names() []string {
	switch d.config.System.OS {
	case "darwin":
		return []string{"macos", "thunderbird", "firefox"}
	case "windows":
		return []string{"wininet", "winhttp", "thunderbird", "firefox"}
	}
	return []string{"gnome", "kde", "thunderbird", "firefox", "environment"}
}

// CheckNames refuses a name that no family of this system has, with a [spelling.UnknownError].
func (d *Desktop) CheckNames(names []string) error {
	for _, name := range names {
		if err := spelling.Known("place", name, d.Names()...); err != nil {
			return err
		}
	}
	return nil
}

// places are those of these families, all of them where none is named.
func (d *Desktop) places(ctx context.Context, only []string, environment bool) []place {
	var all []place
	for _, name := range d.Names() {
		if name == "environment" && !environment && !slices.Contains(only, name) {
			continue
		}
		if len(only) > 0 && !slices.Contains(only, name) && name != "environment" {
			continue
		}
		all = append(all, d.family(ctx, name)...)
	}
	return all
}

func (d *Desktop) family(ctx context.Context, name string) []place {
	s := d.config.System
	switch name {
	case "gnome":
		return []place{gnome{s, d.disk}}
	case "kde":
		return []place{d.kde()}
	case "environment":
		return []place{d.environment()}
	case "macos":
		return d.macServices(ctx)
	case "wininet":
		return []place{wininet{s.Run, d.disk}}
	case "winhttp":
		return []place{winhttp{s.Run, d.disk, s.MayWrite("")}}
	}
	for _, a := range applications(s.OS) {
		if a.name == name {
			return d.mozilla(ctx, a)
		}
	}
	return nil
}

// placeOf finds the place of an entry, which may be one that would not be chosen today.
func (d *Desktop) placeOf(ctx context.Context, id ID) (place, error) {
	dir := strings.TrimSuffix(strings.TrimSuffix(id.Where, kindUserJS), kindPrefsJS)
	dir = strings.TrimRight(dir, `/\`)
	switch id.Kind {
	case kindPolicies:
		return d.policiesAt(id.Name, id.Where), nil
	case kindUserJS:
		return d.userJS(id.Name, dir), nil
	case kindPrefsJS:
		return d.prefsJS(id.Name, dir), nil
	case kindMacOS:
		return d.macService(id.Where), nil
	}
	for _, p := range d.family(ctx, id.Name) {
		if p.id() == id {
			return p, nil
		}
	}
	return nil, fmt.Errorf("the journal knows a place that this program does not: %s %s %q", id.Name, id.Kind, id.Where)
}
