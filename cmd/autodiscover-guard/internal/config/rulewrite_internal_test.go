package config

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// written is a Config as it would be read again: a reference with its rules in it, which the program never writes.
func written(t *testing.T, c *Config) string {
	t.Helper()
	all := make([]string, 0, len(c.Policy.Rules))
	for _, r := range c.Policy.Rules {
		all = append(all, writeRule(r))
	}
	before, after, ok := strings.Cut(render(c), "\n  rules: []\n")
	if !ok {
		t.Fatal("a reference without policy.rules")
	}
	return before + "\n  rules: [" + strings.Join(all, ", ") + "]\n" + after
}

// writeRule writes a rule as the file has it, in one line; what is not said is left out.
func writeRule(r rules.Rule) string {
	var parts []string
	add := func(key, value string) {
		if value != "" {
			parts = append(parts, key+": "+value)
		}
	}
	text := func(key, value string) {
		if value != "" {
			add(key, word(value))
		}
	}
	text("name", r.Name)
	add("domains", wordList(r.Domains))
	var clients []string
	for _, p := range r.Clients {
		clients = append(clients, p.String())
	}
	add("clients", wordList(clients))
	add("services", wordList(r.Services))
	add("dialects", wordList(r.Dialects))
	add("allow", wordList(r.Allow))
	if r.Otherwise != rules.Block {
		add("otherwise", r.Otherwise.String())
	}
	add("servers", writeServers(r.Servers))
	if r.Answer != rules.AnswerUpstream {
		add("answer", r.Answer.String())
	}
	if r.Upstream != rules.AskDefault {
		add("upstream", r.Upstream.String())
	}
	if r.Mode != 0 {
		add("mode", r.Mode.String())
	}
	if !r.Until.IsZero() {
		text("until", r.Until.UTC().Format(time.RFC3339))
	}
	text("note", r.Note)
	return "{" + strings.Join(parts, ", ") + "}"
}

func wordList(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	words := make([]string, 0, len(texts))
	for _, t := range texts {
		words = append(words, word(t))
	}
	return "[" + strings.Join(words, ", ") + "]"
}

func writeServers(all []dialect.Server) string {
	if len(all) == 0 {
		return ""
	}
	var entries []string
	for _, s := range all {
		parts := []string{"host: " + word(s.Host)}
		if s.Port != 0 {
			parts = append(parts, "port: "+strconv.Itoa(int(s.Port)))
		}
		for _, p := range [...]struct{ key, value string }{
			{"encryption", s.Encryption}, {"username", s.Username}, {"auth", s.Auth}, {"url", s.URL},
		} {
			if p.value != "" {
				parts = append(parts, p.key+": "+word(p.value))
			}
		}
		entries = append(entries, s.Protocol+": {"+strings.Join(parts, ", ")+"}")
	}
	return "{" + strings.Join(entries, ", ") + "}"
}
