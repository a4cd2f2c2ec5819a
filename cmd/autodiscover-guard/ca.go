package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func caCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "the authority: let clients trust it, prove that they do, take it out again",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return hint(fmt.Errorf("%s wants a command", cmd.CommandPath()), "%s --help lists them", cmd.CommandPath())
		},
	}
	cmd.AddCommand(caInstallCommand(), caVerifyCommand(), caUninstallCommand())
	return cmd
}
