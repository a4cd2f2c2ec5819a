package console

import (
	"slices"
	"strings"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

// row is a decision on the page. All text is printable: what clients and servers have written must not be able to turn a line around.
type row struct {
	Name, Exchange           string
	Time, Exact              string
	Action, Class, Would     string
	Times                    int64 // more than one, or 0
	Domains, Client, Dialect string
	Rule, Host, Reason       string
	Detail                   review.Detail
}

// parse reads a line of the ring.
func parse(line []byte, r *review.Record) bool {
	text := string(line)
	return review.Scan(text, r) || review.Parse(text, r) == nil
}

func newRow(name string, r *review.Record) row {
	out := row{
		Name: name, Exchange: terminal.Printable(r.Exchange), Action: terminal.Printable(r.Action), Class: "other", Would: terminal.Printable(r.Would),
		Domains: orDash(strings.Join(r.Subjects, ", ")), Client: orDash(r.Client), Dialect: orDash(r.Dialect), Rule: orDash(r.Rule), Host: orDash(r.Host),
		Reason: orDash(r.Reason), Detail: review.Explain(r),
	}
	at := time.Unix(0, r.At).UTC()
	out.Time, out.Exact = at.Format("2006-01-02 15:04:05"), at.Format(time.RFC3339Nano)
	if n := r.Times(); n > 1 {
		out.Times = n
	}
	switch {
	case out.Detail.Leaked:
		out.Class = "leak"
	case slices.Contains(actions[:4], r.Action):
		out.Class = r.Action
	}
	return out
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return terminal.Printable(text)
}
