package truststore_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
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

// TestUninstall_policiesOfOthersHaveGone: the settings that were there first, such as the guard's own, are taken away before the root is. A file that says
// nothing then goes as well, unless that is what it said.
func TestUninstall_policiesOfOthersHaveGone(t *testing.T) {
	t.Parallel()
	const file = "/etc/thunderbird/policies/policies.json"
	for name, c := range map[string]struct{ before, meanwhile, after string }{
		"nothing is left":             {`{"policies": {"Proxy": {}}}`, `"Proxy": {}, `, ""},
		"others are left":             {`{"policies": {"Proxy": {}, "a": 1}}`, `"Proxy": {}, `, `{"policies": {"a": 1}}`},
		"what is beside them is left": {`{"policies": {"Proxy": {}}, "_": 1}`, `"Proxy": {}, `, `{"policies": {}, "_": 1}`},
		"there was nothing in it":     {"{\"policies\": {}}\n\n", "\n", "{\"policies\": {}}\n"},
	} {
		computer := newComputer(t, "linux", true, file)
		computer.write(t, file, c.before)
		if r := only(t, computer.stores.Install(t.Context(), truststore.Policies)); r.Status != truststore.Installed {
			t.Fatalf("%s: got %+v", name, r)
		}
		computer.write(t, file, strings.Replace(computer.read(t, file), c.meanwhile, "", 1))
		r := only(t, computer.stores.Uninstall(t.Context(), truststore.Policies))
		left, err := os.ReadFile(filepath.Join(computer.root, file))
		if string(left) != c.after || (err != nil) != (c.after == "") || r.Status != truststore.Removed {
			t.Errorf("%s: got %q, %v, %+v, want %q", name, left, err, r, c.after)
		}
	}
}

// TestUninstall_recordIsNotBelieved: a record that says what cannot be, or speaks of a file that is not the place's, puts nothing back. The certificate
// alone is taken out.
func TestUninstall_recordIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]func(c *computer, file, block map[string]any){
		"of somebody else's file": func(c *computer, file, _ map[string]any) {
			file["path"], file["before"], file["after"] = filepath.Join(c.root, "root.pem"), "", fmt.Sprintf("%x", sha256.Sum256(c.pem))
		},
		"of less than nothing":       func(_ *computer, file, _ map[string]any) { file["size"] = -1 },
		"of more than there is":      func(_ *computer, file, _ map[string]any) { file["size"] = 1 << 40 },
		"of bytes before it":         func(_ *computer, _, block map[string]any) { block["offset"] = -1 },
		"of bytes behind it":         func(_ *computer, _, block map[string]any) { block["offset"] = 20 }, // of 16
		"of a file with other bytes": func(_ *computer, _, block map[string]any) { block["bytes"] = []byte(`{"policies": {"x":1}}`)[:16] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newComputer(t, "linux", true, "/usr/lib/thunderbird/distribution/policies.json")
			c.write(t, "/usr/lib/thunderbird/distribution/policies.json", `{"policies": {}}`)
			before := c.tree(t)
			if r := only(t, c.stores.Install(t.Context(), truststore.Policies)); r.Status != truststore.Installed {
				t.Fatalf("got %+v", r)
			}
			names, err := filepath.Glob(filepath.Join(c.root, "journal", "*.json"))
			if err != nil || len(names) != 1 {
				t.Fatalf("got %q, %v", names, err)
			}
			journal := strings.TrimPrefix(names[0], c.root)
			var record map[string]any
			if err := json.Unmarshal([]byte(c.read(t, journal)), &record); err != nil {
				t.Fatal(err)
			}
			file := record["files"].([]any)[0].(map[string]any)
			lie(c, file, file["blocks"].([]any)[0].(map[string]any))
			text, err := json.Marshal(record)
			if err != nil {
				t.Fatal(err)
			}
			c.write(t, journal, string(text))
			if r := only(t, c.stores.Uninstall(t.Context(), truststore.Policies)); r.Status != truststore.Removed || !strings.Contains(r.Note, "only the certificate was taken out") {
				t.Errorf("got %+v", r)
			}
			if diff := cmp.Diff(before, c.tree(t)); diff != "" {
				t.Errorf("something has changed (-before +after):\n%s", diff)
			}
		})
	}
}

