package dialect

import (
	"slices"
	"strconv"
	"strings"
)

// The answers of Autodiscover v2, JMAP, PACC and the identity look-ups are JSON objects of URLs, some of them behind names that no document
// lists. So the walk looks at every string, and each dialect only says what its own members mean.

// urlWalk lists the URLs in a JSON tree, in document order.
type urlWalk struct {
	protocol string
	// suggest says what a scalar suggests; name is that of the member that it is in, lower case.
	suggest func(name, path, protocol, value string) (Suggestion, bool)
	// subjects says whom a scalar names; nil where the dialect's answers name nobody.
	subjects func(name, value string) []Subject

	found []Suggestion
	spots []jsonSpot
	about []Subject
}

func (w *urlWalk) value(n *jsonNode, at jsonPlace) {
	for i, item := range n.items {
		inner := jsonPlace{path: pathBelow(at.path, strconv.Itoa(i)), array: n, item: item, name: at.name}
		w.inside(at.name, item, n, inner)
	}
	for _, m := range n.members {
		inner := at
		inner.path = pathBelow(at.path, m.name)
		inner.name = strings.ToLower(m.name)
		w.inside(inner.name, m.value, n, inner)
	}
}

func (w *urlWalk) inside(name string, n, owner *jsonNode, at jsonPlace) {
	if len(n.members)+len(n.items) > 0 {
		w.value(n, at)
		return
	}
	value := n.string()
	if w.subjects != nil {
		w.about = append(w.about, w.subjects(name, value)...)
	}
	if s, ok := w.suggest(name, at.path, w.protocol, value); ok {
		w.found = append(w.found, s)
		w.spots = append(w.spots, jsonSpot{node: n, owner: owner, place: at})
	}
}

// suggestAbsolute makes a suggestion of a value that holds an absolute or scheme-relative URL, whatever stands around it.
func suggestAbsolute(path, protocol, value string) (Suggestion, bool) {
	value = strings.TrimSpace(value)
	lead := value[:len(value)-len(strings.TrimLeft(value, "/\\\t\r\n"))] // browsers (WHATWG) take a backslash for a slash, and drop tabs and line feeds
	slashes := strings.Count(lead, "/") + strings.Count(lead, `\`)
	if !strings.Contains(value, "://") && slashes < 2 && !webScheme(value) {
		return Suggestion{}, false
	}
	host, port := urlHost(value)
	return Suggestion{Path: path, Kind: KindURL, Protocol: protocol, Host: host, Port: port, Was: value}, true
}

// removesAny reports whether the verdicts remove a member or element of one of the names (lower case), without which the document says nothing.
func removesAny(judged []Suggestion, names ...string) bool {
	for _, s := range judged {
		if s.Verdict == Keep || s.Verdict == Rewrite {
			continue
		}
		last := strings.ToLower(s.Path[strings.LastIndexByte(s.Path, '/')+1:])
		last, _, _ = strings.Cut(last, "[")
		if slices.Contains(names, last) {
			return true
		}
	}
	return false
}
