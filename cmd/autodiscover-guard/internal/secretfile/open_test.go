package secretfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/secretfile"
)

func TestOpen(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the directory's access list decides")
	}
	const root = 0
	somebody := os.Getuid()
	if somebody == root {
		somebody = 61184 // the first of systemd's dynamic users
	}
	for _, c := range []struct {
		owner int
		mode  fs.FileMode
		want  string // empty: it is opened
	}{
		{somebody, 0o600, ""},
		{somebody, 0o400, ""},
		{somebody, 0o700, ""},
		{somebody, 0o440, "read by others (mode 0440); want chmod 600, or 640 and root as its owner"},
		{somebody, 0o640, "read by others (mode 0640)"},
		{somebody, 0o604, "read by others (mode 0604)"},
		{somebody, 0o620, "written by others (mode 0620)"},
		{somebody, 0o602, "written by others (mode 0602)"},
		{somebody, 0o610, "used by others (mode 0610)"},
		{root, 0o600, ""},
		{root, 0o400, ""}, // SetCredential=, LoadCredential= where the file system has no access lists
		{root, 0o440, ""}, // LoadCredential=, fsGroup
		{root, 0o640, ""},
		{root, 0o444, "read by others (mode 0444); want chmod 600, or 640"}, // a secret of Docker Swarm, as it comes
		{root, 0o644, "read by others (mode 0644); want chmod 600, or 640"}, // a secret of Kubernetes, as it comes
		{root, 0o460, "written by others (mode 0460)"},
		{root, 0o601, "used by others (mode 0601)"},
	} {
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte("open sesame"), 0o600); err != nil {
			t.Fatal(err)
		}
		if c.owner != os.Getuid() {
			if os.Getuid() != 0 {
				continue // the rows about root's files are for root
			}
			if err := os.Chown(file, c.owner, -1); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(file, c.mode); err != nil {
			t.Fatal(err)
		}
		f, err := secretfile.Open(file)
		if err == nil {
			_ = f.Close()
		}
		switch {
		case c.want == "" && err != nil:
			t.Errorf("owner %d, mode %04o: %v", c.owner, c.mode, err)
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), file+" can be "+c.want)):
			t.Errorf("owner %d, mode %04o: got %v, want %q", c.owner, c.mode, err, c.want)
		}
	}
}

// Who writes the secret itself where its file's name belongs does not find it in the system's log.
func TestOpen_absent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, below string }{
		{filepath.Join(dir, "alice:s3cret"), dir},
		{filepath.Join(dir, "c2Vj", "s3cret"), dir}, // base64
		{filepath.Join(file, "s3cret"), file},
		{filepath.Join(dir, strings.Repeat("s3cret", 1000)), dir},
		{filepath.Join(dir, "s3cret\x00"), dir},
	} {
		f, err := secretfile.Open(c.path)
		if f != nil || err == nil || !strings.HasPrefix(err.Error(), "open "+filepath.Join(c.below, "…")+": ") || strings.Contains(strings.ReplaceAll(err.Error(), dir, ""), "c2Vj") ||
			strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: got %v, %v", c.path, f, err)
		}
	}
	if _, err := secretfile.Open(filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that it is absent", err)
	}
	if runtime.GOOS == "windows" {
		return // links are not everybody's there
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "absent"), link); err != nil {
		t.Fatal(err)
	}
	if _, err := secretfile.Open(link); err == nil || !strings.Contains(err.Error(), link) {
		t.Errorf("got %v, want what is there by its name", err)
	}
}
