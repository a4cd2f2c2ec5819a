package main

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

func dialectsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "dialects",
		Short: "what is recognised: dialects, their documents, their clients, their central services",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tWHAT\tDEFINED BY\tCLIENTS")
			for _, d := range dialect.All() {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", d.Name, d.Title, d.Citation, d.Clients)
			}
			fmt.Fprintln(w, "\nSERVICE\tDEFAULT\tHOSTS\tNOTE")
			for _, d := range dialect.All() {
				for _, s := range d.Services {
					mode := "off"
					if s.Enforced {
						mode = "enforce"
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Name, mode, strings.Join(s.Hosts, " "), s.Note)
				}
			}
			return w.Flush()
		},
	}
}

func reservedCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "reserved [NAME...]",
		Short: "which names are reserved, by whom, and what follows",
		Long: `Without names, list every reserved name of every set. With names (domains, hosts, mail addresses), say of each who reserves it.
Exit code 1 if one of them is not reserved.

Sets, for policy.sets, and whether they are on where nothing is said:
` + listSets(),
		RunE: func(cmd *cobra.Command, names []string) error {
			all := reserved.All()
			if len(names) == 0 {
				return printEntries(cmd.OutOrStdout(), all.Entries(), asJSON)
			}
			var found []reserved.Entry
			missing := false
			for _, name := range names {
				host := hostName(name[strings.LastIndexByte(name, '@')+1:])
				if host == "" {
					return hint(fmt.Errorf("%q is not a domain name", name), "for example: example.com, autodiscover.example.com, or user@example.com")
				}
				entry, ok := all.MatchSubject(host)
				if !ok {
					missing = true
					fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s is not reserved\n", program, name)
					continue
				}
				found = append(found, entry)
			}
			if err := printEntries(cmd.OutOrStdout(), found, asJSON); err != nil {
				return err
			}
			if missing {
				return &answerNo{}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// listSets is the table in the command's help.
func listSets() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, s := range reserved.Sets() {
		switched := "off"
		if s.Default {
			switched = "on"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", s.Name, switched, s.About)
	}
	_ = w.Flush() // a Builder takes everything
	return strings.TrimRight(b.String(), "\n")
}

// shownEntry is a reserved name for scripts.
type shownEntry struct {
	Name      string `json:"name"`
	Set       string `json:"set"`
	Nature    string `json:"nature"`
	Authority string `json:"authority"`
	Citation  string `json:"citation"`
	Note      string `json:"note,omitempty"`
}

func printEntries(out io.Writer, entries []reserved.Entry, asJSON bool) error {
	if asJSON {
		shown := make([]shownEntry, 0, len(entries))
		for _, e := range entries {
			shown = append(shown, shownEntry{e.Name, e.Set, e.Nature.String(), e.Authority, e.Citation, e.Note})
		}
		return writeJSONLines(out, shown)
	}
	if len(entries) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tNATURE\tSET\tRESERVED BY\tNOTE")
	for _, e := range entries {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s, %s\t%s\n", e.Name, e.Nature, e.Set, e.Authority, e.Citation, e.Note)
	}
	return w.Flush()
}

func configCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "every key of the configuration file, with its default: a file to start from",
		Long: `Print every key of the configuration file, with its meaning and its default: a file to start from, which need not have what stays as it is.
"run --config FILE" starts the guard with a file; "run --dry-run --config FILE" says whether it would, or what is wrong with the file.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprint(cmd.OutOrStdout(), config.Reference())
			return nil
		},
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "version of the program, of Go, and of goproxy",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", program, version())
			if info, ok := debug.ReadBuildInfo(); ok {
				fmt.Fprintln(cmd.OutOrStdout(), info.GoVersion)
				for _, m := range info.Deps {
					if strings.HasSuffix(m.Path, "/goproxy") {
						fmt.Fprintln(cmd.OutOrStdout(), m.Path, m.Version)
					}
				}
			}
			return nil
		},
	}
}

// version is what the build knows of itself: the module's version, or the commit where it was built from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "devel"
}
