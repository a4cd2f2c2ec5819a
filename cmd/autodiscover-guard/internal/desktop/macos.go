package desktop

import (
	"context"
	"fmt"
	"strings"
)

// macOS keeps the proxy per network service; networksetup(8) reads and sets it. The system's programs, and Firefox and Thunderbird under their
// default, follow it.
const (
	macURL   = "url"
	macState = "state"
)

// macServices are the network services that are switched on.
func (d *Desktop) macServices(ctx context.Context) []place {
	none := macService{d.config.System.Run, d.disk, "", "networksetup is not there, or lists no network service"}
	out, err := d.config.System.Run.Run(ctx, "networksetup", "-listallnetworkservices")
	if err != nil {
		return []place{none}
	}
	var all []place
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, name := range lines[1:] { // the first one explains the asterisk of those that are switched off
		if name = strings.TrimSpace(name); name != "" && !strings.HasPrefix(name, "*") {
			all = append(all, d.macService(name))
		}
	}
	if len(all) == 0 {
		return []place{none}
	}
	return all
}

func (d *Desktop) macService(name string) place {
	return macService{d.config.System.Run, d.disk, name, ""}
}

type macService struct {
	run     Runner
	disk    disk
	name    string
	missing string
}

func (m macService) id() ID { return ID{"macos", kindMacOS, m.name} }

func (m macService) absent(context.Context) string { return m.missing }

func (macService) wanted(t Target) Values { return Values{macURL: set(t.PAC), macState: set("on")} }

func (macService) displaced(before Values) string {
	if before[macState].Text == "on" {
		return "the PAC " + before[macURL].String()
	}
	return ""
}

// read understands "URL: (null)" and "Enabled: No". The state is always set; a URL may not be.
func (m macService) read(ctx context.Context) (Snapshot, error) {
	out, err := m.run.Run(ctx, "networksetup", "-getautoproxyurl", m.name)
	if err != nil {
		return Snapshot{}, err
	}
	s := Snapshot{Values: Values{macURL: {}}}
	for line := range strings.Lines(out) {
		key, text, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch text = strings.TrimSpace(text); {
		case key == "URL" && text != "" && text != "(null)":
			s.Values[macURL] = set(text)
		case key == "Enabled" && text == "Yes":
			s.Values[macState] = set("on")
		case key == "Enabled" && text == "No":
			s.Values[macState] = set("off")
		}
	}
	if !s.Values[macState].Set {
		return Snapshot{}, fmt.Errorf("networksetup -getautoproxyurl %q: no line Enabled in its answer", m.name)
	}
	return s, nil
}

func (macService) plan(_ context.Context, now Snapshot, values Values) (Snapshot, error) {
	return overlay(now, values), nil
}

// write sets the URL, which switches it on as well, and then the state.
func (m macService) write(ctx context.Context, now, then Snapshot) error {
	if then.Values[macURL] != now.Values[macURL] {
		m.disk.step("networksetup -setautoproxyurl " + m.name)
		if _, err := m.run.Run(ctx, "networksetup", "-setautoproxyurl", m.name, then.Values[macURL].Text); err != nil {
			return err
		}
	}
	m.disk.step("networksetup -setautoproxystate " + m.name)
	_, err := m.run.Run(ctx, "networksetup", "-setautoproxystate", m.name, then.Values[macState].Text)
	return err
}
