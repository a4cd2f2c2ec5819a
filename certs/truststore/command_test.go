package truststore_test

import (
	"os/exec"
	"strings"
	"testing"

	"autodiscover-guard/certs/truststore"
)

// TestCommand_String: a command can be pasted as it is shown.
func TestCommand_String(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ word, posix, windows string }{
		{`plain-1.2_x@y:z/%+=,`, `plain-1.2_x@y:z/%+=,`, `plain-1.2_x@y:z/%+=,`},
		{``, `''`, `""`},
		{`/Users/a/Library/Application Support/root.pem`, `'/Users/a/Library/Application Support/root.pem'`, `"/Users/a/Library/Application Support/root.pem"`},
		{`C:\Users\a\root.pem`, `'C:\Users\a\root.pem'`, `C:\Users\a\root.pem`},
		{`C:\Program Files (x86)\`, `'C:\Program Files (x86)\'`, `"C:\Program Files (x86)\\"`},
		{`it's; rm -rf $HOME`, `'it'\''s; rm -rf $HOME'`, `"it's; rm -rf $HOME"`},
		{`a&b|c<d>e^f`, `'a&b|c<d>e^f'`, `"a&b|c<d>e^f"`},
	} {
		c := truststore.Command{Name: "printf", Args: []string{"%s", row.word}}
		if got := c.Line("windows"); got != "printf %s "+row.windows {
			t.Errorf("Windows: got %s, want %s", got, row.windows)
		}
		line := c.Line("linux")
		if line != "printf %s "+row.posix {
			t.Errorf("POSIX: got %s, want %s", line, row.posix)
		}
		if shell, err := exec.LookPath("sh"); err == nil {
			if out, err := exec.Command(shell, "-c", line).Output(); err != nil || string(out) != row.word {
				t.Errorf("a shell makes %q of %s: %v", out, line, err)
			}
		}
	}
	if got := (truststore.Command{Name: `C:\my tools\guard.exe`, Args: []string{"ca"}}).Line("windows"); !strings.HasPrefix(got, `"C:\my tools\guard.exe" `) {
		t.Errorf("the program itself: got %s", got)
	}
}

// TestExec_endlessOutput: a program that says more than any listing of certificates has fills no memory, and nobody concludes from a part of it that the root is not there.
func TestExec_endlessOutput(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh")
	}
	said := func(script string) ([]byte, error) {
		return truststore.Exec(t.Context(), truststore.Command{Name: "sh", Args: []string{"-c", script}})
	}
	if list, err := said("head -c 4194304 /dev/zero; head -c 100000 /dev/zero >&2"); err != nil || len(list) != 4<<20 {
		t.Errorf("a long one: got %d bytes, %v", len(list), err)
	}
	if list, err := said("head -c 4194305 /dev/zero"); len(list) != 0 || err == nil || !strings.Contains(err.Error(), "more than 4 MiB") {
		t.Errorf("a longer one: got %d bytes, %v", len(list), err)
	}
}
