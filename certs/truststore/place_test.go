package truststore_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/certs/truststore"
)

// TestNSS_everyProfileOnce finds the databases of packages of the distribution, of Snap and of Flatpak, and those that profiles.ini names.
func TestNSS_everyProfileOnce(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", false,
		"/home/.thunderbird/a.default/cert9.db", "/home/.thunderbird/never-started/", "/home/snap/thunderbird/common/.thunderbird/b/cert9.db",
		"/home/.var/app/org.mozilla.Thunderbird/.thunderbird/c/cert9.db", "/home/.mozilla/firefox/d/cert9.db", "/home/.config/mozilla/firefox/e/cert9.db",
		"/home/.var/app/org.chromium.Chromium/.pki/nssdb/cert9.db", "/home/.pki/nssdb/cert9.db", "/elsewhere/f/cert9.db", "/home/documents/cert9.db")
	c.write(t, "/home/.thunderbird/profiles.ini", "[Profile0]\nIsRelative=1\nPath=a.default\n[Profile1]\r\nIsRelative=0\r\nPath="+filepath.Join(c.root, "elsewhere/f")+"\r\n")
	var got []string
	for _, r := range c.stores.Verify(t.Context(), truststore.NSS) {
		got = append(got, r.Program+" "+c.told(r.Path))
		if r.Status != truststore.Absent {
			t.Errorf("got %+v", r)
		}
	}
	slices.Sort(got)
	want := []string{
		"Chromium, Evolution /home/.pki/nssdb",
		"Chromium, Evolution /home/.var/app/org.chromium.Chromium/.pki/nssdb",
		"Firefox /home/.config/mozilla/firefox/e",
		"Firefox /home/.mozilla/firefox/d",
		"Thunderbird /elsewhere/f",
		"Thunderbird /home/.thunderbird/a.default",
		"Thunderbird /home/.var/app/org.mozilla.Thunderbird/.thunderbird/c",
		"Thunderbird /home/snap/thunderbird/common/.thunderbird/b",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestNSS_configuration: Firefox 147 and later keep profiles in the user's directory for configuration, wherever that is.
func TestNSS_configuration(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", false, "/configuration/mozilla/firefox/a/cert9.db", "/home/.config/mozilla/firefox/b/cert9.db")
	for home, want := range map[string]int{c.stores.Home: 2, "/elsewhere": 1} {
		env := map[string]string{"HOME": home, "XDG_CONFIG_HOME": filepath.Join(c.root, "configuration")}
		c.stores.Getenv = func(key string) string { return env[key] }
		if r := c.stores.Verify(t.Context(), truststore.NSS); len(r) != want {
			t.Errorf("of the user at %s: got %+v", home, r)
		}
	}
}

// TestNSS_recordedCommands: nothing asks, and what a program has imported under a name of its own is found.
func TestNSS_recordedCommands(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", false, "/home/.pki/nssdb/cert9.db")
	const db = "/home/.pki/nssdb/cert9.db"
	nickname, trust, stuck, shown := "", "C,,", false, c.pem
	c.answer = func(command truststore.Command) ([]byte, error) {
		switch {
		case command.Args[0] == "-A":
			nickname = c.stores.Name()
			c.write(t, db, "changed")
		case command.Args[0] == "-D" && !stuck:
			nickname = ""
		case slices.Contains(command.Args, "-a"):
			return shown, nil
		case nickname != "":
			return []byte("\nCertificate Nickname      Trust Attributes\n                SSL,S/MIME,JAR/XPI\n\nother name    CT,,\n" + nickname + "     " + trust + "\n"), nil
		}
		return nil, nil
	}
	r := only(t, c.stores.Install(t.Context(), truststore.NSS))
	if r.Status != truststore.Installed {
		t.Fatalf("got %+v", r)
	}
	want := []string{
		"certutil -L -d sql:/home/.pki/nssdb",
		"certutil -A -d sql:/home/.pki/nssdb -n NAME -t C,, -i /copy.pem -f /dev/null",
		"certutil -L -d sql:/home/.pki/nssdb",
		"certutil -L -d sql:/home/.pki/nssdb -n NAME -a",
	}
	if diff := cmp.Diff(want, c.ran); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	nickname, trust = "test root 7 - tests", ",,"
	if r := only(t, c.stores.Verify(t.Context(), truststore.NSS)); r.Status != truststore.Absent || !strings.Contains(r.Verified, `there as "test root 7 - tests", but not trusted`) {
		t.Errorf("got %+v", r)
	}
	trust = "CT,C,"
	if r := only(t, c.stores.Verify(t.Context(), truststore.NSS)); r.Status != truststore.Present {
		t.Errorf("got %+v", r)
	}
	c.write(t, "/home/.pki/nssdb/cert9.db", "changed again")
	c.ran = nil
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.NSS)); r.Status != truststore.Removed || r.Exact {
		t.Errorf("got %+v", r)
	}
	if !slices.Contains(c.ran, "certutil -D -d sql:/home/.pki/nssdb -n 'test root 7 - tests' -f /dev/null") {
		t.Errorf("ran %q", c.ran)
	}

	nickname, shown = c.stores.Name(), encoded(selfSigned(t))
	if r := only(t, c.stores.Verify(t.Context(), truststore.NSS)); r.Status != truststore.Absent || !strings.Contains(r.Verified, "another certificate has the name") {
		t.Errorf("got %+v", r)
	}
	shown, stuck = c.pem, true
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.NSS)); r.Status != truststore.Failed || !strings.Contains(r.Note, "it was taken out, but is still there") {
		t.Errorf("got %+v", r)
	}
	nickname, stuck = "", false

	// Where a program has the database open, its bytes are not put back under it, and the certificate alone is taken out.
	for why, open := range map[string]func() *os.File{
		"says that a change is under way": func() *os.File { return c.open(t, db+"-wal") },
		"open":                            func() *os.File { return c.open(t, db) },
	} {
		c.write(t, db, "before")
		if r := only(t, c.stores.Install(t.Context(), truststore.NSS)); r.Status != truststore.Installed {
			t.Errorf("got %+v", r)
		}
		f := open()
		if r := only(t, c.stores.Uninstall(t.Context(), truststore.NSS)); r.Status != truststore.Removed || r.Exact ||
			!strings.Contains(r.Note, "only the certificate was taken out: ") || !strings.Contains(r.Note, why) {
			t.Errorf("%s: got %+v", why, r)
		}
		c.write(t, db, "before")
		trust = ",," // so that it does not succeed
		if r := only(t, c.stores.Install(t.Context(), truststore.NSS)); r.Status != truststore.Failed || c.read(t, db) != "changed" || nickname != "" {
			t.Errorf("%s: got %+v, %q", why, r, c.read(t, db))
		}
		trust = "C,,"
		if err := errors.Join(f.Close(), os.RemoveAll(filepath.Join(c.root, db+"-wal"))); err != nil {
			t.Fatal(err)
		}
	}
	c.write(t, db, "before")
	c.stores.Install(t.Context(), truststore.NSS)
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.NSS)); r.Status != truststore.Removed || r.Exact != (runtime.GOOS == "linux") {
		t.Errorf("nobody has it open: got %+v", r)
	}
}

