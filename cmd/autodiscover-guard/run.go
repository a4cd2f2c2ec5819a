package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
)

// runCommand gets the standard output as it is: records that could not be written there are counted, and no error at the end.
func runCommand(stdout io.Writer) *cobra.Command {
	var s service
	var dry bool
	overrides := map[string]*string{}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "start the guard",
		Long: `Start the guard. It works without any configuration: it makes its authority in the state directory, listens on 127.0.0.1:8080, and guards
the reserved names. When the file of --config changes, or at SIGHUP, its policy is put in force without a restart; a broken one leaves the old
policy in force. SIGHUP also opens the file of decision records anew, as logrotate wants it. SIGTERM and SIGINT let exchanges in flight finish,
then end it with exit code 0; a second signal ends it at once. Meanwhile /readyz of the admin listener answers 503.

With --with-setup the settings of "setup on" are put in place while it runs, and taken back when it ends; what a crash has left of them is
taken back at the next start.

With --dry-run nothing is started, made or changed: it reads the configuration, every file that this names, and the authority, and ends with exit code 0,
or with 2 and the reason why the guard would not start. It can be asked beside a running guard, and tries no address.

Under systemd it says when it is ready, reloads and stops (Type=notify), serves the watchdog (WatchdogSec=), and takes over sockets that are
named proxy, transparent and admin (FileDescriptorName=). "autodiscover-guard setup gateway --print" prints the units.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := checkPlaces(s.places)
			if err != nil {
				return err
			}
			if s.inherited, err = inheritedSockets(); err != nil {
				return err
			}
			defer s.inherited.close()
			s.load = s.loader(overrides)
			if dry {
				return s.dryRun(cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			return s.run(cmd.Context(), stdout, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&s.file, "config", "", "configuration `FILE` (YAML); without it the defaults of \"autodiscover-guard config\" hold")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only read what a start reads, and say whether the guard would start")
	cmd.Flags().StringVar(&s.places, "with-setup", "", "put the system's and the mail clients' settings in place while it runs: all, or the `PLACES` of \"setup status\"")
	cmd.Flags().Lookup("with-setup").NoOptDefVal = allPlaces
	for _, o := range []struct{ key, about string }{
		{"listen.proxy", "`ADDRESS` to serve clients on"},
		{"listen.admin", "`ADDRESS` of the admin listener (health, metrics, root certificate), or off"},
		{"state", "`DIR` for authority and log"},
		{"log.level", "`LEVEL` of what is written to standard error: debug, info, warn, error"},
	} {
		overrides[o.key] = cmd.Flags().String(flagFor(o.key)[2:], "", o.about)
	}
	return cmd
}

// loader reads the configuration file, and what the service manager's sockets and flags say in its place.
func (s *service) loader(flags map[string]*string) func() (*config.Config, error) {
	addresses := s.inherited.addresses()
	return func() (*config.Config, error) {
		c, err := loadConfig(s.file)
		if err == nil {
			err = override(c, flags)
		}
		if err == nil {
			err = addresses.claim(c)
		}
		if err == nil {
			err = c.Check()
		}
		return c, err
	}
}

// override puts what flags say in the place of what the file says.
func override(c *config.Config, flags map[string]*string) error {
	for key, value := range flags {
		if *value == "" {
			continue
		}
		if err := c.Set(key, *value); err != nil {
			return fmt.Errorf("%s: %w", flagFor(key), err)
		}
	}
	return nil
}

// flagFor is the flag that overrides a key.
func flagFor(key string) string {
	switch key {
	case "listen.proxy":
		return "--listen"
	case "listen.admin":
		return "--admin"
	case "log.level":
		return "--log-level"
	}
	return "--" + key
}
