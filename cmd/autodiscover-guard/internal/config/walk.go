package config

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
)

// section reads the keys below prefix; the empty prefix is the whole file. Nothing at all is a section without keys.
func (r *reader) section(prefix string, n *yaml.Node) {
	if !r.noAliasOrTag(prefix, n) || n.ShortTag() == "!!null" {
		return
	}
	words := below(prefix)
	if n.Kind != yaml.MappingNode {
		where := "here"
		if prefix != "" {
			where = "below it"
		}
		r.report(n, prefix, fault{text: describe(n), want: "want keys " + where + ": " + strings.Join(words, ", ")})
		return
	}
	r.pairs(prefix, n, func(word string, at, value *yaml.Node) {
		name := joined(prefix, word)
		i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
		switch {
		case i < 0:
			r.report(at, name, unknownKey(word, words))
		case keys[i].value == nil:
			r.section(name, value)
		default:
			r.given[name] = at
			keys[i].value.read(r, name, value)
		}
	})
}

// pairs calls visit for each key of a mapping that can be a key and was not there before.
func (r *reader) pairs(name string, n *yaml.Node, visit func(word string, at, value *yaml.Node)) {
	first := make(map[string]*yaml.Node)
	for i := 0; i+1 < len(n.Content); i += 2 {
		at, value := n.Content[i], n.Content[i+1]
		if at.ShortTag() == "!!merge" {
			r.report(at, name, fault{text: "merge keys are not read", want: "write the keys out"})
			continue
		}
		if !r.noAliasOrTag(name, at) {
			continue
		}
		if at.Kind != yaml.ScalarNode {
			r.report(at, name, fault{text: describe(at) + " where a key should be", want: "want a word and a colon"})
			continue
		}
		if before := first[at.Value]; before != nil {
			r.report(at, joined(name, at.Value), fault{text: "given twice", want: "the first is on line " + strconv.Itoa(before.Line)})
			continue
		}
		first[at.Value] = at
		visit(at.Value, at, value)
	}
}

// noAliasOrTag reports an anchor, an alias or a tag as a problem, and returns whether the node has none: they have it say something else than it
// seems to.
func (r *reader) noAliasOrTag(name string, n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.report(n, name, fault{text: "anchors and aliases are not read", want: "write the value out"})
	case n.Style&yaml.TaggedStyle != 0: // which a password is to YAML that begins so
		r.report(n, name, fault{text: "tags are not read", want: "want no word that begins with an exclamation mark, or quotes around it"})
	default:
		return true
	}
	return false
}

// scalar is the text of a single value.
func (r *reader) scalar(name string, n *yaml.Node, want string) (string, bool) {
	if !r.noAliasOrTag(name, n) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		r.report(n, name, fault{text: describe(n), want: "want " + want})
		return "", false
	}
	return n.Value, true
}

func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "no value"
	default:
		return "a single value, " + quoted(withoutSecrets(n.Value))
	}
}

// withoutSecrets is withoutUser that shows nothing of a URL behind its host either: a webhook's is a secret.
func withoutSecrets(text string) string {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return withoutUser(text)
	}
	rest = withoutUser(rest)
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end] + "/…"
	}
	return scheme + "://" + rest
}

// misspelt says of a key that it is none of words, and which was probably meant.
func misspelt(word string, words []string) fault {
	if strings.TrimSpace(word) != word { // pasted from a web page or a letter
		return fault{text: "indented with blanks that are no spaces", want: "want spaces"}
	}
	f := fault{text: "unknown key", valid: words}
	if near := spelling.Nearest(word, words); near != "" {
		f.want = didYouMean(near)
	}
	return f
}

// unknownKey says of a key what it should have been: a neighbour with a slip, or a key that belongs elsewhere.
func unknownKey(word string, words []string) fault {
	f := misspelt(word, words)
	if f.want != "" {
		return f
	}
	var elsewhere []string
	for _, k := range keys {
		if k.name == word {
			f.want = "write the words of " + word + " below each other, each with a colon"
			return f
		}
		if strings.HasSuffix(k.name, "."+word) {
			elsewhere = append(elsewhere, k.name)
		}
	}
	if len(elsewhere) > 0 {
		f.want = "did you mean " + among(quotedAll(elsewhere)) + "?"
	}
	return f
}

func quotedAll(texts []string) []string {
	all := make([]string, 0, len(texts))
	for _, t := range texts {
		all = append(all, quoted(t))
	}
	return all
}

// below lists the last words of the keys directly below prefix.
func below(prefix string) []string {
	var words []string
	for _, k := range keys {
		parent, word := "", k.name
		if i := strings.LastIndexByte(k.name, '.'); i >= 0 {
			parent, word = k.name[:i], k.name[i+1:]
		}
		if parent == prefix {
			words = append(words, word)
		}
	}
	return words
}

// joined is the full name of a key: with dots, and with brackets around a word that has dots itself or is not a word.
func joined(prefix, word string) string {
	odd := word == "" || strings.ContainsFunc(word, func(c rune) bool {
		return c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
	switch word = clipped(word); {
	case odd:
		return prefix + "[" + word + "]"
	case prefix == "":
		return word
	default:
		return prefix + "." + word
	}
}
