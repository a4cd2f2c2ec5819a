package main

import (
	"github.com/spf13/cobra"

	"autodiscover-guard/certs/truststore"
)

func caInstallCommand() *cobra.Command {
	var f trustFlags
	cmd := &cobra.Command{
		Use:   "install",
		Short: "put the root certificate into trust stores, and verify that it is there",
		Long: `Put the authority's root certificate into trust stores. Each place says what was done, how that was verified, and how to undo it by hand; what
is there already stays as it is. The authority must exist: "run" makes it at its first start.

The root can vouch for guarded names and discovery services only, whatever store it is in.

Exit code 1 if something failed, or no store has the root in the end; with --store or named places also if one of them was not found, cannot be
changed, or needs the administrator, for which the command is printed.
` + trustStores,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.change(cmd, (*truststore.Stores).Install, (*truststore.Stores).PlanInstall, (*truster).current, (*truster).installed)
		},
	}
	addTrustFlags(cmd, &f, "done")
	return cmd
}

// installed is the answer: nil for yes.
func (t *truster) installed(cmd *cobra.Command, reports []truststore.Report) error {
	found := t.found(cmd.ErrOrStderr(), reports)
	bad := count(reports, truststore.Failed)
	if t.explicit {
		bad += count(reports, truststore.NeedsAdmin, truststore.Skipped)
	}
	if !found || bad > 0 || count(reports, truststore.Installed, truststore.Present, truststore.Planned) == 0 {
		return &answerNo{}
	}
	return nil
}
