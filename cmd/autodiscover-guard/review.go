package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
)

// reviewFlags are the flags of "review" as they were given.
type reviewFlags struct {
	since, until, format, explain, print       string
	domains, clients, actions, dialects, rules []string
	failOn                                     []string
	follow                                     bool
	top                                        int
	// guard is the one whose records are meant where no file is named.
	guard setupFlags
}

func reviewCommand() *cobra.Command {
	var f reviewFlags
	cmd := &cobra.Command{
		Use:   "review [FILE...|-]",
		Short: "read decision records back: what leaked, what was stopped, what is new",
		Long: `Read decision records, any number of them, and say what matters: leaks that were not stopped, leaks that were, strangers that are new, clients that
do not trust the guard or go past its proxy, pinned domains that were offered other servers, answers that nobody could read, latencies, failures, changes and gaps.

FILE is a log as "run" writes it; gzip and Zstandard files are read as they are, and - is standard input. The guard's own messages (standard error of
"run") may be among them: reloads are told there, and failed handshakes where no decision record has them. Without FILE, the decisions of the guard
with the usual state directory are read, or of the one that --state or --config says, rotated ones included.

Times are UTC. With --since, what the log has from before is read, too: it tells which strangers are new.

Exit code 1 where --fail-on names something that was found (leak: not stopped; parse: an answer or a line that nobody could read; pin: a pinned domain
that was offered other servers; trust: a client that does not trust the authority, or left in the handshake; empty: no decision, so nothing came by the
guard), or where --explain finds no such exchange. Exit code 2 where a file's rest cannot be read, too; the report has everything else.`,
		Example: `  autodiscover-guard review --since 7d
  autodiscover-guard review --domain corp.example.net --format html decisions*.jsonl.gz > report.html
  autodiscover-guard review --fail-on leak,parse decisions.jsonl
  autodiscover-guard review --print lnav > decisions.lnav.json && lnav -i decisions.lnav.json`,
		RunE: func(cmd *cobra.Command, files []string) error {
			return f.run(cmd, files)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.guard.file, "config", "", "configuration `FILE` of the guard whose records are read")
	flags.StringVar(&f.guard.state, "state", "", "`DIR` of the state of that guard")
	flags.StringVar(&f.since, "since", "", "decisions from this `TIME` on: 2026-11-24, 2026-11-24T06:00:00Z, or how long ago (24h, 7d)")
	flags.StringVar(&f.until, "until", "", "decisions before this `TIME`")
	flags.StringSliceVar(&f.domains, "domain", nil, "only about this mail `DOMAIN`, and those below it")
	flags.StringSliceVar(&f.clients, "client", nil, "only of this client: an `ADDRESS`, or a range (192.0.2.0/24)")
	flags.StringSliceVar(&f.actions, "action", nil, "only with this `ACTION`: "+strings.Join(review.Actions(), ", "))
	flags.StringSliceVar(&f.dialects, "dialect", nil, "only in this `DIALECT`, as \""+program+" dialects\" lists them")
	flags.StringSliceVar(&f.rules, "rule", nil, "only by this `RULE`")
	flags.StringVar(&f.format, "format", "table", "`FORMAT`: table, json, md, html, csv; or every record in other words: ecs, ocsf")
	flags.IntVar(&f.top, "top", 20, "at most `N` rows a section; 0 is all")
	flags.StringVar(&f.explain, "explain", "", "tell in words what became of one `EXCHANGE`")
	flags.StringSliceVar(&f.failOn, "fail-on", nil, "exit code 1 where there is a `FINDING`: "+strings.Join(review.Failures(), ", "))
	flags.BoolVar(&f.follow, "follow", false, "go on when the file grows, a line for each decision, and the summary when interrupted")
	flags.StringVar(&f.print, "print", "", "print what helps other programs, `WHAT`: schema, schema-handshake, lnav, jq, goaccess")
	return cmd
}

func (f *reviewFlags) run(cmd *cobra.Command, files []string) error {
	if err := f.alone(cmd.Flags().NFlag(), files); err != nil {
		return err
	}
	if f.print != "" {
		return printRecipe(cmd.OutOrStdout(), f.print)
	}
	filter, err := f.filter(time.Now())
	if err != nil {
		return err
	}
	if err := f.check(files); err != nil {
		return err
	}
	found := len(files) == 0
	if found {
		if files, err = f.guard.decisions(); err != nil {
			return err
		}
	}
	files = distinct(files)
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	read := func(c review.Consumer) (review.Log, error) {
		show, end := progress(cmd.ErrOrStderr())
		defer end()
		return review.Read(ctx, review.Sources{Files: files, Stdin: cmd.InOrStdin(), Progress: show}, c)
	}
	switch format := review.Format(f.format); {
	case f.explain != "":
		return explain(f.explain, read, out)
	case format == review.FormatECS, format == review.FormatOCSF:
		c := review.NewConverter(filter, format, out)
		_, err := read(c)
		return errors.Join(err, c.Err())
	case f.follow: // nothing else has something to do at a signal, and what waits for a pipe would not notice
		ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer stop()
		return f.followed(ctx, files[len(files)-1], filter, out, cmd.ErrOrStderr()) // of a guard's log, what was moved aside stands before what grows
	}
	if found {
		// To a summary the order is all the same. What grows comes first: were it moved aside while others are read, the youngest records would be in none of the files.
		files = slices.Concat(files[len(files)-1:], files[:len(files)-1])
	}
	summary := review.NewSummary(filter)
	log, err := read(summary)
	short, cut := errors.AsType[*review.CutShortError](err)
	if err != nil && !cut {
		return err
	}
	err = f.report(summary.Report(log, f.top), out, cmd.ErrOrStderr())
	if cut {
		return hint(short, "the report is about everything else")
	}
	return err
}

// alone refuses what would be ignored beside files, or beside a flag that leaves nothing to say for others, of which flags counts all that were given.
func (f *reviewFlags) alone(flags int, files []string) error {
	places := 0
	for _, place := range [...]struct{ flag, given string }{{"--config", f.guard.file}, {"--state", f.guard.state}} {
		if place.given == "" {
			continue
		}
		if places++; len(files) > 0 {
			return hint(fmt.Errorf("%s says whose records are read where no file is named, and here is %s", place.flag, files[0]), "leave one of them out")
		}
	}
	switch {
	case f.print != "" && (flags > 1 || len(files) > 0):
		return errors.New("--print stands alone: no log is read for it")
	case f.explain != "" && flags > 1+places:
		return errors.New("--explain goes with files, and with no other flag but --state and --config: one exchange is looked for in all of them")
	}
	return nil
}

// check finds what does not exist, and what does not fit together.
func (f *reviewFlags) check(files []string) error {
	var formats []string
	for _, format := range append(review.Formats(), review.FormatECS, review.FormatOCSF) {
		formats = append(formats, string(format))
	}
	for _, flag := range []struct {
		name, what   string
		given, known []string
	}{
		{"--format", "format", []string{f.format}, formats},
		{"--fail-on", "finding", f.failOn, review.Failures()},
		{"--action", "action", f.actions, review.Actions()},
		{"--dialect", "dialect", f.dialects, review.Dialects()},
	} {
		for _, word := range flag.given {
			if err := spelling.Known(flag.what, word, flag.known...); err != nil {
				return fmt.Errorf("%s: %w", flag.name, err)
			}
		}
	}
	if f.top < 0 {
		return errors.New("--top: want a number of rows, or 0 for all")
	}
	if !slices.Contains(review.Formats(), review.Format(f.format)) && len(f.failOn) > 0 {
		return fmt.Errorf("--fail-on: --format %s writes no report that could fail", f.format)
	}
	if !f.follow {
		return nil
	}
	if len(files) > 1 || len(files) == 1 && files[0] == "-" {
		return errors.New("--follow: want one file")
	}
	if f.format != string(review.FormatTable) && f.format != string(review.FormatJSON) {
		return errors.New("--follow: want --format table or json")
	}
	return nil
}

func (f *reviewFlags) filter(now time.Time) (review.Filter, error) {
	filter := review.Filter{Actions: f.actions, Dialects: f.dialects, Rules: f.rules}
	for _, d := range f.domains {
		domain, err := review.ParseDomain(d)
		if err != nil {
			return filter, fmt.Errorf("--domain: %w", err)
		}
		filter.Domains = append(filter.Domains, domain)
	}
	for _, c := range f.clients {
		p, err := review.ParseClient(c)
		if err != nil {
			return filter, fmt.Errorf("--client: %w", err)
		}
		filter.Clients = append(filter.Clients, p)
	}
	for _, t := range []struct {
		flag, text string
		to         *int64
	}{{"--since", f.since, &filter.Since}, {"--until", f.until, &filter.Until}} {
		if t.text == "" {
			continue
		}
		at, err := review.ParseMoment(t.text, now)
		if err != nil {
			return filter, fmt.Errorf("%s: %w", t.flag, err)
		}
		*t.to = at
	}
	if filter.Until != 0 && filter.Until <= filter.Since {
		return filter, errors.New("--until: it is not after --since, so nothing would be left")
	}
	return filter, nil
}

// report writes the report, and ends with "no" where it has what must not be.
func (f *reviewFlags) report(r *review.Report, out, stderr io.Writer) error {
	if err := r.Write(out, review.Format(f.format)); err != nil {
		return err
	}
	fails := r.Fails(f.failOn)
	for _, found := range fails {
		fmt.Fprintf(stderr, "%s: found %s\n", program, found)
	}
	if len(fails) > 0 {
		return &answerNo{}
	}
	return nil
}

// lookAgain is how often a file that is followed is looked at.
const lookAgain = 250 * time.Millisecond

func (f *reviewFlags) followed(ctx context.Context, file string, filter review.Filter, out, stderr io.Writer) error {
	summary := review.NewSummary(filter)
	live := review.NewLive(summary, out, review.Format(f.format) == review.FormatJSON)
	log, err := review.Follow(ctx, file, lookAgain, live.Start, live)
	if err != nil {
		return err
	}
	return f.report(summary.Report(log, f.top), out, stderr)
}

func explain(exchange string, read func(review.Consumer) (review.Log, error), out io.Writer) error {
	x := review.NewExplainer(exchange, out)
	if _, err := read(x); err != nil {
		return err
	}
	if x.Found == 0 {
		fmt.Fprintf(out, "There is no exchange %q.\n", exchange)
		return &answerNo{}
	}
	return nil
}

func printRecipe(out io.Writer, name string) error {
	var names, all []string
	for _, r := range review.Recipes() {
		if r.Name == name {
			_, err := io.WriteString(out, r.Text)
			return err
		}
		names, all = append(names, r.Name), append(all, r.Name+" ("+r.About+")")
	}
	err := fmt.Errorf("--print: %w", spelling.Known("recipe", name, names...))
	if spelling.Nearest(name, names) != "" {
		return err
	}
	return hint(err, "there are: %s", strings.Join(all, "; "))
}
