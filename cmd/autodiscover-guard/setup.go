package main

import "github.com/spf13/cobra"

// setupCommand is the parent of what puts the guard in its place.
func setupCommand() *cobra.Command {
	return parent(&cobra.Command{
		Use:   "setup",
		Short: "put the guard in its place: on a desktop, on a gateway",
	}, setupOnCommand(), setupOffCommand(), setupStatusCommand(), setupAutostartCommand(), setupPrintCommand(), setupGatewayCommand())
}
