//go:build linux

package desktop

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The real gsettings, dconf, kwriteconfig and kreadconfig, in a home and on a session bus of the test's own.

// realWorld is a system of this kind; it skips where a program is missing.
func realWorld(t *testing.T, needs ...string) (System, Runner) {
	t.Helper()
	for _, name := range needs {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
	home := t.TempDir()
	must(t, os.Mkdir(filepath.Join(home, "run"), 0o700))
	env := map[string]string{"HOME": home, "XDG_CONFIG_HOME": filepath.Join(home, ".config"), "XDG_RUNTIME_DIR": filepath.Join(home, "run")}
	environ := func() []string {
		all := []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
		for k, v := range env {
			all = append(all, k+"="+v)
		}
		return all
	}
	run := programs{environ}
	s := System{OS: "linux", Root: filepath.Join(home, "root"), Home: home, Run: run, Getenv: func(key string) string { return env[key] }, MayWrite: mayWrite, InUse: profileInUse}
	if len(needs) > 0 && needs[0] == "dbus-daemon" {
		env["DBUS_SESSION_BUS_ADDRESS"] = startBus(t, environ())
	}
	return s, run
}

func startBus(t *testing.T, environ []string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "dbus-daemon", "--session", "--nofork", "--print-address")
	cmd.Env = environ
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() }) // the context of the test, which has ended by then, has killed it
	address, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	return strings.TrimSpace(address)
}

func TestGNOME_real(t *testing.T) {
	t.Parallel()
	s, run := realWorld(t, "dbus-daemon", "gsettings", "dconf")
	if _, err := run.Run(t.Context(), "gsettings", "list-keys", gnomeSchema); err != nil {
		t.Skipf("gsettings-desktop-schemas is not installed: %v", err)
	}
	dump := func() string {
		out, err := run.Run(t.Context(), "dconf", "dump", "/")
		must(t, err)
		return out
	}
	desk := func() *Desktop { return New(Config{State: filepath.Join(s.Home, "state"), System: s}) }
	for name, prepare := range map[string][]string{
		"nothing set": {"dconf", "reset", "-f", "/system/proxy/"},
		"mode set to its default, which is not the same as not set": {"dconf", "write", "/system/proxy/mode", "'none'"},
		"another PAC":     {"dconf", "write", "/system/proxy/autoconfig-url", "'http://corp.example/a.pac'"},
		"an empty string": {"dconf", "write", "/system/proxy/autoconfig-url", "''"},
	} {
		_, err := run.Run(t.Context(), prepare[0], prepare[1:]...)
		must(t, err)
		before := dump()
		results, err := desk().On(t.Context(), guard, Options{Only: []string{"gnome"}})
		must(t, err)
		allGood(t, results)
		if got, want := dump(), "[system/proxy]\nautoconfig-url='http://127.0.0.1:8081/proxy.pac'\nmode='auto'\n"; got != want {
			t.Errorf("%s: on: got %q, want %q", name, got, want)
		}
		results, err = desk().Off(t.Context(), Options{})
		must(t, err)
		allGood(t, results)
		if got := dump(); got != before {
			t.Errorf("%s: got %q, want %q", name, got, before)
		}
	}
}

// gsettings alone, on a computer without dconf's own program: what was there comes back, also beyond ASCII, which GLib prints as question marks in the locale C.
func TestGNOME_withoutDconf(t *testing.T) {
	t.Parallel()
	s, run := realWorld(t, "dbus-daemon", "gsettings", "dconf")
	if _, err := run.Run(t.Context(), "gsettings", "list-keys", gnomeSchema); err != nil {
		t.Skipf("gsettings-desktop-schemas is not installed: %v", err)
	}
	const before = "'http://prüfstelle.example/a.pac'"
	_, err := run.Run(t.Context(), "dconf", "write", "/system/proxy/autoconfig-url", before)
	must(t, err)
	s.Run = withoutDconf{run}
	desk := New(Config{State: filepath.Join(s.Home, "state"), System: s})
	results, err := desk.On(t.Context(), guard, Options{Only: []string{"gnome"}})
	must(t, err)
	allGood(t, results)
	results, err = desk.Off(t.Context(), Options{})
	must(t, err)
	allGood(t, results)
	if got, err := run.Run(t.Context(), "dconf", "read", "/system/proxy/autoconfig-url"); err != nil || strings.TrimSpace(got) != before {
		t.Errorf("got %s, %v", got, err)
	}
}

// withoutDconf is a computer on which that is not installed.
type withoutDconf struct{ Runner }

func (w withoutDconf) Has(name string) bool { return name != "dconf" && w.Runner.Has(name) }

