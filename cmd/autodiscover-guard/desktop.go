package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/desktop"
)

// setupFlags are those of the setup commands.
type setupFlags struct {
	file, state, pac string
	asJSON           bool
	options          desktop.Options
}

func setupOnCommand() *cobra.Command {
	var f setupFlags
	cmd := &cobra.Command{
		Use:   "on",
		Short: "put the settings in place",
		Long: `Point the proxy settings of this computer and its mail clients at the guard's PAC (proxy auto-configuration), which sends discovery to the guard
and everything else past it: GNOME and KDE, the policies of Thunderbird and Firefox or, without the right to write those, user.js in each
profile; the network services of macOS; WinINET and WinHTTP of Windows. What is not there is left out. The settings stay until "setup off";
while no guard runs, programs find no PAC and go direct.

Previous values go into a journal in the state directory before anything changes. Mail clients and browsers that run have to be started again.

The environment (--env) knows no PAC: from the next log-in on it sends everything through the guard, and programs without one have no network.

Exit code 0 when every place that is there is on, 1 when one could not be put in place.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.on(cmd) },
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.pac, "pac", "", "`URL` of the PAC; without it that of the running guard, or of the configuration's admin listener")
	cmd.Flags().StringSliceVar(&f.options.Only, "only", nil, "`PLACES` to put in place, with commas between them; setup status lists them")
	cmd.Flags().BoolVar(&f.options.Environment, "env", false, "environment.d as well: everything goes through the guard")
	cmd.Flags().BoolVar(&f.options.DryRun, "dry-run", false, "change nothing, and show what would change")
	return cmd
}

func setupOffCommand() *cobra.Command {
	var f setupFlags
	cmd := &cobra.Command{
		Use:   "off",
		Short: "take the settings back",
		Long: `Give every setting that "setup on" or "run --with-setup" has changed its previous value, after a crash as well. A value that somebody has
changed meanwhile is left alone and reported. A profile's prefs.js can be restored only while its program is closed, and a profile that was moved away
when it is there again.

Exit code 0 when everything is as it was before, 1 when something was left.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := f.open()
			if err != nil {
				return err
			}
			results, err := d.Off(cmd.Context(), f.options)
			return f.report(cmd.OutOrStdout(), results, err)
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.options.Force, "force", false, "restore what somebody has changed meanwhile, too, and forget profiles that are gone")
	cmd.Flags().BoolVar(&f.options.DryRun, "dry-run", false, "change nothing, and show what would change")
	return cmd
}

