package truststore_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/certs/truststore"
)

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
		"of more than there is":      func(_ *computer, file, _ map[string]any) { file["size"] = 1 << 30 },
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
