package companion

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"text/template"

	"autodiscover-guard/rules"
)

// PACMediaType is what a PAC file is served as.
const PACMediaType = "application/x-ns-proxy-autoconfig"

//go:embed pac.js
var pacText string

var pacTemplate = template.Must(template.New("pac.js").Parse(pacText))

// PAC writes the proxy auto-configuration file of a policy: FindProxyForURL gives the proxy for exactly those hosts that [rules.Policy.Hosts]
// lists, and DIRECT for all others. It looks at host names only. Not at paths: an https URL's is hidden from it by browsers, and WinINET
// keeps a result per host. Not at addresses: it never looks anything up.
//
// The text is ASCII and ECMAScript 3 (1999) without regular expressions, for the engines in WinHTTP and old libraries. Hosts are compared as
// callers pass them, names in other scripts as A-labels. It is below 4 KB for the built-in policy and grows with the operator's names.
func PAC(p *rules.Policy, proxy Proxy) []byte {
	h := p.Hosts()
	tops, groups := grouped(h.BackOff)
	closed := ""
	if len(h.Except) > 0 {
		closed = literal(h.Except)
	}
	var b strings.Builder
	if err := pacTemplate.Execute(&b, map[string]any{
		"Policy": p.Revision(), "Guard": oneLine(proxy.result()), "Opened": literal(h.Below), "Closed": closed, "Tops": literal(tops), "Groups": groups,
	}); err != nil {
		panic(err) // of a template that is part of the program
	}
	return []byte(b.String())
}

// group are the countries that have the same second-level labels; "." stands for the country itself.
type group struct{ Labels, Countries string }

// grouped sorts public suffixes into those of one label that are no country's and groups of countries, because a list of them all would be four
// times as long.
func grouped(suffixes []string) (tops []string, groups []group) {
	labels := map[string][]string{} // by country
	for _, s := range suffixes {
		label, country, second := strings.Cut(s, ".")
		switch {
		case second:
			labels[country] = append(labels[country], label)
		case len(s) == len("uk"):
			labels[s] = append(labels[s], ".")
		default:
			tops = append(tops, s)
		}
	}
	countries := map[string][]string{} // by labels
	for _, country := range slices.Sorted(maps.Keys(labels)) {
		slices.Sort(labels[country])
		key := strings.Join(labels[country], " ")
		countries[key] = append(countries[key], country)
	}
	for _, key := range slices.Sorted(maps.Keys(countries)) {
		groups = append(groups, group{key, literal(countries[key])})
	}
	return tops, groups
}

// lineWidth is how long a line of a list gets: there are engines, and people, that dislike lines of kilobytes.
const lineWidth = 110

// literal writes words as one text, over several lines where it is long.
func literal(words []string) string {
	var lines []string
	line := ""
	for _, w := range words {
		switch {
		case line == "":
			line = w
		case len(line)+1+len(w) > lineWidth:
			lines = append(lines, line+" ")
			line = w
		default:
			line += " " + w
		}
	}
	return `"` + strings.Join(append(lines, line), "\" +\n\"") + `"`
}
