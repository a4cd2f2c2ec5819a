package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"autodiscover-guard/certs"
	"autodiscover-guard/certs/truststore"
	"autodiscover-guard/cmd/autodiscover-guard/internal/doctor"
)

func caVerifyCommand() *cobra.Command {
	var f trustFlags
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "say of every trust store whether the root certificate is in it, and whether the running guard uses that one",
		Long: `Say of every place whether the authority's root certificate is there and trusted, and how that is known. If a guard runs with the same state
directory, it is asked for a certificate, too, and that must come from this root; one that does not let this program in is skipped. Nothing is
changed.

Exit code 0 if the root is at every place where "install" put it, and at one at least. With --store or named places: if it is at every place
of theirs.
` + trustStores,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := f.open()
			if err != nil {
				return err
			}
			reports, err := t.current(cmd.Context(), (*truststore.Stores).Verify)
			if err != nil {
				return err
			}
			presented, err := t.presented(cmd.Context())
			if err != nil {
				return err
			}
			if err := t.print(cmd.OutOrStdout(), "verify", append(reports, presented...), f.asJSON); err != nil {
				return err
			}
			if !t.found(cmd.ErrOrStderr(), reports) || !t.trusted(reports) || count(presented, truststore.Failed) > 0 {
				return &answerNo{}
			}
			return nil
		},
	}
	addTrustFlags(cmd, &f, "")
	return cmd
}

// trusted reports whether the root is wherever it should be.
func (t *truster) trusted(reports []truststore.Report) bool {
	for _, r := range reports {
		if r.Status != truststore.Present && (t.explicit || r.Recorded || r.Status == truststore.Failed) {
			return false
		}
	}
	return count(reports, truststore.Present) > 0
}

// presented asks the running guard, if there is one, whose certificates it presents. One that does not let this computer's programs in is no failure of its
// authority.
func (t *truster) presented(ctx context.Context) ([]truststore.Report, error) {
	address := readNote(t.state, "address")
	if address == "" || !guardRuns(t.state) {
		return nil, nil
	}
	root, _, err := t.root()
	if err != nil {
		return nil, err
	}
	c := doctor.Config{Settings: t.guard, Root: root, Local: true}
	if c.Proxy, err = ownProxy(&c, address); err == nil {
		err = trustDoor(&c)
	}
	if err != nil {
		return nil, err
	}
	host, err := t.openedHost(root)
	if host == "" || err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r := truststore.Report{Store: "guard", Program: "the running guard", Path: address, Status: truststore.Present}
	switch leaf, asked, err := doctor.PresentedLeaf(ctx, c, host); {
	case !asked:
		r.Status, r.Note = truststore.Skipped, "its certificate was not seen: "+err.Error()
	case err != nil:
		r.Status, r.Note = truststore.Failed, "its certificate does not come from this root: "+err.Error()
	default:
		r.Verified = fmt.Sprintf("a TLS handshake for %s: its certificate, issued by %q, leads to this root", host, leaf.Issuer.CommonName)
	}
	return []truststore.Report{r}, nil
}

// openedHost is a host that the guard opens, and so presents a certificate of its authority for; empty where it opens none. A root of another CA need not say
// what it permits, since the issuing certificate does.
func (t *truster) openedHost(root *x509.Certificate) (string, error) {
	names := root.PermittedDNSDomains
	if len(names) == 0 {
		policy, err := makePolicy(t.guard)
		if err != nil {
			return "", err
		}
		names = policy.Scope()
	}
	switch {
	case len(names) == 0:
		return "", nil
	case (certs.Scope{Names: names}).Contains("example.com"):
		return "autodiscover.example.com", nil
	}
	return "autodiscover." + names[0], nil
}
