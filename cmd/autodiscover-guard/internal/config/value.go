package config

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// value is the type of a key: how it is read into a Config, and how what a Config holds is written.
type value interface {
	read(r *reader, name string, n *yaml.Node)
	write(c *Config) string
}

// single is one scalar.
type single[T any] struct {
	at func(*Config) *T
	// want says what is to be written, after the word "want".
	want  string
	parse func(text string) (T, *fault)
	show  func(T) string
}

func (s single[T]) read(r *reader, name string, n *yaml.Node) {
	text, ok := r.scalar(name, n, s.want)
	if !ok {
		return
	}
	if f := s.set(r.config, text); f != nil {
		r.report(n, name, *f)
	}
}

func (s single[T]) set(c *Config, text string) *fault {
	v, f := s.parse(text)
	if f == nil {
		*s.at(c) = v
	}
	return f
}

func (s single[T]) write(c *Config) string { return s.show(*s.at(c)) }

// list is a sequence of different entries.
type list[T comparable] struct {
	at func(*Config) *[]T
	// want says what an entry is, and sample shows some.
	want, sample string
	parse        func(text string) (T, *fault)
	show         func(T) string
	// filled refuses a list without entries.
	filled bool
}

func (l list[T]) read(r *reader, name string, n *yaml.Node) {
	if !r.noAliasOrTag(name, n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		f := fault{text: describe(n), want: "want a list such as [" + l.sample + "]"}
		if !l.filled && n.ShortTag() == "!!null" { // as templates leave it
			f.want += ", or [] for none"
		}
		r.report(n, name, f)
		return
	}
	var entries []T
	given := make(map[T]bool)
	for _, item := range n.Content {
		text, ok := r.scalar(name, item, l.want)
		if !ok {
			continue
		}
		entry, f := l.parse(text)
		switch {
		case f != nil:
			r.report(item, name, *f)
		case given[entry]:
			r.report(item, name, fault{text: quoted(text) + " is given twice", want: "leave one out"})
		default:
			given[entry] = true
			entries = append(entries, entry)
		}
	}
	if len(n.Content) == 0 && l.filled {
		r.report(n, name, fault{text: "an empty list", want: "leave the key out for the default, or want a list such as [" + l.sample + "]"})
	}
	*l.at(r.config) = entries
}

func (l list[T]) write(c *Config) string {
	var entries []string
	for _, e := range *l.at(c) {
		entries = append(entries, l.show(e))
	}
	return "[" + strings.Join(entries, ", ") + "]"
}

// table is a mapping whose keys are the operator's own.
type table[V ~string] struct {
	at func(*Config) *map[string]V
	// want says what an entry's value is, and sample shows some entries.
	want, sample string

	key   func(r *reader, text string) (string, *fault)
	parse func(text string) (V, *fault)
}

func (t table[V]) read(r *reader, name string, n *yaml.Node) {
	if !r.noAliasOrTag(name, n) || n.ShortTag() == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.report(n, name, fault{text: describe(n), want: "want a mapping such as {" + t.sample + "}"})
		return
	}
	entries := make(map[string]V)
	r.pairs(name, n, func(text string, at, v *yaml.Node) {
		key, f := t.key(r, text)
		if f != nil {
			r.report(at, name, *f)
			return
		}
		if _, before := entries[key]; before {
			r.report(at, name, fault{text: quoted(text) + " is given twice, in another spelling", want: "leave one out"})
			return
		}
		said, ok := r.scalar(joined(name, text), v, t.want)
		if !ok {
			return
		}
		entry, f := t.parse(said)
		if f != nil {
			r.report(v, joined(name, text), *f)
			return
		}
		entries[key] = entry
	})
	if len(entries) > 0 {
		*t.at(r.config) = entries
	}
}

func (t table[V]) write(c *Config) string {
	m := *t.at(c)
	var entries []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		entries = append(entries, word(k)+": "+word(string(m[k])))
	}
	return "{" + strings.Join(entries, ", ") + "}"
}
