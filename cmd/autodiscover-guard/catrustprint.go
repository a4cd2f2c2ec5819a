package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"autodiscover-guard/certs/truststore"
)

// placeReport is a report with the command for what this process may not do.
type placeReport struct {
	truststore.Report
	Command string `json:"command,omitempty"`
}

// asAdmin is the command that does what this process may not do: to the store, or to the one place where somebody named that, or where the administrator, who has
// another home, would not look.
func (t *truster) asAdmin(verb string, r truststore.Report) string {
	where := []string{"--store", r.Store}
	below, err := filepath.Rel(t.config.Home, r.Path)
	if flag := placeFlags[r.Store]; flag != "" && (len(t.config.Places[r.Store]) > 0 || r.Store == truststore.NSS || err == nil && filepath.IsLocal(below)) {
		where = []string{"--" + flag, r.Path}
	}
	self, err := os.Executable()
	if err != nil {
		self = program
	}
	c := truststore.Command{Name: self, Args: slices.Concat([]string{"ca", verb}, where, []string{"--state", t.state})}
	if runtime.GOOS == "windows" {
		return "as administrator: " + c.String()
	}
	return truststore.Command{Name: "sudo", Args: append([]string{c.Name}, c.Args...)}.String()
}

// print writes what was done, and what to do where that was not possible.
func (t *truster) print(out io.Writer, verb string, reports []truststore.Report, asJSON bool) error {
	all := make([]placeReport, 0, len(reports))
	for _, r := range reports {
		p := placeReport{Report: r}
		if r.Status == truststore.NeedsAdmin {
			p.Command = t.asAdmin(verb, r)
		}
		all = append(all, p)
	}
	if asJSON {
		return writeJSONLines(out, all)
	}
	for _, p := range all {
		p.print(out)
	}
	return nil
}

func (p placeReport) print(out io.Writer) {
	status := string(p.Status)
	if p.Exact {
		status += ", exactly as before"
	}
	fmt.Fprintf(out, "%-10s %s: %s\n", p.Store, strings.TrimSpace(p.Program+" "+p.Path), status)
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(out, "           %-9s %s\n", label, text)
		}
	}
	label := "did"
	if p.Status == truststore.Planned || p.Status == truststore.NeedsAdmin {
		label = "would"
	}
	for _, did := range p.Did {
		line(label, did)
	}
	line("verified", p.Verified)
	line("note", p.Note)
	line("do", p.Command)
	if p.Status == truststore.Installed || p.Status == truststore.Present {
		line("undo", p.Undo)
	}
}

// count is how many reports have one of the statuses.
func count(reports []truststore.Report, statuses ...truststore.Status) int {
	n := 0
	for _, r := range reports {
		for _, s := range statuses {
			if r.Status == s {
				n++
			}
		}
	}
	return n
}

// found reports, of stores that were named, whether each has a place at all, and says which has none.
func (t *truster) found(talk io.Writer, reports []truststore.Report) bool {
	all := true
	for _, name := range t.names {
		has := false
		for _, r := range reports {
			has = has || r.Store == name
		}
		if !has && t.explicit {
			fmt.Fprintf(talk, "%s: nothing of the store %q was found\n", program, name)
			all = false
		}
	}
	return all
}