// TestUninstall_placeIsGone clears the journal of a profile that was deleted.
func TestUninstall_placeIsGone(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", true, "/usr/lib/thunderbird/")
	if r := only(t, c.stores.Install(t.Context(), truststore.Policies)); r.Status != truststore.Installed {
		t.Fatalf("got %+v", r)
	}
	roots, err := truststore.Recorded(filepath.Join(c.root, "journal"))
	if err != nil || len(roots) != 1 || !roots[0].Certificate.Equal(c.cert) {
		t.Errorf("recorded: got %v, %v", roots, err)
	}
	if err := os.RemoveAll(filepath.Join(c.root, "etc")); err != nil {
		t.Fatal(err)
	}
	gone := newComputer(t, "linux", true)
	other, err := truststore.At("linux", gone.root, truststore.Config{
		Root: c.cert, RootFile: roots[0].File, Journal: filepath.Join(c.root, "journal"), Home: gone.root, Admin: true, Run: gone.run,
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := only(t, other.Uninstall(t.Context(), truststore.Policies)); r.Status != truststore.Absent || r.Note == "" {
		t.Errorf("got %+v", r)
	}
	if roots, err := truststore.Recorded(filepath.Join(c.root, "journal")); err != nil || len(roots) != 0 {
		t.Errorf("recorded: got %v, %v", roots, err)
	}
}

// TestUninstall_namedPlaces: a place that was named once is known from the journal, and to name one place says nothing of the others.
func TestUninstall_namedPlaces(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", false, "one/policies.json", "two/policies.json")
	c.write(t, "one/policies.json", `{"policies": {}}`)
	c.write(t, "two/policies.json", `{"policies": {}}`)
	one, two := filepath.Join(c.root, "one", "policies.json"), filepath.Join(c.root, "two", "policies.json")
	before := c.tree(t)
	named := func(files ...string) { c.stores.Places = map[string][]string{truststore.Policies: files} }
	named(one, two)
	for _, r := range c.stores.Install(t.Context(), truststore.Policies) {
		if r.Status != truststore.Installed {
			t.Fatalf("got %+v", r)
		}
	}
	named(one)
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.Policies)); r.Path != one || r.Status != truststore.Removed || !r.Exact {
		t.Errorf("the one that is named: got %+v", r)
	}
	c.stores.Places = nil
	if r := only(t, c.stores.Verify(t.Context(), truststore.Policies)); r.Path != two || r.Status != truststore.Present || !r.Recorded {
		t.Errorf("the other one: got %+v", r)
	}
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.Policies)); r.Path != two || r.Status != truststore.Removed || !r.Exact {
		t.Errorf("the other one: got %+v", r)
	}
	if diff := cmp.Diff(before, c.tree(t)); diff != "" {
		t.Errorf("something has changed (-before +after):\n%s", diff)
	}
}

// TestUninstall_recordCannotBeRead: of two places one has a record that another version has written, or nobody. It is left as it is until that record is
// out of the way, which is said, and the other one is cleared as if nothing were the matter.
func TestUninstall_recordCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"another version": `{"schema":2}`, "torn": `{"schema":1,"sto`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newComputer(t, "linux", true, "/usr/lib/thunderbird/", "/usr/lib/firefox/")
			for _, r := range c.stores.Install(t.Context(), truststore.Policies) {
				if r.Status != truststore.Installed {
					t.Fatalf("got %+v", r)
				}
			}
			broken, other := brokenRecord(t, c, "/etc/firefox/policies/policies.json", text)
			untouched, err := os.ReadFile(other)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range c.stores.Uninstall(t.Context(), truststore.Policies) {
				switch {
				case r.Path == other || r.Store == "journal":
					if r.Status != truststore.Failed || !strings.Contains(r.Note, broken) || !strings.Contains(r.Note, "without that file the certificate alone is taken out") {
						t.Errorf("the place of the broken record: got %+v", r)
					}
				case r.Status != truststore.Removed || !r.Exact:
					t.Errorf("the other place: got %+v", r)
				}
			}
			if after, err := os.ReadFile(other); err != nil || string(after) != string(untouched) {
				t.Errorf("the place of the broken record was changed: %q, %v", after, err)
			}
			if roots, err := truststore.Recorded(filepath.Join(c.root, "journal")); err != nil || len(roots) != 1 {
				t.Errorf("recorded for the other place: got %v, %v", roots, err)
			}
			if err := os.Remove(broken); err != nil {
				t.Fatal(err)
			}
			for _, r := range c.stores.Uninstall(t.Context(), truststore.Policies) {
				if r.Path == other && r.Status != truststore.Removed {
					t.Errorf("without the record: got %+v", r)
				}
			}
			if _, err := os.Stat(filepath.Join(c.root, "journal")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the journal in the end: %v", err)
			}
		})
	}
}

// brokenRecord has the journal's record of a place say something else, and returns the names of both.
func brokenRecord(t *testing.T, c *computer, name, text string) (file, path string) {
	t.Helper()
	path = filepath.Join(c.root, name)
	records, err := filepath.Glob(filepath.Join(c.root, "journal", "*.json"))
	if err != nil || len(records) != 2 {
		t.Fatalf("got %q, %v", records, err)
	}
	for _, r := range records {
		was, err := os.ReadFile(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(was), strconv.Quote(path)) {
			file = r
		}
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, path
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
