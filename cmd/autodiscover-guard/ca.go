package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
)

func caCommand() *cobra.Command {
	return parent(&cobra.Command{
		Use:   "ca",
		Short: "the authority: show, export, renew and import it; let clients trust it, prove that they do, take it out again",
	}, caShowCommand(), caExportCommand(), caRenewCommand(), caImportCommand(), caInstallCommand(), caVerifyCommand(), caUninstallCommand())
}

// caFlags say which authority is meant.
type caFlags struct{ config, state string }

func addCAFlags(cmd *cobra.Command, f *caFlags) {
	cmd.Flags().StringVar(&f.config, "config", "", "configuration `FILE`, for its state directory and its policy")
	cmd.Flags().StringVar(&f.state, "state", "", "`DIR` with the authority, as for run")
}

// load reads the configuration and says where its authority is.
func (f *caFlags) load() (*config.Config, string, error) {
	c, err := loadConfig(f.config)
	if err != nil {
		return nil, "", err
	}
	if f.state != "" {
		if err := c.Set("state", f.state); err != nil {
			return nil, "", fmt.Errorf("--state: %w", err)
		}
	}
	state, err := c.StateDir()
	return c, authorityDir(state), err
}

// open opens the authority that is there, and makes none.
func (f *caFlags) open() (*config.Config, *certs.Authority, error) {
	c, dir, err := f.load()
	if err != nil {
		return nil, nil, err
	}
	// Without an address in the configuration, what the certificates name stays: the guard may have been started with other flags.
	authority, err := certs.OpenExisting(dir, certs.RevocationAt(statedRevocationAddress(c)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, noAuthority(c, dir)
	}
	return c, authority, explained(err)
}

// readRoot reads the root certificate of the guard's authority, and nothing else of it, and says which file that is.
func readRoot(c *config.Config) (*x509.Certificate, string, error) {
	state, err := c.StateDir()
	if err != nil {
		return nil, "", err
	}
	dir := authorityDir(state)
	root, file, err := certs.ReadRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", noAuthority(c, dir)
	}
	if err != nil {
		return nil, "", explained(err)
	}
	return root, file, nil
}

// noAuthority says that there is none in dir, and where else one may be. No command but run makes one: what it may sign for depends on the configuration
// with which the guard runs.
func noAuthority(c *config.Config, dir string) error {
	err := fmt.Errorf("there is no authority in %s yet", dir)
	if c.State == "" && serviceHasState() {
		return perhapsOfService(err)
	}
	return hint(err, "start the guard once, which makes it: %s run; %s ca import brings one in; --state names another directory", program, program)
}

// serviceHasState reports whether a service of this computer has its state where systemd makes it. What is in there need not be ours to see.
func serviceHasState() bool {
	info, err := os.Stat(config.ServiceState)
	return err == nil && info.IsDir()
}

// perhapsOfService adds to an error about what is not in a person's state directory where a service has it.
func perhapsOfService(err error) error {
	return hint(err, "a service keeps its own in %[1]s; as its user, or as root, say so: --state %[1]s", config.ServiceState)
}

// explained adds to an error of package certs what to do.
func explained(err error) error {
	if err == nil {
		return nil
	}
	if narrow, ok := errors.AsType[*certs.ScopeError](err); ok {
		if narrow.Foreign {
			return hint(fmt.Errorf("authority: %w", err), "%s ca import FILE takes the new certificate", program)
		}
		return hint(fmt.Errorf("authority: %w", err), "%s ca renew --widen --config FILE does that; clients that trust only the present root are not cut off", program)
	}
	if damaged, ok := errors.AsType[*certs.DamagedError](err); ok {
		return hint(fmt.Errorf("authority: %w", err), "%s", damaged.Remedy)
	}
	return fmt.Errorf("authority: %w", err)
}
