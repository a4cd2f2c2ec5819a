package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"autodiscover-guard/cmd/autodiscover-guard/internal/autostart"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
)

func setupAutostartCommand() *cobra.Command {
	var file string
	var printed bool
	cmd := &cobra.Command{
		Use:   "autostart --print",
		Short: "print what starts the guard when you log in",
		Long: `Print what has your session start the guard at each log-in, for this computer: a unit for systemd's user manager, an agent for launchd on macOS, a
command that adds it to the registry on Windows. What to do with it is said on standard error. Nothing on this computer is changed.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !printed {
				return hint(errors.New("setup autostart changes nothing on this computer, it prints"), "say so: %s --print", cmd.CommandPath())
			}
			c, err := loadConfig(file)
			if err != nil {
				return err
			}
			start, err := autostarted(file, c)
			if err != nil {
				return err
			}
			piece, err := autostart.For(runtime.GOOS, start)
			if err != nil {
				return fmt.Errorf("setup autostart: %w", err)
			}
			if _, err := fmt.Fprint(cmd.OutOrStdout(), piece.Text); err != nil {
				return err
			}
			stderr := cmd.ErrOrStderr()
			if piece.Path == "" {
				fmt.Fprintf(stderr, "%s: run this line in a command prompt\n", program)
			} else {
				fmt.Fprintf(stderr, "%s: save it as %s, and then:\n", program, piece.Path)
			}
			for _, command := range piece.Begin {
				fmt.Fprintf(stderr, "  %s\n", command)
			}
			fmt.Fprintf(stderr, "%s: what takes it back: %s\n", program, piece.End)
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration `FILE` to start it with")
	cmd.Flags().BoolVar(&printed, "print", false, "print to the standard output")
	return cmd
}

// autostarted is this program, with a configuration file or none. A state directory that follows from the environment of a shell (XDG_STATE_HOME) is named: a
// session's manager has another environment, and a guard that it starts would make an authority of its own there, which nobody trusts.
func autostarted(file string, c *config.Config) (s autostart.Start, err error) {
	if s.Program, err = os.Executable(); err != nil {
		return s, fmt.Errorf("finding this program: %w", err)
	}
	if strings.Contains(s.Program, "go-build") {
		return s, hint(fmt.Errorf("%s was built for this one time by \"go run\", and will not be there", s.Program), "go install ./cmd/%s, and ask that one", program)
	}
	if s.Home, err = os.UserHomeDir(); err != nil {
		return s, fmt.Errorf("finding your home directory: %w", err)
	}
	if file != "" {
		if s.Config, err = filepath.Abs(file); err != nil {
			return s, fmt.Errorf("finding %q: %w", file, err)
		}
	}
	if c.State == "" && runtime.GOOS != "windows" && filepath.IsAbs(os.Getenv("XDG_STATE_HOME")) {
		s.State, err = c.StateDir()
	}
	return s, err
}
