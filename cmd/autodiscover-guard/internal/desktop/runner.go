package desktop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Runner starts the system's own programs for settings. It is the only way in which this package runs anything.
type Runner interface {
	// Has reports whether there is such a program.
	Has(name string) bool
	// Run returns what the program writes to its standard output. An error holds what it says on the other.
	Run(ctx context.Context, name string, args ...string) (string, error)
}

// runTimeout is how long such a program may take: each of them asks a local service at most.
const runTimeout = 10 * time.Second

// programs runs what is in PATH, in the untranslated language.
type programs struct {
	environ func() []string
}

func (programs) Has(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

func (p programs) Run(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)               //nolint:gosec // a fixed program, and arguments go past no shell
	cmd.Env = append(p.environ(), "LC_ALL=C.UTF-8", "LANGUAGE=") // in C, GLib prints question marks for what is not ASCII; a system without this one falls back to that
	cmd.WaitDelay = time.Second                                  // a service that it started may hold its output open
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "", fmt.Errorf("running %s: no answer within %v", name, runTimeout)
	}
	if err != nil {
		said, _, _ := strings.Cut(strings.TrimSpace(complaint.String()+out.String()), "\n")
		return out.String(), fmt.Errorf("running %s: %w: %s", name, err, said)
	}
	return out.String(), nil
}
