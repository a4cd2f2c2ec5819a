package config

import "strings"

// Changed names the keys outside policy that two configurations differ in.
func Changed(a, b *Config) []string {
	var names []string
	for _, k := range keys {
		if k.value != nil && !strings.HasPrefix(k.name, "policy.") && k.value.write(a) != k.value.write(b) {
			names = append(names, k.name)
		}
	}
	return names
}
