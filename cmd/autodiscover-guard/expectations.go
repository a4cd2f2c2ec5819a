package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
)

// expectations are one file of "policy test".
type expectations struct {
	Policy string        `yaml:"policy"`
	Tests  []expectation `yaml:"tests"`
}

// expectation is one test: what is given, and what is wanted of it.
type expectation struct {
	Name     string `yaml:"name"`
	Exchange string `yaml:"exchange"`
	Email    string `yaml:"email"`
	Dialect  string `yaml:"dialect"`
	Host     string `yaml:"host"`
	Client   string `yaml:"client"`
	At       string `yaml:"at"`
	Want     want   `yaml:"want"`
}

// want is what must hold; what is empty is not asked.
type want struct {
	Action      string            `yaml:"action"`
	Would       string            `yaml:"would"`
	Rule        *string           `yaml:"rule"`
	Upstream    string            `yaml:"upstream"`
	Forwarded   *bool             `yaml:"forwarded"`
	Suggestions map[string]string `yaml:"suggestions"`
}

// empty reports whether nothing is asked at all, which would always hold.
func (w want) empty() bool {
	return w.Action == "" && w.Would == "" && w.Rule == nil && w.Upstream == "" && w.Forwarded == nil && len(w.Suggestions) == 0
}

// expectationKeys are all keys that a file has, for whoever misspells one.
var expectationKeys = []string{
	"policy", "tests", "name", "exchange", "email", "dialect", "host", "client", "at", "want", "action", "would", "rule", "upstream", "forwarded", "suggestions",
}

// readExpectations reads a file's text.
func readExpectations(data []byte) (all expectations, err error) {
	if len(bytes.TrimSpace(data)) == 0 { // which the library calls an error of its own
		return all, nil
	}
	err = yaml.Load(data, &all, yaml.WithKnownFields())
	if err == nil {
		return all, nil
	}
	if several, ok := errors.AsType[*yaml.LoadErrors](err); ok {
		var texts []string
		for _, e := range several.Errors {
			texts = append(texts, fmt.Sprintf("line %d: %s", e.Mark.Line, misfit(e.Message)))
		}
		err = errors.New(strings.Join(texts, "; "))
	} else if one, ok := errors.AsType[*yaml.LoadError](err); ok {
		err = fmt.Errorf("line %d: not YAML: %s", one.Mark.Line, one.Message)
	}
	return all, hint(err, "%s policy test --help shows a file", program)
}

// What the YAML library (v4.0.0, constructor.go) says of a key or a value for which a Go type, whose name is nobody's business, has no place.
var (
	unknownField = regexp.MustCompile(`^field (.+) not found in type `)
	wrongKind    = regexp.MustCompile("^cannot construct !!(?:(seq)|(map)|\\S+ (`.*`)) into ")
)

// misfit says the same in an operator's words.
func misfit(message string) string {
	if found := unknownField.FindStringSubmatch(message); found != nil {
		near := spelling.Nearest(found[1], expectationKeys)
		if near == found[1] {
			return near + ": stands in the wrong place"
		}
		if near != "" {
			return fmt.Sprintf("%s: unknown key; did you mean %q?", found[1], near)
		}
		return found[1] + ": unknown key"
	}
	if found := wrongKind.FindStringSubmatch(message); found != nil {
		what := found[3]
		switch {
		case found[1] != "":
			what = "a list"
		case found[2] != "":
			what = "a mapping"
		}
		return what + " cannot stand here"
	}
	return message
}
