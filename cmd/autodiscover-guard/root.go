package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
)

// usage is what the program says without arguments: commands that work when pasted.
const usage = `autodiscover-guard keeps mail clients from being told servers that an account's domain must not have.

  autodiscover-guard demo                               see the example.com incident stopped, on this machine
  autodiscover-guard run                                start the guard on 127.0.0.1:8080
  autodiscover-guard check --email user@example.com     what would happen to this account's discovery, and why

More:
  autodiscover-guard check FILE...                      decide on saved exchanges (HAR, or raw HTTP as curl -v shows it)
  autodiscover-guard doctor                             play every client's discovery through the running guard, and say what is wrong
  autodiscover-guard policy show                        the rules in force, numbered, and where each comes from
  autodiscover-guard policy test FILE...                check expectations that are written beside a policy
  autodiscover-guard review [FILE...]                   what the decision records of a running guard say
  autodiscover-guard ca show                            what the authority may sign for, how long, and what to do next
  autodiscover-guard ca install                         let the clients of this computer trust the authority; verify, uninstall
  autodiscover-guard setup on | off | status            system proxy and mail-client settings, exactly undone
  autodiscover-guard setup print --for KIND             pieces for Thunderbird, Outlook, name servers, packet filters
  autodiscover-guard dialects                           what is recognised
  autodiscover-guard reserved [NAME...]                 which names are reserved, and by whom
  autodiscover-guard setup gateway --print              units and packet filter for a gateway
  autodiscover-guard config                             every key of the configuration file, with its default
  autodiscover-guard COMMAND --help                     all flags
`

func rootCommand(stdin io.Reader, stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           program,
		Short:         "keeps mail clients from being told servers that an account's domain must not have",
		Args:          noArguments,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprint(cmd.OutOrStdout(), usage)
			return nil
		},
	}
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		lists := cmd.CommandPath() + " --help lists the flags"
		if meant := meantFlag(cmd, err); meant != "" {
			return hint(err, "did you mean --%s? %s", meant, lists)
		}
		return hint(err, "%s", lists)
	})
	root.AddCommand(runCommand(), demoCommand(), checkCommand(), doctorCommand(), policyCommand(), reviewCommand(), caCommand(), setupCommand(), dialectsCommand(), reservedCommand(), configCommand(), versionCommand())
	return root
}

// likely is as many wrong letters as make a suggestion worth a try.
const likely = 2

// meantFlag is the flag of cmd that was probably meant by one that does not exist, or "".
func meantFlag(cmd *cobra.Command, err error) string {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return ""
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return config.Nearest(missing.GetSpecifiedName(), names)
}

// noArguments refuses arguments: to a command that has others below it, and to the program itself, they are commands that do not exist.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return fmt.Errorf("%s takes no arguments, got %q", cmd.CommandPath(), args[0])
	}
	above := strings.TrimPrefix(cmd.CommandPath()+" ", program+" ")
	err := fmt.Errorf("unknown command %q", above+args[0])
	cmd.SuggestionsMinimumDistance = likely
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return hint(err, "did you mean %q?", above+near[0])
	}
	if !cmd.HasParent() {
		return hint(err, "%s alone lists the commands", program)
	}
	return hint(err, "%s --help lists them", cmd.CommandPath())
}
