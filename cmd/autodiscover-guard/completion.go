package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"autodiscover-guard/certs/truststore"
	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

// flagWords are the words that a flag takes, by its name, for the shell that completes it.
func flagWords(cmd *cobra.Command) map[string][]string {
	words := map[string][]string{
		"for": companion.PieceNames(), "store": truststore.Names(), "log-level": {"debug", "info", "warn", "error"},
		"action": review.Actions(), "dialect": review.Dialects(), "fail-on": review.Failures(),
	}
	switch cmd.Name() {
	case "review":
		words["format"] = []string{string(review.FormatECS), string(review.FormatOCSF)}
		for _, format := range review.Formats() {
			words["format"] = append(words["format"], string(format))
		}
		for _, recipe := range review.Recipes() {
			words["print"] = append(words["print"], recipe.Name)
		}
	case "export":
		words["format"] = []string{"pem", "der"}
	case "test":
		words["format"] = []string{"table", "junit"}
	}
	return words
}

// completeWords has shells complete words where words are wanted, and files where files are (cobra offers files everywhere).
func completeWords(cmd *cobra.Command) {
	for _, child := range cmd.Commands() {
		completeWords(child)
	}
	if !strings.Contains(cmd.Use, "FILE") && cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	words := flagWords(cmd)
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		kind, _ := pflag.UnquoteUsage(f)
		complete := cobra.NoFileCompletions
		switch {
		case kind == "FILE":
			return
		case kind == "DIR":
			complete = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
		case words[f.Name] != nil:
			complete = cobra.FixedCompletions(words[f.Name], cobra.ShellCompDirectiveNoFileComp)
		}
		_ = cmd.RegisterFlagCompletionFunc(f.Name, complete) // which is there, and has none yet
	})
}