func setupStatusCommand() *cobra.Command {
	var f setupFlags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "say how the settings stand",
		Long: `Say how each place stands: not present, off, on, changed by somebody, left over from a crash, waiting (its program has to be closed, or its
profile is not there), failed.
Exit code 1 when one of the last four is among them.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := f.open()
			if err != nil {
				return err
			}
			results, err := d.Status(cmd.Context(), guardRuns(f.state))
			if c, bad := f.config(); err == nil && bad == nil {
				if target, none := targetOf(f.state, c, ""); none == nil {
					results = withOthers(results, d.Pointing(cmd.Context(), target), "somebody else has put it in place, and setup off leaves it so")
				}
			}
			return f.report(cmd.OutOrStdout(), results, err)
		},
	}
	f.add(cmd)
	return cmd
}

// withOthers adds to how places stand, as far as the journal knows, those that point at the guard without it: root has seen to them, or a fleet's programs.
func withOthers(all, pointing []desktop.Result, note string) []desktop.Result {
	for _, p := range pointing {
		p.Note = note
		switch i := slices.IndexFunc(all, func(r desktop.Result) bool { return r.Name == p.Name && r.Where == p.Where }); {
		case i < 0:
			all = append(all, p)
		case all[i].State == desktop.Off || all[i].State == desktop.Absent:
			all[i] = p
		}
	}
	return all
}

func (f *setupFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "config", "", "configuration `FILE` of the guard")
	cmd.Flags().StringVar(&f.state, "state", "", "`DIR` of the guard's state, where the journal is")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "one JSON object a line")
}

// open finds the state directory, and sets f.state to it.
func (f *setupFlags) open() (*desktop.Desktop, error) {
	c, err := f.config()
	if err != nil {
		return nil, err
	}
	if f.state, err = c.StateDir(); err != nil {
		return nil, err
	}
	if stray := strayJournal(f.state); stray != "" {
		return nil, hint(fmt.Errorf("%s is a journal of root's, and others than root can write there now: it is not believed", stray), "look at what it has changed, take that back by hand, and remove the file")
	}
	return openDesktop(f.state)
}

func (f *setupFlags) config() (*config.Config, error) {
	c, err := loadConfig(f.file)
	if err == nil && f.state != "" {
		err = c.Set("state", f.state)
	}
	return c, err
}

func (f *setupFlags) on(cmd *cobra.Command) error {
	c, err := f.config()
	if err != nil {
		return err
	}
	d, err := f.open()
	if err != nil {
		return err
	}
	if err := d.CheckNames(f.options.Only); err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	target, err := targetOf(f.state, c, f.pac)
	if err != nil {
		return err
	}
	results, err := d.On(cmd.Context(), target, f.options)
	if err == nil && !slices.ContainsFunc(results, func(r desktop.Result) bool { return r.State != desktop.Absent }) {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: hint: nothing was found here that could be set: name the PAC, %s, in each program's own settings, or use --env\n", program, target.PAC)
	}
	if err == nil && !f.options.DryRun {
		if _, err := fetchPAC(cmd.Context(), target.PAC); err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: hint: no PAC at %s (%v): programs go direct until a guard runs\n", program, target.PAC, err)
		}
	}
	return f.report(cmd.OutOrStdout(), results, err)
}

// targetOf is what the settings point at: the guard that runs, or else the one that the configuration describes.
func targetOf(state string, c *config.Config, pac string) (desktop.Target, error) {
	admin, proxy := doorsOf(state, c)
	if pac == "" && admin == "" {
		return desktop.Target{}, hint(errors.New("the guard has no admin listener, which serves the PAC"), "set listen.admin, or name another PAC: --pac URL")
	}
	if _, port, err := net.SplitHostPort(admin); pac == "" && err == nil && port == "0" {
		return desktop.Target{}, hint(errors.New("the admin listener, which serves the PAC, gets another port at each start, and no guard runs"), "start the guard first, or give listen.admin a port")
	}
	if pac == "" {
		pac = adminBase(&c.Listen, admin) + "/proxy.pac"
	}
	return desktop.Target{PAC: pac, Proxy: proxyHere(c.Listen, proxy)}, nil
}

// doorsOf are the addresses of its two listeners, as this computer reaches them.
func doorsOf(state string, c *config.Config) (admin, proxy string) {
	admin, proxy = c.Listen.Admin, c.Listen.Proxy
	if guardRuns(state) {
		admin, proxy = readNote(state, "admin"), readNote(state, "address")
	}
	return reachedHere(admin), reachedHere(proxy)
}

// readNote is what a running guard has written into its state directory; see stateDir.note.
func readNote(state, name string) string {
	text, err := os.ReadFile(filepath.Join(state, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// guardRuns reports whether a guard holds the state directory.
func guardRuns(state string) bool {
	f, err := os.Open(filepath.Join(state, "lock")) // not to be written, which a file system does not allow that an error of its disk has made read-only
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(lockFile(f, shared), errLocked)
}

// openDesktop is the desktop of the guard with this state directory.
func openDesktop(state string) (*desktop.Desktop, error) {
	system, err := desktop.ThisSystem()
	if err != nil {
		return nil, err
	}
	dir := journalDir(state)
	return desktop.New(desktop.Config{State: dir, System: system, Lock: func(changes bool) (func(), error) { return lockDesktop(dir, changes) }}), nil
}

// desktopLock keeps other setup commands off, and guards that start or end. It is not the lock of the guard, beside which setup must work.
const desktopLock = "desktop.lock"

// lockDesktop locks a journal. Whoever changes nothing makes no lock either: where there is none, nobody has changed anything yet. Another process is waited
// for, a guard that starts would leave the settings of a crash as they are otherwise.
func lockDesktop(dir string, changes bool) (func(), error) {
	take := takeLock
	if !changes {
		take = lookLock
	}
	f, err := take(dir, desktopLock)
	for begun := time.Now(); errors.Is(err, errLocked) && time.Since(begun) < lookPatience; f, err = take(dir, desktopLock) {
		time.Sleep(lockPause)
	}
	switch {
	case errors.Is(err, errLocked):
		return nil, hint(errors.New("the settings are being changed by another process"), "it ends by itself; try again")
	case err == nil:
		return func() { _ = f.Close() }, nil
	case changes:
		return nil, err
	}
	return func() {}, nil
}

// fetchPAC fetches a PAC as a program would, and never through a proxy.
func fetchPAC(ctx context.Context, address string) (text []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	text, err = io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err = errors.Join(err, response.Body.Close()); err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return text, err
}

// report shows results, and answers "no" where one needs looking after.
func (f *setupFlags) report(out io.Writer, results []desktop.Result, err error) error {
	if err != nil {
		return err
	}
	if f.asJSON {
		err = writeJSONLines(out, results)
	} else {
		err = f.print(out, results)
	}
	if err == nil && slices.ContainsFunc(results, func(r desktop.Result) bool { return !r.Good() }) {
		err = &answerNo{}
	}
	return err
}

func (f *setupFlags) print(out io.Writer, results []desktop.Result) error {
	if len(results) == 0 {
		fmt.Fprintln(out, "nothing to do: no settings are in place")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, r := range results {
		state := string(r.State)
		if f.options.DryRun && len(r.Changes) > 0 {
			state = "would be " + state
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Name, state, r.Where, r.Note)
		for _, c := range r.Changes {
			fmt.Fprintf(w, "\t\t  %s: %s, was %s\t\n", c.Key, c.Now, c.Was)
		}
	}
	return w.Flush()
}
