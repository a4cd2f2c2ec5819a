package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/rules"
)

func policyCommand() *cobra.Command {
	return parent(&cobra.Command{Use: "policy", Short: "show the rules in force, or test them"}, policyShowCommand(), policyTestCommand())
}

func policyShowCommand() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "list the effective rules in the order in which they are asked, and where each comes from",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, policy, err := loadPolicy(file)
			if err != nil {
				return err
			}
			return showPolicy(cmd.OutOrStdout(), shownRules(file, c), policy, asJSON)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration `FILE` whose policy is shown")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// shownRule is a rule for people and scripts.
type shownRule struct {
	Number    int      `json:"number"`
	Name      string   `json:"name"`
	From      string   `json:"from"`
	Mode      string   `json:"mode"`
	Domains   []string `json:"domains"`
	Clients   []string `json:"clients,omitempty"`
	Services  []string `json:"services,omitempty"`
	Dialects  []string `json:"dialects,omitempty"`
	Allow     []string `json:"allow"`
	Otherwise string   `json:"otherwise"`
	Servers   []string `json:"servers,omitempty"`
	Answer    string   `json:"answer"`
	Upstream  string   `json:"upstream"`
	Until     string   `json:"until,omitempty"`
	Expired   bool     `json:"expired,omitempty"`
	Note      string   `json:"note,omitempty"`
}

const (
	builtIn     = "built in"
	centralOnly = "central services are asked without secrets, others are not asked"
)

// shownRules are the operator's rules and the built-in ones, numbered.
func shownRules(file string, c *config.Config) []shownRule {
	enforce := rules.Enforce.String()
	var all []shownRule
	for i, r := range c.Policy.Rules {
		s := shownRule{
			Name: r.Name, From: fmt.Sprintf("%s:%d", file, c.Policy.RuleLines[i]), Mode: enforce, Domains: r.Domains, Services: r.Services,
			Dialects: r.Dialects, Allow: r.Allow, Otherwise: r.Otherwise.String(), Answer: r.Answer.String(), Upstream: centralOnly, Note: r.Note,
		}
		if r.Mode != 0 {
			s.Mode = r.Mode.String()
		}
		if r.Upstream != rules.AskDefault {
			s.Upstream = r.Upstream.String()
		}
		for _, p := range r.Clients {
			s.Clients = append(s.Clients, p.String())
		}
		for _, v := range r.Servers {
			s.Servers = append(s.Servers, v.Protocol+" "+v.Host)
		}
		if !r.Until.IsZero() {
			s.Until, s.Expired = r.Until.UTC().Format(time.RFC3339), !time.Now().Before(r.Until)
		}
		all = append(all, s)
	}
	all = append(all,
		shownRule{
			Name: rules.RuleBackOff, From: builtIn, Mode: enforce, Domains: []string{"hosts autodiscover.<public suffix>, whoever is asked about and before any other rule"}, Allow: []string{},
			Otherwise: "block", Answer: "upstream", Upstream: "never",
		},
		shownRule{
			Name: rules.RuleDocumentation, From: builtIn, Mode: enforce, Domains: []string{"documentation names of the sets " + strings.Join(c.Policy.Sets, ", ")},
			Allow: []string{}, Otherwise: "block", Answer: "upstream", Upstream: centralOnly,
		},
		shownRule{
			Name: rules.RulePrivateUse, From: builtIn, Mode: enforce, Domains: []string{"private-use names of the sets " + strings.Join(c.Policy.Sets, ", ")},
			Allow: []string{"the domain's own hosts", "private addresses"}, Otherwise: "remove", Answer: "upstream", Upstream: centralOnly,
		})
	for i := range all {
		all[i].Number = i + 1
	}
	return all
}

func showPolicy(out io.Writer, all []shownRule, policy *rules.Policy, asJSON bool) error {
	if asJSON {
		return writeJSONLines(out, all)
	}
	fmt.Fprintf(out, "policy %s: the first rule that applies decides\n", policy.Revision())
	for _, r := range all {
		r.print(out)
	}
	return nil
}

func (r shownRule) print(out io.Writer) {
	mode := r.Mode
	if r.Expired {
		mode += ", EXPIRED"
	}
	fmt.Fprintf(out, "\n%3d  %s  (%s, %s)\n", r.Number, r.Name, r.From, mode)
	line := func(label string, values ...string) {
		if text := strings.Join(values, ", "); text != "" {
			fmt.Fprintf(out, "     %-10s %s\n", label, text)
		}
	}
	line("domains", r.Domains...)
	line("clients", r.Clients...)
	line("services", r.Services...)
	line("dialects", r.Dialects...)
	if len(r.Allow) == 0 {
		line("allow", "nothing")
	}
	line("allow", r.Allow...)
	line("otherwise", r.Otherwise)
	line("servers", r.Servers...)
	line("answer", r.Answer)
	line("upstream", r.Upstream)
	line("until", r.Until)
	line("note", r.Note)
}
