package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
	"autodiscover-guard/rules"
)

func checkCommand() *cobra.Command {
	var o checkOptions
	var client string
	cmd := &cobra.Command{
		Use:   "check (--email ADDRESS | --host HOST | FILE...)",
		Short: "decide offline: which rule, what would happen, why",
		Long: `Decide without any traffic. With --email, play the discovery questions of every dialect for an account; with --host, say what happens to
connections to a host; with files, decide on saved exchanges: a HAR, a raw HTTP request followed by its response, or all that curl -v shows; - is the standard input.
Exit code 0 if everything passes as it is or goes by unread, 1 if something is changed or refused, or its answer will be judged, 2 for mistakes.`,
		RunE: func(cmd *cobra.Command, files []string) error {
			o.files = files
			o.from.At = time.Now()
			if client != "" {
				var err error
				if o.from.Client, err = netip.ParseAddr(client); err != nil {
					return fmt.Errorf("--client: %q is not an address such as 192.0.2.7", client)
				}
			}
			return check(o, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&client, "client", "", "`ADDRESS` of the client, for rules that are for some clients only")
	cmd.Flags().StringVar(&o.config, "config", "", "configuration `FILE` whose policy decides")
	cmd.Flags().StringVar(&o.email, "email", "", "mail `ADDRESS` of an account")
	cmd.Flags().StringVar(&o.host, "host", "", "`HOST` that somebody connects to, at port 443 or HOST:PORT")
	cmd.Flags().BoolVar(&o.json, "json", false, "one JSON object a line")
	return cmd
}

type checkOptions struct {
	config, email, host string
	files               []string
	json                bool
	from                rules.From
}

// one reports whether exactly one thing is asked about.
func (o checkOptions) one() error {
	asked := 0
	for _, given := range []bool{o.email != "", o.host != "", len(o.files) > 0} {
		if given {
			asked++
		}
	}
	if asked != 1 {
		return hint(errors.New("check wants one of --email, --host, or files"), "for example: %s check --email user@example.com", program)
	}
	return nil
}

// finding is one line of the answer.
type finding struct {
	Source      string           `json:"source"`
	Asked       string           `json:"asked"`
	Dialect     string           `json:"dialect,omitempty"`
	Step        string           `json:"step"`
	Action      string           `json:"action"`
	Would       string           `json:"would,omitempty"`
	Rule        string           `json:"rule,omitempty"`
	Reason      string           `json:"reason"`
	Note        string           `json:"note,omitempty"`
	ReservedBy  string           `json:"reserved_by,omitempty"`
	Forwarded   bool             `json:"forwarded"`
	Subjects    []string         `json:"subjects,omitempty"`
	Suggestions []suggestionLine `json:"suggestions,omitempty"`
	Sent        *sent            `json:"sent,omitempty"`
}

type suggestionLine struct {
	Path    string `json:"path"`
	Kind    string `json:"kind"`
	Was     string `json:"was"`
	Now     string `json:"now"`
	Verdict string `json:"verdict"`
}

// sent is the answer that a client would get from the guard instead of upstream's.
type sent struct {
	Status      int    `json:"status"`
	ContentType string `json:"content_type,omitempty"`
	Body        string `json:"body"`
}

func check(o checkOptions, stdin io.Reader, stdout io.Writer) error {
	if err := o.one(); err != nil {
		return err
	}
	_, policy, err := loadPolicy(o.config)
	if err != nil {
		return err
	}
	findings, err := find(o, policy, stdin)
	if err != nil {
		return err
	}
	if err := report(stdout, findings, o.json); err != nil {
		return err
	}
	for _, f := range findings {
		if f.Action != actionPass && f.Action != actionTunnel {
			return &answerNo{}
		}
	}
	return nil
}

func find(o checkOptions, policy *rules.Policy, stdin io.Reader) ([]finding, error) {
	switch {
	case o.email != "":
		return findEmail(policy, o.email, o.from)
	case o.host != "":
		return findHost(policy, o.host)
	}
	var all []finding
	for _, file := range o.files {
		exchanges, err := readSaved(file, stdin)
		if errors.Is(err, fs.ErrNotExist) && strings.Contains(file, "@") {
			return nil, hint(err, "for an account use --email %s", file)
		}
		if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(file, `/\`) {
			return nil, hint(err, "if it is a host or a domain: --host %s", file)
		}
		if err != nil {
			return nil, err
		}
		for _, x := range exchanges {
			f := findExchange(policy, file, x, o.from)
			if tunnelled(policy, x.request.URL) {
				f.Note = "the guard does not open this host: over https the exchange is tunnelled unread, and this is what happens over http"
			}
			all = append(all, f)
		}
	}
	return all, nil
}

func report(out io.Writer, findings []finding, asJSON bool) error {
	if asJSON {
		return writeJSONLines(out, findings)
	}
	for i, f := range findings {
		if i > 0 {
			fmt.Fprintln(out)
		}
		f.print(out)
	}
	return nil
}

func (f finding) print(out io.Writer) {
	line := func(label, value string) {
		if value != "" {
			fmt.Fprintf(out, "  %-12s %s\n", label, terminal.Printable(value))
		}
	}
	fmt.Fprintf(out, "%s: %s\n", strings.ToUpper(f.Action), terminal.Printable(f.Asked))
	line("dialect", f.Dialect)
	line("subjects", strings.Join(f.Subjects, ", "))
	line("rule", f.Rule)
	line("reserved by", f.ReservedBy)
	line("would", f.Would)
	line("upstream", upstreamWords[f.Step])
	line("why", f.Reason)
	line("note", f.Note)
	for _, s := range f.Suggestions {
		what := s.Was
		if s.Verdict == "rewrite" {
			what += " → " + s.Now
		}
		line(s.Verdict, what+"  at "+s.Path)
	}
	if f.Sent != nil {
		line("sent", fmt.Sprintf("%d %s", f.Sent.Status, f.Sent.ContentType))
		for text := range strings.SplitSeq(f.Sent.Body, "\n") {
			line("", strings.ReplaceAll(strings.TrimSuffix(text, "\r"), "\t", "    "))
		}
	}
}

// upstreamWords says what a step means to somebody who has not read the package documentation.
var upstreamWords = map[string]string{
	rules.Refuse.String():  "not asked",
	rules.Reply.String():   "not asked: the rule answers with its own servers",
	rules.Scrub.String():   "asked without the secrets",
	rules.Forward.String(): "asked as the client asks",
	rules.Watch.String():   "asked as the client asks",
	rules.Ignore.String():  "asked, and not looked at: this is not discovery",
}
