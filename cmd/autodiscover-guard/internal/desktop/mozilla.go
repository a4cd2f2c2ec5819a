package desktop

import (
	"context"
	"path/filepath"
	"slices"
)

// Firefox and Thunderbird are told in one of two ways.
//
// The policy file covers every user and every profile, is read anew at each start, and leaves nothing behind in a profile. It needs the
// right to write below /etc or beside the program. The policy is not locked, so a proxy that a user has set in a profile goes before it.
//
// The user.js of each profile needs no right, and goes before what is set in the profile. It is used where the policy file cannot be
// written, in profiles that have a proxy of their own, and for packages that do not read the computer's /etc. Its price: the program copies
// it into prefs.js, from where it can be taken back only while the program is closed.

// application is one of the two programs.
type application struct {
	name string
	// system is the directory of policies for all installations; empty where the system has none.
	system string
	// installs are directories in which it may be installed. They hold a file distribution/policies.json, which is read only where
	// the one of system does not exist (toolkit/components/enterprisepolicies/EnterprisePoliciesParent.sys.mjs).
	installs []string
	profiles []profileRoot
}

// profileRoot holds a profiles.ini.
type profileRoot struct {
	dir string // below the home directory; what is below .config there may be below XDG_CONFIG_HOME
	// sandboxed is a package that does not read the computer's policies.
	sandboxed bool
}

func applications(os string) []application {
	switch os {
	case "darwin":
		return []application{
			{"thunderbird", "", []string{"/Applications/Thunderbird.app/Contents/Resources"}, []profileRoot{{"Library/Thunderbird", false}}},
			{"firefox", "", []string{"/Applications/Firefox.app/Contents/Resources"}, []profileRoot{{"Library/Application Support/Firefox", false}}},
		}
	case "windows":
		return []application{
			{"thunderbird", "", []string{"C:/Program Files/Mozilla Thunderbird", "C:/Program Files (x86)/Mozilla Thunderbird"}, []profileRoot{{"AppData/Roaming/Thunderbird", false}}},
			{"firefox", "", []string{"C:/Program Files/Mozilla Firefox", "C:/Program Files (x86)/Mozilla Firefox"}, []profileRoot{{"AppData/Roaming/Mozilla/Firefox", false}}},
		}
	}
	return []application{
		{"thunderbird", "/etc/thunderbird/policies", []string{"/usr/lib/thunderbird", "/usr/lib64/thunderbird", "/opt/thunderbird"}, []profileRoot{
			{".thunderbird", false},
			{"snap/thunderbird/common/.thunderbird", true},
			{".var/app/org.mozilla.Thunderbird/.thunderbird", true},
			{".var/app/net.thunderbird.Thunderbird/.thunderbird", true},
		}},
		{"firefox", "/etc/firefox/policies", []string{"/usr/lib/firefox", "/usr/lib/firefox-esr", "/usr/lib64/firefox", "/opt/firefox"}, []profileRoot{
			{".mozilla/firefox", false},
			{".config/mozilla/firefox", false},
			{"snap/firefox/common/.mozilla/firefox", true},
			{"snap/firefox/common/.config/mozilla/firefox", true},
			{".var/app/org.mozilla.firefox/.mozilla/firefox", true},
			{".var/app/org.mozilla.firefox/config/mozilla/firefox", true},
		}},
	}
}

// mozilla are the places of one of the two programs: its policy file, and the profiles that the file does not reach.
func (d *Desktop) mozilla(ctx context.Context, a application) []place {
	policy := d.policyFile(a)
	places := []place{policy}
	for _, p := range d.profiles(a) {
		if p.sandboxed || policy.missing != "" || d.hasOwnProxy(ctx, p.dir) {
			written, copied := d.userJS(a.name, p.dir), d.prefsJS(a.name, p.dir)
			if !p.sandboxed && policy.missing != "" { // or else it is about to be changed
				written.lockedBy, copied.lockedBy = policy.lockedFor, policy.lockedFor
			}
			places = append(places, written, copied)
		}
	}
	if len(places) > 1 && policy.missing != "" {
		return places[1:] // the profiles stand in for it
	}
	return places
}

// policyFile is the file that is in force: one that does not exist is not put before one that does, for it would hide that one's policies.
func (d *Desktop) policyFile(a application) file {
	s := d.config.System
	var names []string
	if a.system != "" && (exists(s.system(a.system)) || slices.ContainsFunc(a.installs, func(dir string) bool { return exists(s.system(dir)) })) {
		names = append(names, filepath.Join(s.system(a.system), "policies.json"))
	}
	for _, dir := range a.installs {
		if exists(s.system(dir)) {
			names = append(names, filepath.Join(s.system(dir), "distribution", "policies.json"))
		}
	}
	if len(names) == 0 {
		f := d.policiesAt(a.name, "")
		f.missing = a.name + " is not installed"
		return f
	}
	name := names[0]
	if i := slices.IndexFunc(names, func(name string) bool { return exists(name) }); i >= 0 {
		name = names[i]
	}
	f := d.policiesAt(a.name, name)
	if !s.MayWrite(name) {
		f.missing = "no right to write " + name + ", and no profile in its stead"
	}
	return f
}

// hiddenBy is the policy file that is read in the place of one beside the program; empty where that one is read.
func (d *Desktop) hiddenBy(id ID) string {
	s := d.config.System
	for _, a := range applications(s.OS) {
		if a.name != id.Name || id.Kind != kindPolicies || a.system == "" {
			continue
		}
		if first := filepath.Join(s.system(a.system), "policies.json"); first != id.Where && exists(first) {
			return first
		}
	}
	return ""
}

func (d *Desktop) policiesAt(name, path string) file {
	return file{
		where: ID{name, kindPolicies, path}, codec: policies{}, disk: d.disk, mode: 0o644, dirMode: 0o755, // for every user of the computer
		want: wantedPolicy, other: otherPolicy,
	}
}

func (d *Desktop) userJS(name, path string) file {
	return file{
		where: ID{name, kindUserJS, filepath.Join(path, "user.js")}, codec: prefs{}, disk: d.disk, mode: 0o600, dirMode: 0o700,
		want: wantedPrefs, other: otherPrefs,
	}
}

// prefsJS is the copy that the program makes. It is known to be stale while the program runs, which writes it when it ends.
func (d *Desktop) prefsJS(name, path string) file {
	return file{
		where: ID{name, kindPrefsJS, filepath.Join(path, "prefs.js")}, codec: prefs{}, disk: d.disk, mode: 0o600, dirMode: 0o700,
		want: wantedPrefs, other: otherPrefs,
		inUse: func() string {
			if d.config.System.InUse(path) {
				return name + " is running and would write its settings back when it ends"
			}
			return ""
		},
	}
}

func (d *Desktop) hasOwnProxy(ctx context.Context, profile string) bool {
	for _, name := range []string{"prefs.js", "user.js"} {
		s, err := file{where: ID{Where: filepath.Join(profile, name)}, codec: prefs{}}.read(ctx)
		if err == nil && s.Values[prefType].Set {
			return true
		}
	}
	return false
}
