package desktop

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"slices"
)

// The preferences of Firefox and Thunderbird (netwerk/base/nsProtocolProxyService.cpp). Type 2 is the address of a PAC, 5 the system's
// settings, which is the default.
const (
	prefType = "network.proxy.type"
	prefPAC  = "network.proxy.autoconfig_url"
)

// prefs is a file of user_pref("name", value); lines: user.js, which people write, and prefs.js, which the program does. Values are the text of the
// literal. Of several lines for one name the last one counts.
type prefs struct{}

// prefLine finds the lines of each name. One statement a line is what the program writes, and what everybody does in user.js; where somebody
// did otherwise, the name counts as not set, and our line, at the end of the file, still goes before theirs.
var prefLine = map[string]*regexp.Regexp{
	prefType: regexp.MustCompile(`(?m)^[ \t]*user_pref\([ \t]*["']network\.proxy\.type["'][ \t]*,[ \t]*([^\r\n]*?)[ \t]*\)[ \t]*;`),
	prefPAC:  regexp.MustCompile(`(?m)^[ \t]*user_pref\([ \t]*["']network\.proxy\.autoconfig_url["'][ \t]*,[ \t]*([^\r\n]*?)[ \t]*\)[ \t]*;`),
}

// quotedOrComment is what the parser of preferences reads as one piece or skips (modules/libpref/parser): what begins a comment in a string is none, such as
// the end of "text/html,*/*".
var quotedOrComment = regexp.MustCompile(`"(?:\\.|[^"\\\r\n])*"|'(?:\\.|[^'\\\r\n])*'|(?://|#)[^\r\n]*|/\*(?s:.*?)(?:\*/|\z)`)

// spans are the places of a name's lines: begin, end, begin and end of the literal.
func spans(data []byte, name string) [][]int {
	pieces := quotedOrComment.FindAllIndex(data, -1)
	return slices.DeleteFunc(prefLine[name].FindAllSubmatchIndex(data, -1), func(at []int) bool {
		return slices.ContainsFunc(pieces, func(p []int) bool { return p[0] <= at[0] && at[0] < p[1] })
	})
}

func (prefs) read(_ context.Context, data []byte) (Values, error) {
	values := Values{prefType: {}, prefPAC: {}}
	for name := range values {
		if all := spans(data, name); len(all) > 0 {
			last := all[len(all)-1]
			values[name] = set(string(data[last[2]:last[3]]))
		}
	}
	return values, nil
}

func (prefs) edit(_ context.Context, data []byte, values Values) ([]byte, error) {
	for _, name := range []string{prefType, prefPAC} {
		v, asked := values[name]
		if !asked {
			continue
		}
		all := spans(data, name)
		switch {
		case v.Set && len(all) > 0:
			last := all[len(all)-1]
			data = slices.Concat(data[:last[2]], []byte(v.Text), data[last[3]:])
		case v.Set:
			if len(data) > 0 && !bytes.HasSuffix(data, []byte("\n")) {
				data = slices.Concat(data, []byte("\n"))
			}
			data = slices.Concat(data, []byte(`user_pref("`+name+`", `+v.Text+");\n"))
		default:
			for _, at := range slices.Backward(all) {
				data = slices.Concat(data[:at[0]], withoutLineEnd(data[at[1]:]))
			}
		}
	}
	return data, nil
}

// withoutLineEnd takes the rest of a line away where it is empty.
func withoutLineEnd(rest []byte) []byte {
	if trimmed := bytes.TrimLeft(rest, " \t\r"); bytes.HasPrefix(trimmed, []byte("\n")) {
		return trimmed[1:]
	}
	return rest
}

func (prefs) vacant(data []byte) bool { return len(bytes.TrimSpace(data)) == 0 }

// wantedPrefs are the preferences that point at the guard.
func wantedPrefs(t Target) Values {
	url, err := json.Marshal(t.PAC) // a literal of JavaScript as well
	if err != nil {
		return nil // a string always marshals
	}
	return Values{prefType: set("2"), prefPAC: set(string(url))}
}

// otherPrefs names a proxy that was set by hand.
func otherPrefs(before Values) string {
	if v := before[prefType]; v.Set && v.Text != "5" && v.Text != "0" {
		return prefType + " " + v.Text
	}
	return ""
}
