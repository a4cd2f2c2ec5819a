package certs

import (
	"fmt"
	"io/fs"
	"strings"
)

// ErrClosed is what [Authority.Leaf] and [Authority.Renew] return after [Authority.Close].
var ErrClosed = fmt.Errorf("the authority is closed: %w", fs.ErrClosed)

// NameError says that a text is not a DNS host name as certificates carry it.
type NameError struct {
	Name    string // as given
	Problem string // continues the sentence `name "…"`
	Want    string // the right spelling, or empty if there is none to guess
}

// Error names the text, what is wrong with it and, where one can be guessed, the right spelling.
func (e *NameError) Error() string {
	if e.Want != "" {
		return fmt.Sprintf("name %q %s; write %q", clip(e.Name), e.Problem, e.Want)
	}
	return fmt.Sprintf("name %q %s", clip(e.Name), e.Problem)
}

// OutOfScopeError says that a name is a good host name, but none that the authority may speak for.
type OutOfScopeError struct {
	Name string // normalised
}

// Error names the name.
func (e *OutOfScopeError) Error() string {
	return fmt.Sprintf("name %q is outside the authority's scope", clip(e.Name))
}

// ScopeError says that an existing authority was made for fewer names than [Open] was asked for. Constraints are part
// of a certificate that clients already trust, so they cannot grow; see [Authority.Widen].
type ScopeError struct {
	Dir     string
	Missing []string // normalised and sorted, never empty
	Foreign bool     // the authority was imported, so that only its CA can make it wider
}

// Error lists the missing names and says what to do.
func (e *ScopeError) Error() string {
	remedy := "widen it, and have every client trust the new root certificate"
	if e.Foreign {
		remedy = "have its CA issue one with these names as well, and import that"
	}
	return fmt.Sprintf("authority %q was made without %s, and a certificate cannot grow: %s", e.Dir, strings.Join(e.Missing, ", "), remedy)
}

// DamagedError says that a directory holds something that is no working authority. [Open] never repairs or replaces it.
type DamagedError struct {
	Path    string // the file or directory at fault
	Problem string // continues the sentence `"path" …`
	Remedy  string // what to do, as an imperative
	Err     error  // the cause, if there is one
}

// Error is the problem, the cause and the remedy in one line.
func (e *DamagedError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%q %s: %v; %s", e.Path, e.Problem, e.Err, e.Remedy)
	}
	return fmt.Sprintf("%q %s; %s", e.Path, e.Problem, e.Remedy)
}

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// clip keeps a message readable: a client may put up to 64 KiB into the name it asks for.
func clip(name string) string {
	if len(name) > maxName+8 {
		return name[:maxName+8] + "…"
	}
	return name
}
