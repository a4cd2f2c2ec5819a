package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Problem is one mistake.
type Problem struct {
	// Line and Column count from 1; 0 where the place is not known.
	Line, Column int
	// Key is the full name of the key, empty where the file as a whole is wrong.
	Key string
	// Text says what is wrong, and Want what to write instead.
	Text, Want string
	// Valid lists what may stand there, where that is a short list of words.
	Valid []string
}

// Error gives the problem as one line, with its place as "line 7: ".
func (p Problem) Error() string {
	if p.Line > 0 {
		return "line " + strconv.Itoa(p.Line) + ": " + p.text()
	}
	return p.text()
}

func (p Problem) text() string {
	s := p.Text
	if p.Key != "" {
		s = p.Key + ": " + s
	}
	switch {
	case p.Want != "":
		s += "; " + p.Want
	case len(p.Valid) > 0:
		s += "; valid here: " + strings.Join(p.Valid, ", ")
	}
	return s
}

// Error is everything that is wrong with a file.
type Error struct {
	File string
	// Problems are in the order of the file; there is at least one.
	Problems []Problem
}

// Error gives a line for each problem, as file:line: key: text.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		place := e.File + ": "
		if p.Line > 0 {
			place = e.File + ":" + strconv.Itoa(p.Line) + ": "
		}
		lines = append(lines, place+p.text())
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the problems one by one.
func (e *Error) Unwrap() []error {
	errs := make([]error, 0, len(e.Problems))
	for _, p := range e.Problems {
		errs = append(errs, p)
	}
	return errs
}

func newError(file string, problems []Problem) *Error {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Error{File: file, Problems: problems}
}

// fault is a problem that does not know its place yet.
type fault struct {
	text, want string
	valid      []string
}

// quoted shows what was read, in one line and not all of it where it is long.
func quoted(text string) string {
	const most = 60
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	return strconv.Quote(text)
}

func didYouMean(text string) string { return `did you mean ` + quoted(text) + `?` }

// among lists words the way a sentence does.
func among(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
	return strings.Join(words, "")
}
