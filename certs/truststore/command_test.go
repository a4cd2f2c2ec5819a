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
