package rules

import "strings"

// splitChallenges is WWW-Authenticate challenge by challenge (RFC 9110, section 11.6.1): servers send one a field, and proxies that join fields put commas between them, as there
// are between the parameters of one.
func splitChallenges(fields []string) []string {
	var all []string
	for _, field := range fields {
		for _, part := range splitOutsideQuotes(field) {
			part = strings.TrimSpace(part)
			name, rest, _ := strings.Cut(part, " ")
			parameter := strings.Contains(name, "=") || strings.HasPrefix(strings.TrimLeft(rest, " "), "=")
			switch {
			case part == "":
			case parameter && len(all) > 0:
				all[len(all)-1] += ", " + part
			default:
				all = append(all, part)
			}
		}
	}
	return all
}

// splitOutsideQuotes is a field at its commas, but for those in quoted strings (RFC 9110, section 5.6.4).
func splitOutsideQuotes(field string) []string {
	var all []string
	from, open := 0, false
	for i := 0; i < len(field); i++ {
		switch c := field[i]; {
		case c == '"':
			open = !open
		case open && c == '\\':
			i++
		case c == ',' && !open:
			all = append(all, field[from:i])
			from = i + 1
		}
	}
	return append(all, field[from:])
}
