package config

import (
	"slices"
	"strings"

	"autodiscover-guard/rules/reserved"
)

// closeConflicts refuses to close what the same file opens or guards by that name: one of the two was not meant.
func closeConflicts(c *Config) (string, *fault) {
	const key = "policy.close"
	set, err := reserved.New(c.Policy.Sets...)
	if err != nil {
		return key, nil // told elsewhere
	}
	for _, host := range c.Policy.Close {
		by := ""
		switch {
		case slices.Contains(c.Policy.Open, host):
			by = "policy.open names it, too"
		case slices.Contains(set.Names(), host):
			by = "it is a reserved name, and guarded"
		}
		for _, r := range c.Policy.Rules {
			for _, domain := range r.Domains {
				if reserved.Canonical(strings.TrimPrefix(domain, "*.")) == host {
					by = "it is a domain of the rule " + quoted(r.Name)
				}
			}
		}
		if by != "" {
			return key, &fault{text: quoted(host) + " cannot be closed: " + by, want: "want a host below it, such as intranet." + host}
		}
	}
	return key, nil
}