// Without a bus gsettings reports success and writes nothing: that must not pass for done.
func TestGNOME_noBus(t *testing.T) {
	t.Parallel()
	s, _ := realWorld(t, "gsettings", "dconf")
	d := New(Config{State: filepath.Join(s.Home, "state"), System: s})
	results, err := d.On(t.Context(), guard, Options{Only: []string{"gnome"}})
	must(t, err)
	if results[0].State != Absent {
		t.Errorf("%+v", results)
	}
	lying := s
	lying.Getenv = func(string) string { return "unix:path=/nowhere" }
	results, err = New(Config{State: filepath.Join(s.Home, "state"), System: lying}).On(t.Context(), guard, Options{Only: []string{"gnome"}})
	must(t, err)
	if results[0].State != Failed || !strings.Contains(results[0].Note, "autoconfig-url is not set, want 'http://127.0.0.1:8081/proxy.pac'; mode is not set, want 'auto'") {
		t.Errorf("%+v", results)
	}
	if exists(filepath.Join(s.Home, "state", journalName)) {
		t.Error("the journal has an entry of a place that nothing happened to")
	}
}

func TestKDE_real(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("kwriteconfig6"); err != nil {
		if _, err := exec.LookPath("kwriteconfig5"); err != nil {
			t.Skip("neither kwriteconfig6 nor kwriteconfig5 is installed")
		}
	}
	s, _ := realWorld(t)
	name := filepath.Join(s.Home, ".config", "kioslaverc")
	desk := func() *Desktop { return New(Config{State: filepath.Join(s.Home, "state"), System: s}) }
	must(t, os.Mkdir(filepath.Dir(name), 0o700))
	for _, before := range []string{"", oldKDE, "[Proxy Settings]\nProxyType=1\nhttpProxy=http://corp 8080\nProxy Config Script[$e]=$HOME/x\n"} {
		if before != "" {
			must(t, os.WriteFile(name, []byte(before), 0o640))
		}
		results, err := desk().On(t.Context(), guard, Options{Only: []string{"kde"}})
		must(t, err)
		allGood(t, results)
		data, err := os.ReadFile(name)
		must(t, err)
		if got := string(data); !strings.Contains(got, "\nProxy Config Script=http://127.0.0.1:8081/proxy.pac\n") && !strings.Contains(got, "\nProxy Config Script[$e]=http://127.0.0.1:8081/proxy.pac\n") || !strings.Contains(got, "\nProxyType=2\n") {
			t.Errorf("kioslaverc:\n%s", got)
		}
		results, err = desk().Off(t.Context(), Options{})
		must(t, err)
		allGood(t, results)
		data, err = os.ReadFile(name)
		if before == "" && err == nil || string(data) != before {
			t.Errorf("got %q (%v), want %q", data, err, before)
		}
	}
	// An administrator's lock is respected, and reported.
	locked := "[Proxy Settings][$i]\nProxyType=0\n"
	must(t, os.WriteFile(name, []byte(locked), 0o600))
	results, err := desk().On(t.Context(), guard, Options{Only: []string{"kde"}})
	must(t, err)
	if results[0].State != Failed {
		t.Errorf("%+v", results)
	}
	if data, err := os.ReadFile(name); err != nil || string(data) != locked {
		t.Errorf("got %q, %v", data, err)
	}
}

// The real service, with the real libproxy: it follows the PAC where something on this computer evaluates it.
func TestStatus_unheededReally(t *testing.T) {
	t.Parallel()
	s, _ := realWorld(t, "dbus-daemon", "gsettings", "dconf", "gdbus")
	if !exists("/usr/libexec/glib-pacrunner") {
		t.Skip("glib-networking-services is not installed")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ns-proxy-autoconfig")
		_, _ = w.Write([]byte(`function FindProxyForURL(url, host) { return host == "autodiscover.com" ? "PROXY 127.0.0.1:8080" : "DIRECT"; }`))
	}))
	t.Cleanup(server.Close)
	d := New(Config{State: filepath.Join(s.Home, "state"), System: s})
	results, err := d.On(t.Context(), Target{PAC: server.URL + "/proxy.pac"}, Options{Only: []string{"gnome"}})
	must(t, err)
	allGood(t, results)
	results, err = d.Status(t.Context(), true)
	must(t, err)
	evaluators, err := filepath.Glob("/usr/lib/*/libproxy/*/modules/pacrunner_*.so")
	must(t, err)
	builtIn, err := filepath.Glob("/usr/lib/*/libproxy/libpxbackend*.so") // libproxy 0.5
	must(t, err)
	for _, r := range results {
		if told := strings.Contains(r.Note, "libproxy"); r.Name == "gnome" && told != (len(evaluators)+len(builtIn) == 0) {
			t.Errorf("with the evaluators %q: %s, %q", append(evaluators, builtIn...), r.State, r.Note)
		}
	}
}
