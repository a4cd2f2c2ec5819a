package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"autodiscover-guard/certs/truststore"
)

func caUninstallCommand() *cobra.Command {
	var f trustFlags
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "take the root certificate out of trust stores, and verify that it is gone",
		Long: `Take the authority's root certificate out of trust stores, and every root that "install" put there for an authority that has been replaced
since. Where nothing else has changed since the installation, every file gets the bytes back that it had before ("exactly as before"); where something has,
only the certificate is taken out.

Exit code 1 if something failed or needs the administrator, for which the command is printed.
` + trustStores,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.change(cmd, (*truststore.Stores).Uninstall, (*truststore.Stores).PlanUninstall, (*truster).everyRoot, (*truster).uninstalled)
		},
	}
	addTrustFlags(cmd, &f, "taken out")
	return cmd
}

// uninstalled is the answer: nil for yes.
func (t *truster) uninstalled(cmd *cobra.Command, reports []truststore.Report) error {
	if !t.found(cmd.ErrOrStderr(), reports) || count(reports, truststore.Failed, truststore.NeedsAdmin) > 0 {
		return &answerNo{}
	}
	return nil
}

// everyRoot works for the authority's root and for those that the journal knows. A missing authority is an error only if the journal knows none.
func (t *truster) everyRoot(ctx context.Context, work trustWork) ([]truststore.Report, error) {
	recorded, err := truststore.Recorded(t.config.Journal)
	if err != nil {
		return nil, err
	}
	reports, err := t.current(ctx, work)
	if err != nil && len(recorded) == 0 {
		return nil, err
	}
	now, _, noRoot := t.root()
	for _, r := range recorded {
		if noRoot == nil && r.Certificate.Equal(now) {
			continue
		}
		s, err := t.stores(r.Certificate, r.File)
		if err != nil {
			return nil, fmt.Errorf("the root of an earlier authority, %s: %w", r.File, err)
		}
		reports = append(reports, work(s, ctx, t.names...)...)
	}
	return reports, nil
}
