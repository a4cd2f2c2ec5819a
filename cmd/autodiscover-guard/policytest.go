package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
	"autodiscover-guard/rules"
)

func policyTestCommand() *cobra.Command {
	var file, format string
	cmd := &cobra.Command{
		Use:   "test FILE...",
		Short: "check expectations that are written beside a policy",
		Long: `Check expectations that are written beside a policy, so that it can live in a repository with tests of its own. A file is YAML:

  policy: guard.yaml                  # beside this file; --config goes before it, and without both the built-in policy is tested
  tests:
    - name: the incident              # given: an exchange, an email (and perhaps a dialect), or a host; perhaps a client and a day
      exchange: incident.txt          # a HAR, or raw HTTP as curl -v shows it
      want: {action: refuse, rule: documentation, forwarded: false, suggestions: {imapgms.jnet.sei.co.jp: remove}}
    - email: jane@corp.example.net
      dialect: v2
      client: 10.0.0.1
      at: 2026-12-01
      want: {action: judge, upstream: forward}
    - host: autodiscover.corp.example.net
      want: {action: open}

What is wanted must hold for every question that the test stands for. Exit code 0 if all hold, 1 if not, 2 for mistakes.`,
		RunE: func(cmd *cobra.Command, files []string) error {
			if len(files) == 0 {
				return hint(errors.New("policy test wants files"), "%s policy test policy_test.yaml", program)
			}
			if err := spelling.Known("format", format, "table", "junit"); err != nil {
				return fmt.Errorf("--format: %w", err)
			}
			return testPolicies(files, file, format, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration `FILE` whose policy is tested")
	cmd.Flags().StringVar(&format, "format", "table", "`FORMAT` of the report: table or junit")
	return cmd
}

// outcome is how one test ended.
type outcome struct {
	name     string
	problems []string
}

func testPolicies(files []string, configFile, format string, out io.Writer) error {
	failed := false
	var suites []junitSuite
	for _, file := range files {
		outcomes, err := testPolicy(file, configFile)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		failed = failed || slices.ContainsFunc(outcomes, func(o outcome) bool { return len(o.problems) > 0 })
		suites = append(suites, suite(file, outcomes))
		if format == "table" {
			printOutcomes(out, file, outcomes)
		}
	}
	if format == "junit" {
		if err := writeJUnit(out, suites); err != nil {
			return err
		}
	}
	if failed {
		return &answerNo{}
	}
	return nil
}

func testPolicy(file, configFile string) ([]outcome, error) {
	data, err := readWhole(file)
	if err != nil {
		return nil, err
	}
	all, err := readExpectations(data)
	if err != nil {
		return nil, err
	}
	if len(all.Tests) == 0 {
		return nil, errors.New("no tests in it")
	}
	if configFile == "" && all.Policy != "" {
		configFile = beside(file, all.Policy)
	}
	_, policy, err := loadPolicy(configFile)
	if err != nil {
		return nil, err
	}
	outcomes := make([]outcome, 0, len(all.Tests))
	for i, e := range all.Tests {
		o := outcome{name: e.Name}
		if o.name == "" {
			o.name = fmt.Sprintf("test %d: %s%s%s", i+1, e.Exchange, e.Email, e.Host)
		}
		if e.Want.empty() {
			return nil, hint(fmt.Errorf("%s: nothing is wanted, so nothing is tested", o.name), "%s policy test --help shows what can be", program)
		}
		findings, err := e.find(policy, file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
		for _, f := range findings {
			o.problems = append(o.problems, e.Want.compare(f)...)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// beside is what a file names: it lies beside that one, unless its whole path is said.
func beside(file, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(file), name)
}

// find plays what is given in a file.
func (e expectation) find(policy *rules.Policy, file string) ([]finding, error) {
	from, err := e.from()
	if err != nil {
		return nil, err
	}
	o := checkOptions{email: e.Email, host: e.Host, from: from}
	if e.Exchange != "" {
		o.files = []string{beside(file, e.Exchange)}
	}
	if err := o.one(); err != nil {
		return nil, errors.New("want one of exchange, email or host")
	}
	all, err := find(o, policy, strings.NewReader(""))
	if err != nil {
		return nil, err
	}
	if e.Dialect != "" {
		all = slices.DeleteFunc(all, func(f finding) bool { return f.Dialect != e.Dialect })
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("nothing is asked in dialect %q; %s dialects lists them", e.Dialect, program)
	}
	return all, nil
}

func (e expectation) from() (rules.From, error) {
	var from rules.From
	var err error
	if e.Client != "" {
		if from.Client, err = netip.ParseAddr(e.Client); err != nil {
			return from, fmt.Errorf("client: %q is not an address such as 192.0.2.7", e.Client)
		}
	}
	if e.At != "" {
		if from.At, err = time.Parse(time.DateOnly, e.At); err != nil {
			return from, fmt.Errorf("at: %q is not a date such as 2026-12-31", e.At)
		}
	}
	return from, nil
}

// compare says what is not as it should be.
func (w want) compare(f finding) []string {
	var problems []string
	differs := func(what, got, want string) {
		if want != "" && got != want {
			problems = append(problems, fmt.Sprintf("%s: %s is %q, want %q (%s)", f.Asked, what, got, want, f.Reason))
		}
	}
	differs("action", f.Action, w.Action)
	differs("would", f.Would, w.Would)
	differs("upstream", f.Step, w.Upstream)
	if w.Rule != nil && *w.Rule != f.Rule {
		problems = append(problems, fmt.Sprintf("%s: rule is %q, want %q", f.Asked, f.Rule, *w.Rule))
	}
	if w.Forwarded != nil && *w.Forwarded != f.Forwarded {
		problems = append(problems, fmt.Sprintf("%s: credentials forwarded is %v, want %v", f.Asked, f.Forwarded, *w.Forwarded))
	}
	for value, verdict := range w.Suggestions {
		at := slices.IndexFunc(f.Suggestions, func(s suggestionLine) bool { return s.Was == value || s.Now == value })
		switch {
		case at < 0:
			problems = append(problems, fmt.Sprintf("%s: %q is not suggested", f.Asked, value))
		case f.Suggestions[at].Verdict != verdict:
			problems = append(problems, fmt.Sprintf("%s: %q is judged %q, want %q", f.Asked, value, f.Suggestions[at].Verdict, verdict))
		}
	}
	slices.Sort(problems)
	return problems
}

func printOutcomes(out io.Writer, file string, outcomes []outcome) {
	failed := 0
	for _, o := range outcomes {
		word := "ok  "
		if len(o.problems) > 0 {
			word = "FAIL"
			failed++
		}
		fmt.Fprintf(out, "%s  %s\n", word, o.name)
		for _, p := range o.problems {
			fmt.Fprintf(out, "      %s\n", p)
		}
	}
	fmt.Fprintf(out, "%s: %d tests, %d failed\n", file, len(outcomes), failed)
}
