package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

// statusPause lies between two looks of "status --wait".
const statusPause = 50 * time.Millisecond

func statusCommand() *cobra.Command {
	var flags setupFlags
	var wait string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "say whether the guard runs and takes new work, and which policy is in force",
		Long: `Say whether the guard of this state directory runs and takes new work, where it listens, which policy is in force, and until when it can sign. It asks
the admin listener's /readyz, or else whether the proxy's port is open; no discovery is asked, and no record made. "doctor" looks deeper.

With --wait it looks again until the guard takes work, for that long at most: for scripts that have just started it, and for the health checks of containers.

A mistake in the configuration does not stop a guard that runs, and is no reason to say that it does not work.

Exit code 0 when it takes new work, 1 when it does not, 2 for usage and configuration.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			patience, err := time.ParseDuration(wait)
			if err != nil || patience < 0 {
				return hint(fmt.Errorf("--wait: %q is no length of time", wait), "a number and its unit: --wait 30s, --wait 2m")
			}
			state, listen, err := flags.whereabouts()
			if err != nil {
				return err
			}
			s := awaitGuard(cmd.Context(), state, listen, patience)
			if flags.asJSON {
				err = writeJSONLines(cmd.OutOrStdout(), []guardStatus{s})
			} else {
				s.print(cmd.OutOrStdout())
			}
			if err == nil && !s.Ready {
				return &answerNo{}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&flags.file, "config", "", "configuration `FILE` that the guard runs with; needed where its admin listener speaks TLS")
	cmd.Flags().StringVar(&flags.state, "state", "", "`DIR` of the guard's state")
	cmd.Flags().StringVar(&wait, "wait", "0s", "`TIME` to wait for the guard, such as 30s")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "one JSON object")
	return cmd
}

// whereabouts are the state directory and the listeners. A mistake in the file does not stop a guard that runs, which goes on with what it had, and a health
// check that failed would have it started again, with the mistake: of such a file the line with the state directory is enough, and the listeners are nil.
func (f *setupFlags) whereabouts() (state string, listen *config.Listen, err error) {
	c, err := f.config()
	if err == nil {
		state, err = c.StateDir()
		return state, &c.Listen, err
	}
	mistake := err
	if _, ok := errors.AsType[*config.Error](err); !ok {
		return "", nil, err
	}
	text, err := os.ReadFile(f.file)
	if err != nil {
		return "", nil, mistake
	}
	c = config.Default()
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "state:") {
			continue
		}
		if alone, err := config.Parse(f.file, []byte(line)); err == nil {
			c = alone
		}
	}
	c.State = cmp.Or(f.state, c.State)
	if state, err = c.StateDir(); err != nil || !guardRuns(state) {
		return "", nil, mistake
	}
	return state, nil, nil
}

// guardStatus is how a guard is, for people and scripts.
type guardStatus struct {
	// Ready is whether it takes new work; Reason says why not.
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
	// Running is whether a process holds the state directory.
	Running bool   `json:"running"`
	State   string `json:"state"`
	PID     int    `json:"pid,omitempty"`
	// Proxy, Transparent and Admin are its listeners.
	Proxy       string `json:"proxy,omitempty"`
	Transparent string `json:"transparent,omitempty"`
	Admin       string `json:"admin,omitempty"`
	// Policy is the revision in force, Stale why a newer one is not.
	Policy string `json:"policy,omitempty"`
	Stale  string `json:"stale,omitempty"`
	// Version, Authority and IssuingUntil are what the admin listener tells, to those who may know.
	Version      string    `json:"version,omitempty"`
	Authority    string    `json:"authority,omitempty"`
	IssuingUntil time.Time `json:"issuing_until,omitzero"`
}

// awaitGuard looks until the guard takes work, or the time is over.
func awaitGuard(ctx context.Context, state string, listen *config.Listen, wait time.Duration) guardStatus {
	ctx, cancel := context.WithTimeout(ctx, max(wait, time.Millisecond))
	defer cancel()
	for {
		s := lookAtGuard(context.WithoutCancel(ctx), state, listen)
		if s.Ready {
			return s
		}
		select {
		case <-ctx.Done():
			return s
		case <-time.After(statusPause):
		}
	}
}

func lookAtGuard(ctx context.Context, state string, listen *config.Listen) guardStatus {
	s := guardStatus{State: state, Running: guardRuns(state)}
	if !s.Running {
		s.Reason = whyNoGuard(state)
		return s
	}
	s.PID, _ = strconv.Atoi(readNote(state, "pid"))
	s.Proxy, s.Transparent, s.Admin = readNote(state, "address"), readNote(state, "transparent"), readNote(state, "admin")
	s.Policy, s.Stale, _ = strings.Cut(readNote(state, "policy"), "\n")
	s.Stale = strings.TrimPrefix(s.Stale, "not reloaded: ")
	switch {
	case s.Proxy == "":
		s.Reason = "it is starting, or there is no room in its state directory for where it listens"
		s.askConfigured(ctx, listen)
	case s.Admin != "":
		s.ask(ctx, listen)
	default:
		s.dial(ctx)
	}
	return s
}

// whyNoGuard tells a directory that is another user's from one that nobody holds.
func whyNoGuard(state string) string {
	f, err := os.Open(filepath.Join(state, "lock"))
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "its state directory is another user's: ask as that one"
	case err == nil:
		_ = f.Close()
	}
	return "no guard runs with this state directory"
}

// ask asks the guard itself. What may not be read here, a token say, is only missed where the answer depends on it. A guard whose configuration cannot be
// taken just now may speak TLS with a certificate that stands there.
func (s *guardStatus) ask(ctx context.Context, listen *config.Listen) {
	client, unread := adminClient(s.State, cmp.Or(listen, &config.Default().Listen))
	client.Address = reachedHere(s.Admin) // its name is for others, and a container need not know it
	told, err := client.Status(ctx)
	if err != nil && listen == nil {
		s.dial(ctx)
		return
	}
	if err != nil {
		s.Reason = fmt.Sprintf("the admin listener does not tell: %v", cmp.Or(unread, err))
		if unread == nil && listen.AdminCertificate == "" {
			s.Reason += "; if it speaks TLS, name the guard's configuration: --config FILE"
		}
		return
	}
	s.take(told)
}

// take is what the guard has told. Its policy need not be in the directory, whose disk may be full.
func (s *guardStatus) take(told console.Status) {
	s.Ready, s.Reason, s.Version, s.Authority, s.IssuingUntil = told.Ready, told.Reason, told.Version, told.Authority, told.IssuingUntil
	if told.Policy != "" {
		s.Policy, s.Stale = told.Policy, told.Reload
	}
}

// askConfigured asks the admin listener where the configuration has it, which a full disk does not keep from being served. One that hands out another
// root than this directory's is another guard's, as is one that names another directory. It is shown no token, as it could be anybody before that is known.
func (s *guardStatus) askConfigured(ctx context.Context, listen *config.Listen) {
	if listen == nil || listen.Admin == "" {
		return
	}
	at := reachedHere(listen.Admin)
	client := console.Client{Base: adminBase(listen, at), Address: at}
	if listen.AdminCertificate != "" {
		client.Roots = systemRoots()
		if addCertificates(client.Roots, "listen.admin_certificate", listen.AdminCertificate) != nil {
			return
		}
	}
	root, err := os.ReadFile(filepath.Join(authorityDir(s.State), "root.pem"))
	if err != nil {
		return
	}
	served, err := client.Get(ctx, "/ca.pem")
	own, _ := pem.Decode(root)
	its, _ := pem.Decode(served.Body)
	if err != nil || own == nil || its == nil || !bytes.Equal(own.Bytes, its.Bytes) {
		return
	}
	if told, err := client.Status(ctx); err == nil && s.mayBe(told) {
		s.Proxy, s.Admin = listen.Proxy, listen.Admin
		s.take(told)
	}
}

// mayBe reports whether who has told this may be the guard of our directory: replicas share one root. One that keeps its directory to itself is another where
// ours had the room to write which process it is, and is only about to listen.
func (s *guardStatus) mayBe(told console.Status) bool {
	if told.State == "" {
		return s.PID == 0
	}
	its, err := os.Stat(told.State)
	own, ownErr := os.Stat(s.State)
	return err == nil && ownErr == nil && os.SameFile(its, own)
}

// dial is for a guard that nobody can ask: one that ends has closed its doors.
func (s *guardStatus) dial(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, console.AskTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", reachedHere(s.Proxy))
	if err != nil {
		s.Reason = err.Error()
		return
	}
	_ = conn.Close()
	s.Ready = true
}

func (s guardStatus) print(out io.Writer) {
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(out, "%-11s %s\n", label, text)
		}
	}
	ready := "yes"
	if !s.Ready {
		ready = "no: " + s.Reason
	}
	line("ready", ready)
	line("state", s.State)
	if s.PID != 0 {
		line("process", strconv.Itoa(s.PID))
	}
	line("version", s.Version)
	line("proxy", s.Proxy)
	line("transparent", s.Transparent)
	line("admin", s.Admin)
	line("policy", s.Policy)
	if s.Stale != "" {
		line("", "not reloaded: "+s.Stale)
	}
	line("authority", s.Authority)
	if !s.IssuingUntil.IsZero() {
		line("", "signs until "+s.IssuingUntil.Format(time.DateOnly))
	}
}
