package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// usage is what the program says without arguments: commands that work when pasted.
const usage = `autodiscover-guard keeps mail clients from being told servers that an account's domain must not have.

  autodiscover-guard demo                               see the example.com incident stopped, on this machine
  autodiscover-guard run                                start the guard on 127.0.0.1:8080
  autodiscover-guard check --email user@example.com     what would happen to this account's discovery, and why

More:
  autodiscover-guard check FILE...                      decide on saved exchanges (HAR, or raw HTTP as curl -v shows it)
  autodiscover-guard status                             whether the guard runs and takes new work
  autodiscover-guard doctor                             play every client's discovery through the running guard, and say what is wrong
  autodiscover-guard policy show                        the rules in force, numbered, and where each comes from
  autodiscover-guard policy test FILE...                check expectations that are written beside a policy
  autodiscover-guard review [FILE...]                   what the decision records of a running guard say
  autodiscover-guard ca show                            what the authority may sign for, how long, and what to do next
  autodiscover-guard ca install                         let the clients of this computer trust the authority; verify, uninstall
  autodiscover-guard setup on | off | status            system proxy and mail-client settings, exactly undone
  autodiscover-guard setup autostart --print            what starts the guard when you log in
  autodiscover-guard setup print --for KIND             pieces for Thunderbird, Outlook, name servers, packet filters
  autodiscover-guard dialects                           what is recognised
  autodiscover-guard reserved [NAME...]                 which names are reserved, and by whom
  autodiscover-guard setup gateway --print              units and packet filter for a gateway
  autodiscover-guard config                             every key of the configuration file, with its default
  autodiscover-guard completion SHELL                   completions for bash, fish, powershell, zsh
  autodiscover-guard COMMAND --help                     all flags

Exit codes: 0 fine, 1 the answer is "no", 2 usage, configuration, or what stops a start.
`

func rootCommand(stdin io.Reader, stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           program,
		Short:         "keeps mail clients from being told servers that an account's domain must not have",
		Version:       version(),
		Args:          noArguments,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprint(cmd.OutOrStdout(), usage)
			return nil
		},
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetIn(stdin)
	root.SetOut(&answer{Writer: stdout})
	root.SetErr(stderr)
	root.SetFlagErrorFunc(wrongFlag)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return refuseEmpty(cmd.Flags()) }
	root.AddCommand(runCommand(stdout), demoCommand(), checkCommand(), doctorCommand(), statusCommand(), policyCommand(), reviewCommand(), caCommand(), setupCommand(), dialectsCommand(), reservedCommand(), configCommand(), versionCommand())
	ownWords(root)
	completeWords(root)
	return root
}

// answer is standard output, and remembers that something could not be written there: a file with half a configuration in it is no success.
type answer struct {
	io.Writer
	err error
}

func (a *answer) Write(text []byte) (int, error) {
	n, err := a.Writer.Write(text)
	a.err = cmp.Or(a.err, err)
	return n, err
}

// parent makes a command of one that does nothing itself, and has others below it.
func parent(cmd *cobra.Command, below ...*cobra.Command) *cobra.Command {
	cmd.Args = noArguments
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var names []string
		for _, child := range cmd.Commands() {
			names = append(names, child.Name())
		}
		return hint(fmt.Errorf("%s wants a command", cmd.CommandPath()), "%s %s", cmd.CommandPath(), strings.Join(names, " | "))
	}
	cmd.AddCommand(below...)
	return cmd
}

// ownWords has the commands that cobra brings along answer mistakes as ours do: it takes any word for "help", and shows its help where a shell's
// script was to be written into a file (cobra v1.10.2, command.go: InitDefaultHelpCmd, completions.go: InitDefaultCompletionCmd).
func ownWords(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			parent(cmd)
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				found, rest, err := root.Find(args)
				if err == nil && found.HasSubCommands() {
					err = noArguments(found, rest)
				}
				return err
			}
		}
	}
}
