package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// The key is made once, its owner's alone, and stays: with another one the same account would be somebody else. One that is not whole is nobody's to replace.
func TestPrivacyKey(t *testing.T) {
	t.Parallel()
	state, err := openState(filepath.Join(t.TempDir(), "state"), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer state.close()
	if info, err := os.Stat(state.path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("the state directory has mode %v, %v", info.Mode(), err)
	}
	first, err := state.privacyKey()
	if err != nil || len(first) != keyBytes {
		t.Fatalf("got %d bytes, %v", len(first), err)
	}
	if again, err := state.privacyKey(); err != nil || !bytes.Equal(again, first) {
		t.Errorf("another key, %v", err)
	}
	file := filepath.Join(state.path, "privacy.key")
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("got mode %v, %v", info.Mode(), err)
	}
	for _, text := range []string{"", "half a key"} {
		write(t, file, text)
		if _, err := state.privacyKey(); err == nil || !strings.Contains(err.Error(), "privacy.key") {
			t.Errorf("%q: got %v", text, err)
		}
		if after, err := os.ReadFile(file); err != nil || string(after) != text {
			t.Errorf("%q was replaced by %q, %v", text, after, err)
		}
	}
}
