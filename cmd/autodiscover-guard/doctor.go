package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"autodiscover-guard/certs"
	"autodiscover-guard/certs/truststore"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
	"autodiscover-guard/cmd/autodiscover-guard/internal/desktop"
	"autodiscover-guard/cmd/autodiscover-guard/internal/doctor"
)

// doctorFlags are those of the doctor command.
type doctorFlags struct {
	file, state, proxy, email string
	asJSON                    bool
}

func doctorCommand() *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "play every client's discovery through the running guard, and say what is wrong and what to do",
		Long: `Ask through the running guard what mail clients ask, in their order, for made-up accounts: one on a documentation name (example.com), one on a
private-use name that nobody has, and one on a name that is not guarded. Every answer must be its dialect's own, quiet "no settings" (or the
servers of a rule, or what a host of the rule answers by itself), and name no stranger; traffic that is nobody's must not be opened. Then look at the guard's version, policy and PAC, the
log, what became of the questions to the hosts of --email, the authority and who trusts it, the desktop's settings, clock and disk. Nothing is changed.

Name and password are made up anew each time, and real ones are never touched: of --email only the domain is used. The name is doctor- and 16 hexadecimal
digits; the report says how many decision records have been caused, and with --json their identifiers.

What travels: central services are asked about the guarded names as the policy says (as a rule without secrets), names that do not exist are
looked up, and tunnels are asked for to the hosts of --email where its domain is not guarded. Where a rule only monitors, questions go out with
the made-up password.

Without --proxy the guard is the one that holds the state directory. Name the configuration that it runs with: what must come out follows from it.
The JSON is one object: schema (1), version, proxy, account, fine, findings, records. A finding has check, group, subject, state (ok, warning,
fail, skipped), what, and do.

Exit code 0 when nothing is wrong (there may be warnings), 1 when something is, 2 for usage and configuration.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.open()
			if err != nil {
				return err
			}
			report := doctor.Examine(cmd.Context(), c)
			write := report.Write
			if f.asJSON {
				write = report.WriteJSON
			}
			if err := write(cmd.OutOrStdout()); err != nil {
				return err
			}
			if !report.Fine {
				return &answerNo{}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&f.file, "config", "", "configuration `FILE` that the guard runs with")
	cmd.Flags().StringVar(&f.state, "state", "", "`DIR` of the guard's state")
	cmd.Flags().StringVar(&f.proxy, "proxy", "", "`URL` of the guard: http://HOST:PORT, or https; without it the one that runs with the state directory")
	cmd.Flags().StringVar(&f.email, "email", "", "`ADDRESS` whose domain is asked about, too; its local part is not used")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "one JSON object")
	return cmd
}

// open finds everything that is to be examined.
func (f *doctorFlags) open() (doctor.Config, error) {
	settings, err := (&setupFlags{file: f.file, state: f.state}).config()
	if err != nil {
		return doctor.Config{}, err
	}
	c := doctor.Config{Version: version(), Settings: settings}
	if c.Policy, err = makePolicy(settings); err != nil {
		return c, err
	}
	if c.State, err = settings.StateDir(); err != nil {
		return c, err
	}
	if c.Domain, err = f.domain(); err != nil {
		return c, err
	}
	if err := f.locate(&c); err != nil {
		return c, err
	}
	dir := authorityDir(c.State)
	var rootFile string
	c.Root, rootFile, c.RootErr = certs.ReadRoot(dir)
	c.Authority = func() (*certs.Authority, error) {
		a, err := certs.OpenExisting(dir, certs.RevocationAt(statedRevocationAddress(settings)))
		return a, explained(err)
	}
	c.Trust = func(ctx context.Context) ([]truststore.Report, error) {
		return verifyTrust(ctx, c.State, c.Root, rootFile)
	}
	c.Desktop = func(ctx context.Context) ([]desktop.Result, error) { return desktopStatus(ctx, c.State, settings) }
	return c, nil
}

// domain is that of --email.
func (f *doctorFlags) domain() (string, error) {
	if f.email == "" {
		return "", nil
	}
	domain := mailDomain(f.email)
	if domain == "" {
		return "", hint(fmt.Errorf("--email: %q is not a mail address", f.email), "for example: user@example.com; only the domain is used")
	}
	return domain, nil
}

// locate finds the guard: the one that --proxy names, or runs with the state directory, or that the configuration describes.
func (f *doctorFlags) locate(c *doctor.Config) error {
	c.Local = guardRuns(c.State) && readNote(c.State, "address") != ""
	address := c.Settings.Listen.Proxy
	if c.Local {
		address = readNote(c.State, "address")
		var err error
		if c.Admin, err = adminClient(c.State, &c.Settings.Listen); err != nil {
			return err
		}
	}
	c.Advertised = proxyAt(c.Settings.Listen, reachedHere(address)) // as the guard itself writes its PAC file
	own, err := ownProxy(c, address)
	if err != nil {
		return err
	}
	c.Proxy, c.Everywhere = own, f.proxy == "" && reachedHere(address) != address
	if f.proxy != "" {
		if c.Proxy, err = parseProxy(f.proxy); err != nil {
			return err
		}
		c.Local = c.Local && (c.Proxy.Host == own.Host || c.Proxy.Host == address)
	}
	return trustDoor(c)
}

// ownProxy is how the proxy is reached that listens at address.
func ownProxy(c *doctor.Config, address string) (*url.URL, error) {
	if c.Local {
		return url.Parse(proxyHere(c.Settings.Listen, reachedHere(address)))
	}
	return url.Parse(proxyAt(c.Settings.Listen, address).URL())
}

// trustDoor has the door's own certificate trusted, where it has one.
func trustDoor(c *doctor.Config) error {
	if c.Proxy.Scheme != "https" || c.Settings.Listen.Certificate == "" {
		return nil
	}
	c.ProxyRoots = systemRoots()
	return addCertificates(c.ProxyRoots, "listen.certificate", c.Settings.Listen.Certificate)
}

// adminClient asks the admin listener of the guard that runs with this state directory, and shows it what lets us see everything.
func adminClient(state string, listen *config.Listen) (console.Client, error) {
	address := readNote(state, "admin")
	if address == "" {
		return console.Client{}, nil
	}
	client := console.Client{Base: adminBase(listen, reachedHere(address))}
	if listen.AdminCertificate != "" {
		client.Roots = systemRoots()
		if err := addCertificates(client.Roots, "listen.admin_certificate", listen.AdminCertificate); err != nil {
			return client, err
		}
	}
	if listen.AdminTokenFile == "" {
		return client, nil
	}
	if _, err := readAdminToken(listen); err != nil {
		return client, err
	}
	text, err := readPrivate("listen.admin_token_file", listen.AdminTokenFile)
	client.Token = strings.TrimSpace(string(text))
	return client, err
}

// parseProxy reads --proxy. Its errors do not repeat it: it may hold a password.
func parseProxy(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, hint(errors.New("--proxy is not a URL of a proxy"), "for example: http://127.0.0.1:8080")
	}
	u.Path = ""
	return u, nil
}

// verifyTrust looks for the root in every trust store, and changes nothing.
func verifyTrust(ctx context.Context, state string, root *x509.Certificate, file string) ([]truststore.Report, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	s, err := truststore.New(truststore.Config{Root: root, RootFile: file, Journal: trustJournal(state), Home: home, Admin: isAdmin()})
	if err != nil {
		return nil, err
	}
	return s.Verify(ctx, truststore.Names()...), nil
}

// desktopStatus says how the desktop's settings stand, and which of them point at another guard than this one. Nothing is changed, and no lock is
// taken, which would be a file.
func desktopStatus(ctx context.Context, state string, settings *config.Config) ([]desktop.Result, error) {
	system, err := desktop.ThisSystem()
	if err != nil {
		return nil, err
	}
	d := desktop.New(desktop.Config{State: journalDir(state), System: system})
	all, err := d.Status(ctx, guardRuns(state))
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r desktop.Result) bool { return r.Follows && r.State == desktop.On }) // what it will hold is said by the place that it follows
	target, err := targetOf(state, settings, "")
	if err != nil {
		return all, nil //nolint:nilerr // without an admin listener somebody else serves the PAC, and where is not ours to know
	}
	if set, err := d.Target(); err == nil && set.PAC != "" && set.PAC != target.PAC && target.Proxy != "" {
		// Another one was asked for (setup on --pac). Where it leads to this guard all the same, it is right.
		text, err := fetchPAC(ctx, set.PAC)
		_, address := doorsOf(state, settings)
		if proxy := proxyAt(settings.Listen, address); err == nil && bytes.Contains(text, []byte(proxy.Address())) {
			target = set
		}
	}
	all = withOthers(all, d.Pointing(ctx, target), "")
	if !slices.ContainsFunc(all, func(r desktop.Result) bool { return r.State == desktop.On }) {
		return all, nil
	}
	would, err := d.On(ctx, target, desktop.Options{DryRun: true, Environment: target.Proxy != ""})
	if err != nil {
		return nil, err
	}
	for i := range all {
		for _, w := range would {
			if all[i].State == desktop.On && w.Name == all[i].Name && w.Where == all[i].Where && len(w.Changes) > 0 {
				all[i].State, all[i].Note = desktop.Changed, fmt.Sprintf("%s is %s, and this guard wants %s", w.Changes[0].Key, w.Changes[0].Was, w.Changes[0].Now)
			}
		}
	}
	return all, nil
}
