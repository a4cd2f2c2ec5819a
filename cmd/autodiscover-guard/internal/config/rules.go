package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// ruleList is the value of policy.rules.
type ruleList struct{}

// ruleKeys are what a rule may say.
var ruleKeys = []struct {
	name string
	read func(r *ruleReader, name string, n *yaml.Node)
}{
	{"name", ruleText(func(r *rules.Rule) *string { return &r.Name }, "a word that records name the rule by")},
	{"domains", ruleWords(func(r *rules.Rule) *[]string { return &r.Domains }, "corp.example.net, \"*.corp.example.net\"", false)},
	{"clients", (*ruleReader).clients},
	{"services", ruleWords(func(r *rules.Rule) *[]string { return &r.Services }, "autodetect, ispdb", true)},
	{"dialects", ruleWords(func(r *rules.Rule) *[]string { return &r.Dialects }, "pox, autoconfig", true)},
	{"allow", ruleWords(func(r *rules.Rule) *[]string { return &r.Allow }, "mail.corp.example.net, \"*.corp.example.net\"", false)},
	{"otherwise", ruleWord(func(r *rules.Rule, v rules.Otherwise) { r.Otherwise = v }, "an otherwise", map[string]string{
		"deny": "block", "refuse": "block", "reject": "block", "drop": "remove", "strip": "remove", "replace": "rewrite", "edit": "rewrite",
	}, rules.Block, rules.RemoveStrangers, rules.Rewrite)},
	{"servers", (*ruleReader).servers},
	{"answer", ruleWord(func(r *rules.Rule, v rules.Answering) { r.Answer = v }, "an answer", map[string]string{
		"self": "local", "remote": "upstream",
	}, rules.AnswerUpstream, rules.AnswerLocal)},
	{"upstream", ruleWord(func(r *rules.Rule, v rules.Asking) { r.Upstream = v }, "a way to ask upstream", map[string]string{
		"scrub": "scrubbed", "no": "never", "off": "never", "false": "never", "block": "never",
	}, rules.AskScrubbed, rules.AskNever)},
	{"mode", ruleWord(func(r *rules.Rule, v rules.Mode) { r.Mode = v }, "a mode", map[string]string{
		"audit": "monitor", "dry-run": "monitor", "log": "monitor", "watch": "monitor", "on": "enforce", "true": "enforce",
	}, rules.Enforce, rules.Monitor)},
	{"until", (*ruleReader).until},
	{"note", ruleText(func(r *rules.Rule) *string { return &r.Note }, "a text for people")},
}

func ruleKeyNames() []string {
	names := make([]string, 0, len(ruleKeys))
	for _, k := range ruleKeys {
		names = append(names, k.name)
	}
	return names
}

// ruleReader reads one rule and remembers where everything stands, for what only the policy can see.
type ruleReader struct {
	*reader
	rule   rules.Rule
	places map[string]*yaml.Node // by key, and by key and item
}

func itemKey(key string, item int) string { return key + "#" + strconv.Itoa(item) }

// write implements value: a reference is written of the defaults, which have no rules.
func (ruleList) write(*Config) string { return "[]" }

func (ruleList) read(r *reader, name string, n *yaml.Node) {
	if !r.noAliasOrTag(name, n) || n.ShortTag() == "!!null" {
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.report(n, name, fault{text: describe(n), want: "want a list of rules, each with a dash: - {name: pin, domains: [corp.example.net]}"})
		return
	}
	before := len(r.problems)
	var all []rules.Rule
	var readers []*ruleReader
	for i, item := range n.Content {
		rr := &ruleReader{reader: r, places: map[string]*yaml.Node{"": item}}
		rr.read(ruleName(name, i, item), item)
		all, readers = append(all, rr.rule), append(readers, rr)
	}
	r.config.Policy.Rules = all
	for _, item := range n.Content {
		r.config.Policy.RuleLines = append(r.config.Policy.RuleLines, item.Line)
	}
	if len(r.problems) > before {
		return // what the policy would say now follows from what is wrong already
	}
	_, err := rules.New(rules.Config{Rules: all})
	for _, e := range splitErrors(err) {
		mistake, ok := errors.AsType[*rules.RuleError](e)
		if !ok {
			r.report(n, name, fault{text: e.Error()})
			continue
		}
		rr := readers[mistake.Rule]
		at := rr.places[""]
		for _, place := range []string{mistake.Key, itemKey(mistake.Key, mistake.Item)} {
			if n := rr.places[place]; n != nil {
				at = n
			}
		}
		f := fault{text: mistake.Text, want: "want " + mistake.Want}
		if near := spelling.Nearest(mistake.Word, mistake.Known); near != "" {
			f.want = didYouMean(near)
		}
		r.report(at, ruleName(name, mistake.Rule, n.Content[mistake.Rule])+"."+mistake.Key, f)
	}
}

