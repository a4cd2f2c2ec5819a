package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The part of JUnit's format that every reader of it knows.
type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func suite(file string, outcomes []outcome) junitSuite {
	s := junitSuite{Name: file, Tests: len(outcomes)}
	for _, o := range outcomes {
		c := junitCase{Name: o.name, Class: program + ".policy"}
		if len(o.problems) > 0 {
			s.Failures++
			c.Failure = &junitFailure{Message: o.problems[0], Text: strings.Join(o.problems, "\n")}
		}
		s.Cases = append(s.Cases, c)
	}
	return s
}

func writeJUnit(out io.Writer, suites []junitSuite) error {
	fmt.Fprint(out, xml.Header)
	e := xml.NewEncoder(out)
	e.Indent("", "  ")
	if err := e.Encode(struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}{Suites: suites}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out)
	return err
}