// open opens a file, which is made if need be.
func (c *computer) open(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(c.root, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestNSS_onlyInTheJournal: a profile that nothing names any more is found where the root was put there, and only where all are looked for.
func TestNSS_onlyInTheJournal(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", false, "/elsewhere/f/cert9.db", "/home/.thunderbird/profiles.ini")
	c.write(t, "/home/.thunderbird/profiles.ini", "Path="+filepath.Join(c.root, "elsewhere/f"))
	there := false
	c.answer = func(command truststore.Command) ([]byte, error) {
		switch there = there || command.Args[0] == "-A"; {
		case slices.Contains(command.Args, "-a"):
			return c.pem, nil
		case there:
			return []byte(c.stores.Name() + "  C,,\n"), nil
		}
		return nil, nil
	}
	if r := only(t, c.stores.Install(t.Context(), truststore.NSS)); r.Status != truststore.Installed {
		t.Fatalf("got %+v", r)
	}
	c.write(t, "/home/.thunderbird/profiles.ini", "")
	if r := only(t, c.stores.Verify(t.Context(), truststore.NSS)); r.Status != truststore.Present || r.Store != truststore.NSS || c.told(r.Path) != "/elsewhere/f" {
		t.Errorf("got %+v", r)
	}
	// What cannot be taken out stays in the journal, also when another store is worked on.
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.NSS)); r.Status != truststore.Failed {
		t.Errorf("it cannot be taken out: got %+v", r)
	}
	if got := c.stores.Uninstall(t.Context(), truststore.Policies); len(got) != 0 {
		t.Errorf("policies: got %+v", got)
	}
	if r := only(t, c.stores.Verify(t.Context(), truststore.NSS)); !r.Recorded {
		t.Errorf("got %+v", r)
	}
	c.stores.Places = map[string][]string{truststore.NSS: {filepath.Join(c.root, "home")}}
	if r := only(t, c.stores.Verify(t.Context(), truststore.NSS)); r.Status != truststore.Skipped || c.told(r.Path) != "/home" {
		t.Errorf("another one is named: got %+v", r)
	}
}

// TestPolicies_theFileThatIsRead: a new file in /etc would switch off the one in the program's directory.
func TestPolicies_theFileThatIsRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files []string
		want  string
	}{
		"none":                  {[]string{"/usr/lib/thunderbird/"}, "/etc/thunderbird/policies/policies.json"},
		"the program's":         {[]string{"/usr/lib/thunderbird/distribution/policies.json"}, "/usr/lib/thunderbird/distribution/policies.json"},
		"the administrator's":   {[]string{"/usr/lib/thunderbird/distribution/policies.json", "/etc/thunderbird/policies/policies.json"}, "/etc/thunderbird/policies/policies.json"},
		"a Snap, configuration": {[]string{"/snap/thunderbird/current/", "/etc/thunderbird/"}, "/etc/thunderbird/policies/policies.json"},
		"Firefox ESR, none":     {[]string{"/usr/lib/firefox-esr/", "/etc/firefox-esr/firefox-esr.js"}, "/etc/firefox/policies/policies.json"},
		"Firefox ESR's":         {[]string{"/usr/lib/firefox/", "/usr/lib/firefox-esr/distribution/policies.json"}, "/usr/lib/firefox-esr/distribution/policies.json"},
	} {
		computer := newComputer(t, "linux", true, c.files...)
		r := only(t, computer.stores.PlanUninstall(t.Context(), truststore.Policies))
		if got := computer.told(r.Path); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	if got := newComputer(t, "linux", true).stores.Verify(t.Context(), truststore.Policies); len(got) != 0 {
		t.Errorf("without any program: got %+v", got)
	}
}

// TestNew_refuses what would be installed by mistake.
func TestNew_refuses(t *testing.T) {
	t.Parallel()
	leaf := *selfSigned(t)
	leaf.IsCA = false
	for name, c := range map[string]truststore.Config{
		"nothing":         {},
		"no authority":    {Root: &leaf, RootFile: "/r", Journal: "/j", Home: "/h"},
		"a relative path": {Root: selfSigned(t), RootFile: "r", Journal: "/j", Home: "/h"},
	} {
		if _, err := truststore.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
