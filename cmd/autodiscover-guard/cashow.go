package main

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"autodiscover-guard/certs"
)

func caShowCommand() *cobra.Command {
	var flags caFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "what the authority may sign for, how long, where its keys are, and what to do next",
		Long: `Show the authority: the names that it permits, its certificates with their SHA-256 and their ends, whether the root's key is still on this
machine, and what needs somebody. Nothing is made, renewed or changed. Exit code 1 if it cannot sign any more.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, authority, err := flags.open()
			if err != nil {
				return err
			}
			defer authority.Close()
			now := time.Now()
			shown := showAuthority(authority, now)
			if asJSON {
				err = writeJSONLines(cmd.OutOrStdout(), []shownAuthority{shown})
			} else {
				shown.print(cmd.OutOrStdout())
			}
			if err == nil && now.After(authority.Status(now).Ends) {
				return &answerNo{}
			}
			return err
		},
	}
	addCAFlags(cmd, &flags)
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

// shownAuthority is an authority for people and scripts.
type shownAuthority struct {
	Directory     string             `json:"directory"`
	Imported      bool               `json:"imported"`
	Names         []string           `json:"names"` // null where any is permitted
	Unconstrained bool               `json:"unconstrained"`
	RootKey       string             `json:"root_key"` // present, absent, unreadable
	Root          shownCertificate   `json:"root"`
	Chain         []shownCertificate `json:"chain"` // from the issuing certificate up
	Former        []shownCertificate `json:"former_roots"`
	Revocation    []string           `json:"revocation_lists"`
	Ends          time.Time          `json:"ends"`
	Warnings      []shownWarning     `json:"warnings"`
	Next          []string           `json:"next"`
}

type shownCertificate struct {
	Subject   string    `json:"subject"`
	SHA256    string    `json:"sha256"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Days      int       `json:"days_left"`
}

type shownWarning struct {
	Level string `json:"level"`
	Text  string `json:"text"`
	Cure  string `json:"cure"`
}

func showAuthority(a *certs.Authority, now time.Time) shownAuthority {
	s := a.Status(now)
	shown := shownAuthority{
		Directory: a.Dir(), Imported: !s.Own, Names: s.Names, Unconstrained: s.Unconstrained, RootKey: s.RootKey.String(),
		Root: showCertificate(s.Root, now), Chain: []shownCertificate{}, Former: []shownCertificate{}, Ends: s.Ends.UTC(),
		Revocation: append([]string{}, s.Chain[0].CRLDistributionPoints...), Warnings: []shownWarning{}, Next: nextSteps(s),
	}
	for _, c := range s.Chain {
		shown.Chain = append(shown.Chain, showCertificate(c, now))
	}
	for _, c := range s.Former {
		shown.Former = append(shown.Former, showCertificate(c, now))
	}
	for _, w := range s.Warnings {
		shown.Warnings = append(shown.Warnings, shownWarning{w.Level.String(), w.Text, w.Cure})
	}
	return shown
}

func showCertificate(c *x509.Certificate, now time.Time) shownCertificate {
	sum := sha256.Sum256(c.Raw)
	return shownCertificate{
		Subject: c.Subject.String(), SHA256: strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":"),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), Days: int(c.NotAfter.Sub(now) / (24 * time.Hour)),
	}
}

// nextSteps say what somebody might do who looks at an authority.
func nextSteps(s certs.Status) []string {
	var next []string
	for _, w := range s.Warnings {
		next = append(next, w.Cure)
	}
	if s.RootKey != certs.KeyAbsent {
		next = append(next, "move root.key to a place that is not on this machine: it is needed only to renew, at latest when the issuing certificate ends, and to widen")
	}
	if len(s.Former) > 0 {
		next = append(next, "let every client trust the present root; when all do, remove former.pem")
	}
	if s.Unconstrained {
		next = append(next, "have its CA issue one with name constraints: whoever steals this key can pose as any site")
	}
	return append(next, program+" ca export writes the root certificate, which clients have to trust")
}

func (s shownAuthority) print(out io.Writer) {
	line := func(label, format string, a ...any) { fmt.Fprintf(out, "%-12s %s\n", label, fmt.Sprintf(format, a...)) }
	kind := "made by this program"
	if s.Imported {
		kind = "imported from another CA"
	}
	line("authority", "%s (%s)", s.Directory, kind)
	if s.Names == nil {
		line("names", "ANY: nothing constrains it")
	}
	for i, name := range s.Names {
		label := ""
		if i == 0 {
			label = "names"
		}
		line(label, "%s", name)
	}
	if s.Unconstrained && s.Names != nil {
		line("", "and more: its constraints are not complete")
	}
	s.Root.show(line, "root")
	for i, c := range s.Chain {
		c.show(line, map[bool]string{true: "issuing", false: "between"}[i == 0])
	}
	for _, c := range s.Former {
		c.show(line, "former root")
	}
	switch s.RootKey {
	case certs.KeyPresent.String():
		line("root key", "HERE, in %s; it is needed only to renew and to widen", s.Directory)
	case certs.KeyUnreadable.String():
		line("root key", "here, and not readable for this user")
	default:
		line("root key", "not here")
	}
	for _, url := range s.Revocation {
		line("revocation", "%s", url)
	}
	for _, w := range s.Warnings {
		line(w.Level, "%s", w.Text)
	}
	for _, text := range s.Next {
		line("next", "%s", text)
	}
}

func (c shownCertificate) show(line func(label, format string, a ...any), label string) {
	line(label, "%s", c.Subject)
	line("", "SHA-256 %s", c.SHA256)
	line("", "%s to %s, %d days left", c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly), c.Days)
}
