package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"autodiscover-guard/certs/truststore"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
)

// trustStores says about --store what all three commands do; it ends their help.
const trustStores = `
Stores, for --store:
  system     of the computer: Debian, Ubuntu, Fedora, RHEL, Arch, SUSE, macOS (System keychain), Windows; needs the administrator
  user       of one user: macOS (login keychain) and Windows; Linux has none
  policies   enterprise policies of Firefox and Thunderbird (policies.json, merged); needs the administrator
  nss        databases of Thunderbird, Firefox, Chromium, Evolution (packages of the distribution, Snap, Flatpak; every profile)
  java       keystores of Java runtimes (cacerts)
Without --store, all of them that this computer has.
`

// trustFlags are the flags of the commands that look at trust stores.
type trustFlags struct {
	config, state, home string
	stores              []string
	places              map[string]*[]string
	asJSON, dryRun      bool
}

// placeFlags are the flags that name a store's places one by one.
var placeFlags = map[string]string{truststore.NSS: "nss-database", truststore.Java: "keystore", truststore.Policies: "policies-file"}

// addTrustFlags adds them. action is what a dry run would leave undone, "" for a command that changes nothing.
func addTrustFlags(cmd *cobra.Command, f *trustFlags, action string) {
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "configuration `FILE`, for its state directory")
	flags.StringVar(&f.state, "state", "", "`DIR` with the authority, as for run")
	flags.StringVar(&f.home, "home", "", "home `DIR` whose profiles are looked at, instead of your own")
	flags.StringSliceVar(&f.stores, "store", nil, "`STORES` to work on, separated by commas")
	f.places = map[string]*[]string{
		truststore.NSS:      flags.StringArray(placeFlags[truststore.NSS], nil, "`DIR` of an NSS database: work on this one (may be repeated)"),
		truststore.Java:     flags.StringArray(placeFlags[truststore.Java], nil, "`FILE` of a Java keystore: work on this one (may be repeated)"),
		truststore.Policies: flags.StringArray(placeFlags[truststore.Policies], nil, "policies.json `FILE`: work on this one (may be repeated)"),
	}
	flags.BoolVar(&f.asJSON, "json", false, "one JSON object a line, for every place that was found")
	if action != "" {
		flags.BoolVar(&f.dryRun, "dry-run", false, "say what would be "+action+", and change nothing")
	}
}

// chosen are the stores to work on. explicit says that somebody named them, and so means each of them.
func (f *trustFlags) chosen() (names []string, explicit bool, err error) {
	known := truststore.Names()
	for _, name := range f.stores {
		if err := spelling.Known("store", name, known...); err != nil {
			return nil, false, fmt.Errorf("--store: %w", err)
		}
		names = append(names, name)
	}
	for _, name := range known {
		if given, ok := f.places[name]; ok && len(*given) > 0 && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if names == nil {
		return known, false, nil
	}
	return names, true, nil
}

// truster is what the commands work with.
type truster struct {
	names    []string
	explicit bool
	guard    *config.Config // whose authority it is
	state    string
	config   truststore.Config
}

// open finds everything but the root.
func (f *trustFlags) open() (*truster, error) {
	names, explicit, err := f.chosen()
	if err != nil {
		return nil, err
	}
	c, err := loadConfig(f.config)
	if err != nil {
		return nil, err
	}
	if f.state != "" {
		if err := c.Set("state", f.state); err != nil {
			return nil, fmt.Errorf("--state: %w", err)
		}
	}
	t := &truster{names: names, explicit: explicit, guard: c}
	if t.state, err = c.StateDir(); err != nil {
		return nil, err
	}
	home := f.home
	if home == "" {
		if home, err = os.UserHomeDir(); err != nil {
			return nil, hint(err, "--home DIR names the home directory")
		}
	}
	if home, err = filepath.Abs(home); err != nil {
		return nil, fmt.Errorf("--home: %w", err)
	}
	t.config = truststore.Config{Journal: trustJournal(t.state), Home: home, Admin: isAdmin(), Places: map[string][]string{}}
	for store, given := range f.places {
		for _, path := range *given {
			abs, err := filepath.Abs(path)
			if err != nil {
				return nil, err
			}
			t.config.Places[store] = append(t.config.Places[store], abs)
		}
	}
	return t, nil
}

// root reads the authority's root.
func (t *truster) root() (*x509.Certificate, string, error) { return readRoot(t.guard) }

// stores are the trust stores for one root.
func (t *truster) stores(root *x509.Certificate, file string) (*truststore.Stores, error) {
	c := t.config
	c.Root, c.RootFile = root, file
	return truststore.New(c)
}

// trustWork is what is done to the chosen stores.
type trustWork func(s *truststore.Stores, ctx context.Context, names ...string) []truststore.Report

// current does it for the authority's root.
func (t *truster) current(ctx context.Context, work trustWork) ([]truststore.Report, error) {
	root, file, err := t.root()
	if err != nil {
		return nil, err
	}
	s, err := t.stores(root, file)
	if err != nil {
		return nil, err
	}
	return work(s, ctx, t.names...), nil
}

// change is what install and uninstall have in common: work, or what it would do, for the roots that reports chooses; then the answer.
func (f *trustFlags) change(cmd *cobra.Command, work, plan trustWork,
	reports func(*truster, context.Context, trustWork) ([]truststore.Report, error), answer func(*truster, *cobra.Command, []truststore.Report) error,
) error {
	t, err := f.open()
	if err != nil {
		return err
	}
	if f.dryRun {
		work = plan
	}
	done, err := reports(t, cmd.Context(), work)
	if err != nil {
		return err
	}
	if err := t.print(cmd.OutOrStdout(), cmd.Name(), done, f.asJSON); err != nil {
		return err
	}
	return answer(t, cmd, done)
}
