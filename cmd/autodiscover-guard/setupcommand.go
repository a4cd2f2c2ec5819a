package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// setupCommand is the parent of what puts the guard in its place.
func setupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "put the guard in its place: on a desktop, on a gateway",
		Args:  noArguments,
	}
	cmd.AddCommand(setupOnCommand(), setupOffCommand(), setupStatusCommand(), setupGatewayCommand())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var names []string
		for _, child := range cmd.Commands() {
			names = append(names, cmd.CommandPath()+" "+child.Name())
		}
		return hint(fmt.Errorf("%s wants a command", cmd.CommandPath()), "%s", strings.Join(names, ", or "))
	}
	return cmd
}
