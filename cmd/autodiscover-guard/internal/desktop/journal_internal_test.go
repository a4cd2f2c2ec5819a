package desktop

import (
	"os"
	"strings"
	"testing"
)

// A journal of another version, which has other keys, is left alone, and the error says who can read it.
func TestLoadJournal_anotherVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(journalPath(dir), []byte(`{"schema":2,"steps":[{"place":"gnome"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadJournal(dir); err == nil || !strings.Contains(err.Error(), "its schema is 2") || !strings.Contains(err.Error(), "the version that has put them in place") {
		t.Errorf("got %v", err)
	}
}
