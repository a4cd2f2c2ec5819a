package truststore_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/certs/truststore"
)

// TestUninstall_unfinished: what a kill leaves of a file that was about to be put in the place of another is cleared, and what only looks like it is somebody's.
func TestUninstall_unfinished(t *testing.T) {
	t.Parallel()
	const policies = "etc/firefox/policies/policies.json"
	for name, installed := range map[string]bool{"before the installation was recorded": false, "later": true} {
		c := newComputer(t, "linux", true, "/usr/lib/firefox/", "/"+filepath.Dir(policies)+"/.policies.json.new-by-hand", "/"+filepath.Dir(policies)+"/.other.new-ABCDEFGHIJKLMNOPQRSTUVWXYZ")
		before := c.tree(t)
		if installed {
			if r := only(t, c.stores.Install(t.Context(), truststore.Policies)); r.Status != truststore.Installed {
				t.Fatalf("%s: got %+v", name, r)
			}
		}
		for _, base := range []string{"policies.json", c.stores.Name() + ".pem"} {
			c.write(t, filepath.Join(filepath.Dir(policies), "."+base+".new-ABCDEFGHIJKLMNOPQRSTUVW234"), "half")
		}
		if r := only(t, c.stores.Uninstall(t.Context(), truststore.Policies)); (r.Status == truststore.Removed) != installed {
			t.Errorf("%s: got %+v", name, r)
		}
		if diff := cmp.Diff(before, c.tree(t)); diff != "" {
			t.Errorf("%s: something has changed (-before +after):\n%s", name, diff)
		}
	}
}

// TestInstall_killed: the journal knows of an installation before it begins, so that what a kill leaves of it can be cleared: directories, too.
func TestInstall_killed(t *testing.T) {
	t.Parallel()
	const anchors, bundle = "/etc/pki/ca-trust/source/anchors", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
	c := newComputer(t, "linux", true, anchors+"/", bundle, "/usr/lib/firefox/")
	c.write(t, bundle, c.others)
	before := c.tree(t)
	c.answer = func(truststore.Command) ([]byte, error) { panic("killed") }
	func() {
		defer func() { _ = recover() }()
		c.stores.Install(t.Context(), truststore.System)
	}()
	c.answer = func(truststore.Command) ([]byte, error) { return nil, c.bundle(anchors, bundle) }
	if r := only(t, c.stores.Verify(t.Context(), truststore.System)); !r.Recorded || r.Status != truststore.Absent {
		t.Errorf("after the kill: got %+v", r)
	}
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.System)); r.Status != truststore.Removed {
		t.Errorf("after the kill: got %+v", r)
	}
	if r := only(t, c.stores.Install(t.Context(), truststore.Policies)); r.Status != truststore.Installed {
		t.Fatalf("got %+v", r)
	}
	text, err := json.Marshal(map[string]any{
		"schema": 1, "store": truststore.Policies, "path": filepath.Join(c.root, "etc/firefox/policies/policies.json"), "begun": true,
		"dirs": []string{filepath.Join(c.root, "etc/firefox"), filepath.Join(c.root, "etc/firefox/policies")},
	})
	if err != nil {
		t.Fatal(err)
	}
	records, err := filepath.Glob(filepath.Join(c.root, "journal", "*.json"))
	if err != nil || len(records) != 1 {
		t.Fatalf("got %q, %v", records, err)
	}
	for file, want := range map[string]fs.FileMode{filepath.Dir(records[0]): 0o700, records[0]: 0o600} { // it has what others' files held
		if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v", file, info.Mode(), err)
		}
	}
	if err := os.WriteFile(records[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.Policies)); r.Status != truststore.Removed || r.Exact || !strings.Contains(r.Note, "did not come to its end") {
		t.Errorf("before its end was recorded: got %+v", r)
	}
	if diff := cmp.Diff(before, c.tree(t)); diff != "" {
		t.Errorf("something has changed (-before +after):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(c.root, "journal")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the journal in the end: %v", err)
	}
}

// TestInstall_again: what is known of an earlier installation stays known where another one is begun, whether that ends well or not.
func TestInstall_again(t *testing.T) {
	t.Parallel()
	const anchors, bundle = "/etc/pki/ca-trust/source/anchors", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
	c := newComputer(t, "linux", true, anchors+"/", bundle, "/usr/lib/firefox/")
	c.write(t, bundle, c.others)
	before := c.tree(t)
	// It was killed when it had made directories.
	made := filepath.Join(c.root, "etc/firefox")
	text, err := json.Marshal(map[string]any{
		"schema": 1, "store": truststore.Policies, "path": filepath.Join(made, "policies/policies.json"), "begun": true, "dirs": []string{made, filepath.Join(made, "policies")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := only(t, c.stores.Install(t.Context(), truststore.Policies)); r.Status != truststore.Installed {
		t.Fatalf("got %+v", r)
	}
	records, err := filepath.Glob(filepath.Join(c.root, "journal", "*.json"))
	if err != nil || len(records) != 1 {
		t.Fatalf("got %q, %v", records, err)
	}
	err = errors.Join(os.WriteFile(records[0], text, 0o600), os.RemoveAll(made), os.MkdirAll(filepath.Join(made, "policies"), 0o755))
	if r := only(t, c.stores.Install(t.Context(), truststore.Policies)); err != nil || r.Status != truststore.Installed {
		t.Fatalf("after a kill: got %+v, %v", r, err)
	}
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.Policies)); r.Status != truststore.Removed {
		t.Errorf("after a kill: got %+v", r)
	}
	if diff := cmp.Diff(before, c.tree(t)); diff != "" {
		t.Errorf("something has changed (-before +after):\n%s", diff)
	}
	// It was installed, somebody took it out, and it cannot be put back.
	c.answer = func(truststore.Command) ([]byte, error) { return nil, c.bundle(anchors, bundle) }
	if r := only(t, c.stores.Install(t.Context(), truststore.System)); r.Status != truststore.Installed {
		t.Fatalf("got %+v", r)
	}
	if err := os.Remove(filepath.Join(c.root, anchors, c.stores.Name()+".pem")); err != nil {
		t.Fatal(err)
	}
	c.write(t, bundle, c.others)
	err = errors.New("no space left on device")
	c.answer = func(truststore.Command) ([]byte, error) {
		defer func() { err = nil }()
		return nil, errors.Join(err, c.bundle(anchors, bundle))
	}
	if r := only(t, c.stores.Install(t.Context(), truststore.System)); r.Status != truststore.Failed {
		t.Errorf("on a full disk: got %+v", r)
	}
	if r := only(t, c.stores.Verify(t.Context(), truststore.System)); !r.Recorded {
		t.Errorf("on a full disk: got %+v", r)
	}
}

// A file of the journal is there whole or not at all: an empty one would be a record that nobody can read, and nothing could be taken out by it. Here the file's own
// name is as long as one may be, and the one before it is longer, which fails where a kill or a full disk would end it.
func TestWritePrivate_wholeOrNot(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), strings.Repeat("x", 240))
	if err := truststore.WritePrivate(name, []byte("text")); err == nil {
		t.Fatal("a name of more than 255 bytes was made")
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a file is left: %v", err)
	}
}
