package review

import (
	"fmt"
	"io"
	"strings"

	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

// Live hands everything to a summary and, once it is started, writes a line for every decision that the summary's filter lets through. It implements
// Consumer.
type Live struct {
	*Summary
	out     io.Writer
	raw     bool
	started bool
}

// NewLive makes one. With raw, lines are written as they are read, otherwise for people.
func NewLive(s *Summary, out io.Writer, raw bool) *Live { return &Live{Summary: s, out: out, raw: raw} }

// Start makes it write from now on.
func (l *Live) Start() { l.started = true }

// Decision implements Consumer.
func (l *Live) Decision(r *Record, line string) {
	l.Summary.Decision(r, line)
	if !l.started || !l.filter.Match(r) {
		return
	}
	if l.raw {
		fmt.Fprintln(l.out, line)
		return
	}
	text := fmt.Sprintf("%s  %-6s  %s  %s  %s  %s", Moment(r.At), r.Action, r.Client, r.Dialect, strings.Join(r.Subjects, ","), r.Reason)
	if len(l.leak.strangers) > 0 {
		text += "  [" + strings.Join(l.leak.strangers, ", ") + "]"
	}
	if l.leak.leaked() {
		text += "  NOT STOPPED"
	}
	if n := r.Times(); n > 1 {
		text += "  (" + thousands(n) + " times)"
	}
	fmt.Fprintln(l.out, terminal.Printable(text))
}