// splitErrors takes a joined error apart.
func splitErrors(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// ruleName is how messages call a rule: by its name where it has one, else by its number.
func ruleName(prefix string, i int, n *yaml.Node) string {
	if n.Kind == yaml.MappingNode {
		for j := 0; j+1 < len(n.Content); j += 2 {
			if n.Content[j].Value == "name" && n.Content[j+1].Kind == yaml.ScalarNode && n.Content[j+1].Value != "" {
				return prefix + "[" + clipped(n.Content[j+1].Value) + "]"
			}
		}
	}
	return prefix + "[" + strconv.Itoa(i+1) + "]"
}

func (r *ruleReader) read(name string, n *yaml.Node) {
	if !r.noAliasOrTag(name, n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.report(n, name, fault{text: describe(n), want: "want the keys of a rule: " + strings.Join(ruleKeyNames(), ", ")})
		return
	}
	r.pairs(name, n, func(word string, at, value *yaml.Node) {
		for _, k := range ruleKeys {
			if k.name == word {
				r.places[word] = value
				k.read(r, name+"."+word, value)
				return
			}
		}
		r.report(at, joined(name, word), misspelt(word, ruleKeyNames()))
	})
}

func ruleText(at func(*rules.Rule) *string, want string) func(*ruleReader, string, *yaml.Node) {
	return func(r *ruleReader, name string, n *yaml.Node) {
		if text, ok := r.scalar(name, n, want); ok {
			*at(&r.rule) = text
		}
	}
}

// ruleWords reads a list of texts that the policy checks.
func ruleWords(at func(*rules.Rule) *[]string, sample string, narrows bool) func(*ruleReader, string, *yaml.Node) {
	return func(r *ruleReader, name string, n *yaml.Node) {
		r.items(name, n, sample, narrows, func(_ *yaml.Node, text string) { *at(&r.rule) = append(*at(&r.rule), text) })
	}
}

// items reads a list. One that narrows the rule down is not empty: whoever takes out the last entry does not mean everybody, for whom the rule would be then.
func (r *ruleReader) items(name string, n *yaml.Node, sample string, narrows bool, take func(item *yaml.Node, text string)) {
	if !r.noAliasOrTag(name, n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.report(n, name, fault{text: describe(n), want: "want a list such as [" + sample + "]"})
		return
	}
	if len(n.Content) == 0 && narrows {
		r.report(n, name, fault{text: "an empty list", want: "leave the key out where the rule is for all, or want a list such as [" + sample + "]"})
	}
	for i, item := range n.Content {
		if text, ok := r.scalar(name, item, "one of a list such as ["+sample+"]"); ok {
			r.places[itemKey(name[strings.LastIndexByte(name, '.')+1:], i)] = item
			take(item, text)
		}
	}
}

// ruleWord reads one of the words of an enumeration, whose String gives them.
func ruleWord[T fmt.Stringer](set func(*rules.Rule, T), what string, others map[string]string, values ...T) func(*ruleReader, string, *yaml.Node) {
	words := make([]string, 0, len(values))
	for _, v := range values {
		words = append(words, v.String())
	}
	parse := oneOf(what, others, words...)
	return func(r *ruleReader, name string, n *yaml.Node) {
		text, ok := r.scalar(name, n, among(words))
		if !ok {
			return
		}
		word, f := parse(text)
		if f != nil {
			r.report(n, name, *f)
			return
		}
		for _, v := range values {
			if v.String() == word {
				set(&r.rule, v)
			}
		}
	}
}

func (r *ruleReader) clients(name string, n *yaml.Node) {
	r.items(name, n, "10.0.0.0/8, 192.168.1.7", true, func(item *yaml.Node, text string) {
		prefix, f := parsePrefix(text)
		if f != nil {
			r.report(item, name, *f)
			return
		}
		r.rule.Clients = append(r.rule.Clients, prefix)
	})
}

// parsePrefix reads a range of addresses, or one address.
func parsePrefix(text string) (netip.Prefix, *fault) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, &fault{text: quoted(text) + " is not an address range", want: "want one such as 10.0.0.0/8, or an address"}
	}
	if meant, mapped := reserved.MappedRange(p); mapped {
		f := fault{text: quoted(text) + " is a range of IPv4 in the spelling of IPv6, with a length of less than 96", want: "want one such as 10.0.0.0/8"}
		if meant.IsValid() {
			f.want = didYouMean(meant.String())
		}
		return netip.Prefix{}, &f
	}
	if p != p.Masked() {
		return netip.Prefix{}, &fault{text: quoted(text) + " has bits set behind its length", want: didYouMean(p.Masked().String())}
	}
	if a := p.Addr(); a.Is4In6() { // addresses are compared as IPv4; no shorter range begins at such a one
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p, nil
}

