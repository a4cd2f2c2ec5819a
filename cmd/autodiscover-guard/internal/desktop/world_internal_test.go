package desktop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var guard = Target{PAC: "http://127.0.0.1:8081/proxy.pac", Proxy: "http://127.0.0.1:8080"}

// The files of the world before anything happens: comments, odd spacing and other people's settings are there to be kept.
const (
	oldPolicies = "{ \"policies\" :\t{ \"Certificates\": {\"Install\": [ \"/etc/corp.pem\" ]}, \"DisableTelemetry\": true } }"
	oldPrefs    = "// Mozilla User Preferences\n\nuser_pref(\"mail.root\", 1);\nuser_pref(\"network.proxy.type\", 1);\nuser_pref(\"network.proxy.http\", \"proxy.corp.example\");\n"
	oldUserJS   = "/* mine\nuser_pref(\"network.proxy.type\", 4);\n*/\nuser_pref('network.proxy.type', 0); // off\nuser_pref(\"a\", 1);"
	oldKDE      = "# by hand\n[Proxy Settings]\nNoProxyFor=\nProxyType=0\n\n[A]\nx=1\n"
)

// world is a computer in a directory: root and home, and a desktop that is a file of JSON.
type world struct{ dir string }

func newWorld(t *testing.T) world {
	t.Helper()
	w := world{t.TempDir()}
	for name, text := range map[string]string{
		"root/etc/thunderbird/policies/policies.json": oldPolicies,
		"root/usr/lib/thunderbird/thunderbird":        "",
		"root/usr/lib/firefox/firefox":                "",
		"home/.thunderbird/profiles.ini":              "[Install1]\nDefault=x\n\n[Profile0]\nName=d\nIsRelative=1\nPath=abc.default\n",
		"home/.thunderbird/abc.default/prefs.js":      oldPrefs,
		"home/.thunderbird/abc.default/user.js":       oldUserJS,
		"home/.config/kioslaverc":                     oldKDE,
		"dconf.json":                                  `{"mode": "'manual'"}`,
	} {
		w.write(t, name, text)
	}
	must(t, os.MkdirAll(filepath.Join(w.dir, "root/etc"), 0o700))
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w world) path(name string) string { return filepath.Join(w.dir, name) }

func (w world) write(t *testing.T, name, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(w.path(name)), 0o700))
	must(t, os.WriteFile(w.path(name), []byte(text), 0o600))
}

func (w world) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(w.path(name))
	must(t, err)
	return string(data)
}

// desktop is a new one, as a new process would have it.
func (w world) desktop() *Desktop {
	return New(Config{State: w.path("state"), System: System{
		OS: "linux", Root: w.path("root"), Home: w.path("home"), Run: fake{w.path("dconf.json")},
		Getenv:   func(key string) string { return map[string]string{"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"}[key] },
		MayWrite: func(string) bool { return true }, InUse: func(string) bool { return false },
	}})
}

// tree is everything in the world: names, modes and bytes.
func (w world) tree(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(w.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, w.dir)
		all[name] = info.Mode().String()
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			all[name] += "\n" + string(data)
			return err
		}
		return nil
	}))
	delete(all, "/state") // it stays, as the guard's own
	return all
}

// same fails where the world is not as it was.
func (w world) same(t *testing.T, before map[string]string) {
	t.Helper()
	if d := cmp.Diff(before, w.tree(t)); d != "" {
		t.Errorf("the world is not as it was (-before +now):\n%s", d)
	}
}

func on(t *testing.T, w world, o Options) []Result {
	t.Helper()
	o.Environment = true
	results, err := w.desktop().On(t.Context(), guard, o)
	must(t, err)
	return results
}

func off(t *testing.T, w world, o Options) []Result {
	t.Helper()
	results, err := w.desktop().Off(t.Context(), o)
	must(t, err)
	return results
}

func allGood(t *testing.T, results []Result) {
	t.Helper()
	for _, r := range results {
		if !r.Good() {
			t.Errorf("%s %s: %s: %s", r.Name, r.Where, r.State, r.Note)
		}
	}
}

// fake is dconf in a JSON file, and KDE's two tools in a few lines.
type fake struct{ dconf string }

func (fake) Has(name string) bool {
	return slices.Contains([]string{"gsettings", "dconf", "kwriteconfig5", "kreadconfig5"}, name)
}

func (f fake) Run(_ context.Context, name string, args ...string) (string, error) {
	switch name {
	case "kreadconfig5": // --file F --group G --key K --default D
		data, err := os.ReadFile(args[1])
		for line := range strings.Lines(string(data)) {
			if text, found := strings.CutPrefix(line, args[5]+"="); found {
				return text, err
			}
		}
		return args[7] + "\n", err
	case "kwriteconfig5": // --file F --group G --key K (--delete "" | -- V)
		return "", fakeKDEWrite(args)
	case "dconf": // read /system/proxy/KEY
		return f.load()[strings.TrimPrefix(args[1], gnomePath)], nil
	}
	keys := f.load()
	switch args[0] {
	case "list-keys":
		return "", nil
	case "set":
		keys[args[2]] = args[3]
	case "reset":
		delete(keys, args[2])
	default:
		return "", fmt.Errorf("unexpected %s %q", name, args)
	}
	data, err := json.Marshal(keys)
	if err != nil {
		return "", err
	}
	return "", os.WriteFile(f.dconf, []byte(strings.ReplaceAll(string(data), `":"`, `": "`)), 0o600)
}

func (f fake) load() map[string]string {
	data, err := os.ReadFile(f.dconf)
	keys := map[string]string{}
	if err = errors.Join(err, json.Unmarshal(data, &keys)); err != nil {
		panic(err)
	}
	return keys
}

func fakeKDEWrite(args []string) error {
	data, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	var out strings.Builder
	out.WriteString("[Proxy Settings]\n") // rewritten, like the real one does
	if args[6] == "--" {
		out.WriteString(args[5] + "=" + args[7] + "\n")
	}
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, args[5]+"=") && !strings.HasPrefix(line, "#") && line != "[Proxy Settings]\n" {
			out.WriteString(line)
		}
	}
	return os.WriteFile(args[1], []byte(out.String()), 0o600)
}
