// Command autodiscover-guard is a forward proxy that reads mail-client configuration discovery in flight and lets no client be told a server
// that its account's domain must not have.
//
//	autodiscover-guard demo    the incident of example.com replayed on this machine, without the guard and with it
//	autodiscover-guard run     start the guard
//	autodiscover-guard check   decide offline: on an address, a host, or a saved exchange
//	autodiscover-guard doctor  play each client's discovery through the running guard, and say what is wrong
//	autodiscover-guard review  what the decision records of a running guard say
//	autodiscover-guard policy  show the rules in force, or test them
//	autodiscover-guard ca      show, export, renew or import the authority; let clients trust it
//	autodiscover-guard setup   put the guard in its place: on a desktop, on a gateway
//
// and, for whoever looks something up, config, dialects, reserved and version.
//
// Exit codes: 0 fine, 1 the answer is "no", 2 usage, configuration, or anything that stops the start.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"strings"

	_ "autodiscover-guard/cmd/autodiscover-guard/internal/quiet" // before any library begins
	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
)

const program = "autodiscover-guard"

// Exit codes: a contract with scripts.
const (
	exitFine  = 0
	exitNo    = 1
	exitUsage = 2
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program: arguments and streams in, exit code out. Nothing else exits.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := rootCommand(stdin, stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(context.Background())
	_, no := errors.AsType[*answerNo](err)
	if lost := root.OutOrStdout().(*answer).err; lost != nil && (err == nil || no) {
		err, no = lost, false
	}
	switch {
	case err == nil:
		return exitFine
	case no:
		return exitNo
	}
	printError(stderr, err)
	return exitUsage
}

// printError writes an error as lines that start with the program's name, and the hint that belongs to it.
//
// The rules of this terminal: standard output is data, standard error is talk; every line of an error starts with "name: error:" or
// "name: hint:"; no colour, no capital at the start, no full stop.
func printError(w io.Writer, err error) {
	advice := advice(err)
	text := strings.TrimRight(err.Error(), "\n")
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "; "+advice), "\n") { // some errors of package certs end with it
		fmt.Fprintf(w, "%s: error: %s\n", program, line)
	}
	if advice != "" {
		fmt.Fprintf(w, "%s: hint: %s\n", program, advice)
	}
}

// advice is what somebody can do about an error; empty where nothing is known.
func advice(err error) string {
	if hinted, ok := errors.AsType[*hintError](err); ok {
		return hinted.hint
	}
	if unknown, ok := errors.AsType[*spelling.UnknownError](err); ok {
		return unknown.Hint()
	}
	// Most of all a service's, to which root has given a configuration and files that root alone can read.
	if file, ok := errors.AsType[*fs.PathError](err); ok && errors.Is(file, fs.ErrPermission) {
		return fmt.Sprintf("this runs as %s: let that user have %s, or run it as another", userName(user.Current()), file.Path)
	}
	return ""
}

// userName is what user.Current has found; in a container its number need not have a name.
func userName(who *user.User, err error) string {
	if err != nil {
		return fmt.Sprintf("the user with the number %d", os.Geteuid())
	}
	return who.Username
}

// answerNo is the error that ends a command whose answer is "no"; the command has said so itself.
type answerNo struct{}

func (*answerNo) Error() string { return "the answer is no" }

// hintError is an error with advice.
type hintError struct {
	error
	hint string
}

func (e *hintError) Unwrap() error { return e.error }

func hint(err error, format string, a ...any) error {
	return &hintError{err, fmt.Sprintf(format, a...)}
}