// until reads when a rule ends: a moment, or a day whose end it is, in UTC.
func (r *ruleReader) until(name string, n *yaml.Node) {
	const want = "a day such as 2026-12-31 (the rule ends when it does, in UTC) or a moment such as 2026-12-31T18:00:00Z"
	text, ok := r.scalar(name, n, want)
	if !ok {
		return
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		r.rule.Until = day.AddDate(0, 0, 1)
		return
	}
	if moment, err := time.Parse(time.RFC3339, text); err == nil {
		r.rule.Until = moment.UTC()
		return
	}
	f := fault{text: quoted(text) + " is not a date", want: "want " + want}
	for _, layout := range []string{"2.1.2006", "2006/1/2", "2006-1-2", "2 January 2006", "January 2, 2006", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			f.want = didYouMean(t.Format(time.DateOnly))
			if strings.Contains(layout, "15") {
				f.want = didYouMean(t.Format(time.RFC3339))
			}
		}
	}
	r.report(n, name, f)
}

// serverKeys are what a server may say.
var serverKeys = []string{"host", "port", "encryption", "username", "auth", "url"}

// servers reads a mapping from protocol to server.
func (r *ruleReader) servers(name string, n *yaml.Node) {
	if !r.noAliasOrTag(name, n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.report(n, name, fault{text: describe(n), want: "want a mapping such as {imap: {host: mail.lab.test}, smtp: {host: mail.lab.test, encryption: starttls}}"})
		return
	}
	r.pairs(name, n, func(protocol string, at, value *yaml.Node) {
		server := dialect.Server{Protocol: protocol}
		if value.Kind == yaml.ScalarNode {
			text, ok := r.scalar(name+"."+protocol, value, "a host, or {host: …, port: …}")
			if !ok {
				return
			}
			server.Host = text
		} else {
			r.server(name+"."+protocol, value, &server)
		}
		r.places[itemKey("servers", len(r.rule.Servers))] = at
		r.rule.Servers = append(r.rule.Servers, server)
	})
}

func (r *ruleReader) server(name string, n *yaml.Node, server *dialect.Server) {
	if !r.noAliasOrTag(name, n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.report(n, name, fault{text: describe(n), want: "want a host, or keys: " + strings.Join(serverKeys, ", ")})
		return
	}
	texts := map[string]*string{
		"host": &server.Host, "encryption": &server.Encryption, "username": &server.Username, "auth": &server.Auth, "url": &server.URL,
	}
	r.pairs(name, n, func(word string, at, value *yaml.Node) {
		text, known := texts[word]
		if !known && word != "port" {
			r.report(at, joined(name, word), misspelt(word, serverKeys))
			return
		}
		said, ok := r.scalar(name+"."+word, value, "a single value")
		if !ok {
			return
		}
		if known {
			*text = said
			return
		}
		port, err := strconv.ParseUint(said, 10, 16)
		if err != nil || port == 0 {
			r.report(value, name+".port", fault{text: quoted(said) + " is not a port", want: "want a number from 1 to 65535"})
			return
		}
		server.Port = uint16(port)
	})
}
