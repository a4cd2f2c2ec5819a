package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"autodiscover-guard/certs"
)

func caRenewCommand() *cobra.Command {
	var flags caFlags
	var widen, root bool
	cmd := &cobra.Command{
		Use:   "renew",
		Short: "make a new issuing certificate; with --widen one for all names of the policy",
		Long: `Make a new issuing certificate and key, good for 90 days. It takes root.key in the authority's directory: put it back for this moment if it is
kept elsewhere. Clients notice nothing, and a running guard takes the new one within an hour, or at SIGHUP. Root may do this for a guard that runs
as another user: what is written belongs to the owner of the directory.

--widen lets the authority permit all names of the policy. That takes a NEW ROOT where the present one has not got them: constraints are part
of a certificate, and cannot grow. The former root vouches for the new one, so clients that trust only the former are not cut off: they go on
accepting the names that it has, and refuse the others until they trust the new root.

--root gives the root another ten years, in the same way.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return renew(cmd.OutOrStdout(), &flags, widen, root)
		},
	}
	addCAFlags(cmd, &flags)
	cmd.Flags().BoolVar(&widen, "widen", false, "permit all names of the policy, with a new root if it takes one")
	cmd.Flags().BoolVar(&root, "root", false, "give the root another ten years")
	return cmd
}

// renew does what the command says.
func renew(out io.Writer, flags *caFlags, widen, root bool) error {
	if widen && root {
		return hint(errors.New("--widen and --root do not go together"), "a root that is widened gets another ten years as well")
	}
	c, authority, err := flags.open()
	if err != nil {
		return err
	}
	defer authority.Close()
	switch {
	case root:
		if err := authority.RenewRoot(); err != nil {
			return renewFailed(err)
		}
		tellNewRoot(out, authority, nil)
	case widen:
		policy, err := makePolicy(c)
		if err != nil {
			return err
		}
		before := certs.Scope{Names: authority.Status(time.Now()).Names}
		fresh, err := authority.Widen(certs.Scope{Names: policy.Scope()})
		if err != nil {
			return renewFailed(err)
		}
		if fresh {
			tellNewRoot(out, authority, missing(before, policy.Scope()))
		} else {
			fmt.Fprintln(out, "the root has all names of the policy: no new one was needed")
		}
	default:
		if err := authority.Renew(); err != nil {
			return renewFailed(err)
		}
	}
	fmt.Fprintf(out, "the issuing certificate is good until %s\n", authority.Issuing().NotAfter.UTC().Format(time.DateOnly))
	fmt.Fprintf(out, "a running guard takes it within an hour, or at SIGHUP; replicas import what %s ca export --replica writes\n", program)
	return nil
}

// renewFailed says what is missing where it is the root's key, and not, say, space on the disk.
func renewFailed(err error) error {
	failed := fmt.Errorf("authority: %w", err)
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return failed
	}
	return hint(failed, "renewing needs root.key in the authority's directory, for this moment only; %s ca show says what is there", program)
}

func missing(before certs.Scope, names []string) []string {
	var all []string
	for _, name := range names {
		if !before.Contains(name) {
			all = append(all, name)
		}
	}
	return all
}

func tellNewRoot(out io.Writer, authority *certs.Authority, names []string) {
	fmt.Fprintf(out, "THIS IS A NEW ROOT, which every client has to trust: %s\n", authority.RootFile())
	fmt.Fprintf(out, "SHA-256 %s\n", authority.Fingerprint())
	if len(names) > 0 {
		fmt.Fprintf(out, "it adds %s\n", strings.Join(names, ", "))
	}
	fmt.Fprintln(out, "clients that trust the former root alone go on accepting the names that it has, until it ends")
}
