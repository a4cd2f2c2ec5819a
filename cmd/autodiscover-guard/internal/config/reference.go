package config

import (
	"strings"
	"unicode/utf8"
)

// Reference is a file with every key, its documentation and its default. Parsing it gives [Default].
func Reference() string {
	return "# Configuration of autodiscover-guard: every key, with the default that holds without it.\n\n" + render(Default())
}

// render writes a Config out, documentation and all, but for policy.rules.
func render(c *Config) string {
	var b strings.Builder
	for i, k := range keys {
		indent := strings.Repeat("  ", strings.Count(k.name, "."))
		if i > 0 && keys[i-1].value != nil { // a section's first key stands close to it
			b.WriteByte('\n')
		}
		for _, line := range wrapped(k.about, 98-len(indent)) {
			b.WriteString(indent + "# " + line + "\n")
		}
		last := k.name[strings.LastIndexByte(k.name, '.')+1:]
		if k.sample != "" {
			b.WriteString(indent + "# For example: " + last + ": " + k.sample + "\n")
		}
		b.WriteString(indent + last + ":")
		if k.value != nil {
			b.WriteString(" " + k.value.write(c))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// wrapped breaks a text into lines of at most width letters, between words.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for w := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(lines, line)
}
