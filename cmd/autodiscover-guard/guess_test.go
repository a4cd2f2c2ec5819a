package main

import (
	"io"
	"regexp"
	"strings"
	"testing"
)

// TestGuesses: what a guess leads to exists, and what is guessed does not.
func TestGuesses(t *testing.T) {
	t.Parallel()
	root := rootCommand(strings.NewReader(""), io.Discard, io.Discard)
	quoted := regexp.MustCompile(`"([^"]+)"`)
	for line, advice := range guessedCommands {
		if cmd, rest, err := root.Find(strings.Fields(line)); err == nil && len(rest) == 0 {
			t.Errorf("%q is a command: %s", line, cmd.CommandPath())
		}
		for _, m := range quoted.FindAllStringSubmatch(advice, -1) {
			if strings.HasPrefix(m[1], "systemctl ") {
				continue
			}
			command, flags, _ := strings.Cut(m[1], " --")
			cmd, rest, err := root.Find(strings.Fields(command))
			if err != nil || len(rest) > 0 || !cmd.HasParent() {
				t.Errorf("%q: there is no command %q", line, command)
				continue
			}
			for flag := range strings.SplitSeq(flags, " --") {
				if name, _, _ := strings.Cut(flag, " "); name != "" && cmd.Flags().Lookup(name) == nil {
					t.Errorf("%q: %s has no --%s", line, command, name)
				}
			}
		}
	}
	cmd, _, err := root.Find([]string{"run"})
	if err != nil {
		t.Fatal(err)
	}
	for name, meant := range guessedFlags {
		is, _, _ := strings.Cut(strings.TrimPrefix(meant, "--"), " ")
		if cmd.Flags().Lookup(name) != nil || cmd.Flags().Lookup(is) == nil {
			t.Errorf("--%s: %s", name, meant)
		}
	}
}
