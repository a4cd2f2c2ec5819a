package truststore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Every foreign program is run here, so that tests can record what would be run.

const (
	// runLimit is for update-ca-certificates, whose hooks start a Java runtime on slow machines.
	runLimit = 3 * time.Minute
	// outputLimit is far above what a listing of certificates takes.
	outputLimit = 4 << 20
	// saidLimit keeps an error readable.
	saidLimit = 500
)

// Command is a program and its arguments. No shell is involved.
type Command struct {
	Name string
	Args []string
}

// String is the command as it can be pasted into a shell of this system: a POSIX one, or Windows' cmd.exe.
func (c Command) String() string { return c.line(runtime.GOOS) }

func (c Command) line(system string) string {
	quote := quotePOSIX
	if system == "windows" {
		quote = quoteWindows
	}
	words := []string{quote(c.Name)}
	for _, a := range c.Args {
		words = append(words, quote(a))
	}
	return strings.Join(words, " ")
}

// plainBytes stand for themselves in every shell.
const plainBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_"

func quotePOSIX(word string) string {
	if consistsOf(word, plainBytes) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// quoteWindows leaves bare what can be, because PowerShell does not take a quoted word for a command. No file's name has a quotation mark there, and a
// backslash before one would make it part of the word (CommandLineToArgvW).
func quoteWindows(word string) string {
	if consistsOf(word, plainBytes+`\`) {
		return word
	}
	if strings.HasSuffix(word, `\`) {
		word += `\`
	}
	return `"` + word + `"`
}

func consistsOf(word, those string) bool {
	return word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !strings.ContainsRune(those, r) })
}

// Runner runs a command to its end and returns its standard output. The error is a [*MissingError] if there is no such program, or a
// [*RunError] if it did not end with 0.
type Runner func(ctx context.Context, c Command) ([]byte, error)

// RunError is a program that ended badly.
type RunError struct {
	Command Command
	Said    string // what it wrote to standard error, shortened
	Err     error
}

// Error names the command, how it ended and what it said.
func (e *RunError) Error() string {
	text := fmt.Sprintf("%s: %v", e.Command, e.Err)
	if e.Said != "" {
		text += ": " + e.Said
	}
	return text
}

// Unwrap returns how it ended.
func (e *RunError) Unwrap() error { return e.Err }

// MissingError is a program that is not installed.
type MissingError struct {
	Program string
}

// packages say what to install, per program.
var packages = map[string]string{
	"certutil": "libnss3-tools on Debian and Ubuntu, nss-tools on Fedora and RHEL, nss on Arch, mozilla-nss-tools on SUSE, nss in Homebrew",
	"keytool":  "it comes with every Java runtime",
}

// Error says what to install, where that is known.
func (e *MissingError) Error() string {
	text := fmt.Sprintf("the program %s is not installed", e.Program)
	if from := packages[filepath.Base(e.Program)]; from != "" {
		text += " (" + from + ")"
	}
	return text
}

// Exec is the [Runner] for real programs: without input, in English, at most three minutes.
func Exec(ctx context.Context, c Command) ([]byte, error) {
	path, err := lookPath(c.Name)
	if err != nil {
		return nil, &MissingError{Program: c.Name}
	}
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, c.Args...)              //nolint:gosec // G204: the commands are this package's own, without a shell
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "LANGUAGE=") // in C, Java finds no file below a home whose name is not ASCII; a system without this one falls back to that
	cmd.WaitDelay = 5 * time.Second                               // a hook may leave a child that holds the pipes
	stdout, stderr := &cappedBuffer{limit: outputLimit}, &cappedBuffer{limit: 1 << 12}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	start := time.Now()
	err = cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("ended after %v: %w", time.Since(start).Round(time.Second), ctx.Err())
	}
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		// keytool complains in standard output, beside what every runtime says in the other one where JAVA_TOOL_OPTIONS is set.
		return stdout.kept, &RunError{Command: c, Said: oneLine(string(stderr.kept) + " " + string(stdout.kept)), Err: err}
	}
	if stdout.cut { // what is not in a part of a listing may be in the rest
		return nil, fmt.Errorf("%s: it says more than %d MiB", c, outputLimit>>20)
	}
	return stdout.kept, nil
}

// lookPath also looks where only the administrator's PATH leads.
func lookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if err == nil || filepath.IsAbs(name) {
			break
		}
		path, err = exec.LookPath(filepath.Join(dir, name))
	}
	return path, err
}

// oneLine makes what a program said fit into an error.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > saidLimit {
		text = text[:saidLimit] + "…"
	}
	return text
}

// cappedBuffer keeps the beginning of what is written to it. It must not have the ReadFrom of a [bytes.Buffer], which io.Copy, and so package os/exec, would use in the place of Write.
type cappedBuffer struct {
	kept  []byte
	limit int
	cut   bool // there was more
}

// Write implements io.Writer.
func (c *cappedBuffer) Write(text []byte) (int, error) {
	room := min(len(text), c.limit-len(c.kept))
	c.kept, c.cut = append(c.kept, text[:room]...), c.cut || room < len(text)
	return len(text), nil
}
