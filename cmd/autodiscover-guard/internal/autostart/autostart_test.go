package autostart_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/cmd/autodiscover-guard/internal/autostart"
)

// odd is a file in whose path every character that one of the formats reads stands for itself.
const odd = `/home/o'neil/50% of "$HOME" & <more>\/guard.yaml`

// The unit is given to a real user manager by autostart.txtar.
func TestFor_linux(t *testing.T) {
	p, err := autostart.For("linux", autostart.Start{Program: "/opt/100% $HOME/guard", Config: odd, State: "/home/user/my state", Home: "/home/user"})
	if err != nil {
		t.Fatal(err)
	}
	const line = `"/opt/100%% $HOME/guard" "run" "--config" "/home/o'neil/50%% of \"$$HOME\" & <more>\\/guard.yaml" "--state" "/home/user/my state"`
	for _, want := range []string{"\nExecStart=" + line + "\n", "\nExecReload=" + line + " --dry-run\n"} {
		if !strings.Contains(p.Text, want) {
			t.Errorf("got\n%s\nwant %s", p.Text, want)
		}
	}
	if want := "/home/user/.config/systemd/user/autodiscover-guard.service"; p.Path != want {
		t.Errorf("got %q, want %q", p.Path, want)
	}
}

// Python's plistlib reads the agent as it was meant.
func TestFor_darwin(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	p, err := autostart.For("darwin", autostart.Start{Program: "/opt/a&b/guard", Config: odd, Home: "/Users/o'neil"})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "python3", "-c", "import json, plistlib, sys; json.dump(plistlib.loads(sys.stdin.buffer.read()), sys.stdout)")
	cmd.Stdin = strings.NewReader(p.Text)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, p.Text)
	}
	var got struct {
		Label, StandardErrorPath string
		ProgramArguments         []string
		RunAtLoad                bool
		KeepAlive                map[string]bool
		Umask                    int
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := got
	want.Label, want.StandardErrorPath, want.RunAtLoad, want.Umask = autostart.Name, "/Users/o'neil/Library/Logs/autodiscover-guard.log", true, 0o77
	want.ProgramArguments, want.KeepAlive = []string{"/opt/a&b/guard", "run", "--config", odd}, map[string]bool{"SuccessfulExit": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := `launchctl bootstrap gui/$(id -u) '/Users/o'\''neil/Library/LaunchAgents/autodiscover-guard.plist'`; p.Begin[0] != want {
		t.Errorf("got %s\nwant %s", p.Begin[0], want)
	}
	if want := `; rm '/Users/o'\''neil/Library/LaunchAgents/autodiscover-guard.plist'`; !strings.HasSuffix(p.End, want) { // it would be started at the next log-in
		t.Errorf("got %s\nwant it to end with %s", p.End, want)
	}
}

func TestFor_windows(t *testing.T) {
	for config, want := range map[string]string{
		"":                     `"\"C:\Program Files\guard.exe\" run"`,
		`C:\lab\guard.yaml`:    `"\"C:\Program Files\guard.exe\" run --config C:\lab\guard.yaml"`,
		`C:\my lab\guard.yml`:  `"\"C:\Program Files\guard.exe\" run --config \"C:\my lab\guard.yml\""`,
		`C:\lab&co\guard.yaml`: `"\"C:\Program Files\guard.exe\" run --config C:\lab&co\guard.yaml"`,
		// windows.txtar has cmd.exe read it.
		`C:\50% ^ us & co\guard`: `"\"C:\Program Files\guard.exe\" run --config \"C:\50^% ^^ us ^& co\guard\""`,
	} {
		p, err := autostart.For("windows", autostart.Start{Program: `C:\Program Files\guard.exe`, Config: config, Home: `C:\Users\user`})
		if want := `reg add HKCU\Software\Microsoft\Windows\CurrentVersion\Run /v autodiscover-guard /t REG_SZ /d ` + want + " /f\r\n"; err != nil || p.Text != want || p.Path != "" {
			t.Errorf("got %q for %q, %v\nwant %q", p.Text, p.Path, err, want)
		}
	}
}

func TestFor_refused(t *testing.T) {
	good := autostart.Start{Program: "/bin/guard", Home: "/home/user"}
	for name, c := range map[string]struct {
		system string
		change func(*autostart.Start)
	}{
		"another system":  {"plan9", func(*autostart.Start) {}},
		"no program":      {"linux", func(s *autostart.Start) { s.Program = "" }},
		"no home":         {"darwin", func(s *autostart.Start) { s.Home = "" }},
		"a quote":         {"linux", func(s *autostart.Start) { s.Program = "/home/o'neil/guard" }},
		"a second line":   {"linux", func(s *autostart.Start) { s.Config = "/etc/a\nExecStartPre=/bin/evil" }},
		"half a line end": {"windows", func(s *autostart.Start) { s.Home = "C:\\a\rdel" }},
		"another line":    {"linux", func(s *autostart.Start) { s.State = "/srv/a\nExecStartPre=/bin/evil" }},
		"a nought":        {"darwin", func(s *autostart.Start) { s.Config = "/etc/a\x00b" }},
		"the same, there": {"windows", func(s *autostart.Start) { s.Program = "C:\\a\r\ndel" }},
	} {
		s := good
		c.change(&s)
		if p, err := autostart.For(c.system, s); err == nil {
			t.Errorf("%s: got %q", name, p.Text)
		}
	}
}
