package dialect

import (
	"strings"
	"testing"
)

// sameJSON reports where two trees differ.
func sameJSON(a, b *jsonNode) string {
	if a.kind != b.kind || a.text != b.text || len(a.members) != len(b.members) || len(a.items) != len(b.items) {
		return a.kind.String() + " " + a.text + " against " + b.kind.String() + " " + b.text
	}
	for i := range a.members {
		if a.members[i].name != b.members[i].name {
			return a.members[i].name + " against " + b.members[i].name
		}
		if d := sameJSON(a.members[i].value, b.members[i].value); d != "" {
			return a.members[i].name + "/" + d
		}
	}
	for i := range a.items {
		if d := sameJSON(a.items[i], b.items[i]); d != "" {
			return "[]/" + d
		}
	}
	return ""
}

// agreeJSON: what readPlainJSON builds, jsontext gives.
func agreeJSON(data []byte) string {
	x, ok := readPlainJSON(data)
	if !ok {
		return ""
	}
	defer x.free()
	other, err := parseAnyJSON(data)
	if err != nil {
		return "only one of the two reads it: " + err.Error()
	}
	return sameJSON(x.root, other)
}

func FuzzReadPlainJSON(f *testing.F) {
	fuzzPlain(f, "{", 100, func(data []byte) bool { _, ok := readPlainJSON(data); return ok }, agreeJSON)
}

func TestReadPlainJSON(t *testing.T) {
	for text, want := range map[string]bool{
		`{}`: true, `[]`: true, ` { } `: true, "\t[\r\n]": true, `""`: true, `7`: true, `true`: true, `null`: true,
		`{"a":1,"b":[false,{"c":"ü"},[]],"d":{}}`: true,
		`{"a":"{,[]:}"}`: true,
		``:               false,
		`{`:              false,
		`[1,]`:           false,
		`[,1]`:           false,
		`[1 2]`:          false,
		`{"a"}`:          false,
		`{"a":}`:         false,
		`{"a":1,}`:       false,
		`{a:1}`:          false,
		`{"a":1}}`:       false,
		`{} {}`:          false,
		`[1]x`:           false,
		`"a`:             false,
		"\"a\nb\"":       false,
		"\"\xff\"":       false,
		`"\n"`:           false, // has an escape
		`{"a":1,"A":2}`:  false, // twice
		`{"ſ":1,"s":2}`:  false, // the same without regard to case
		`01`:             false,
		`-1`:             false,
		`1.5`:            false,
		`1e3`:            false,
		`tru`:            false,
		`True`:           false,
		`nulll`:          false,
		`'a'`:            false,
		`{"` + strings.Repeat("a", maxName) + `":1}`:                      true,
		`{"` + strings.Repeat("a", maxName+1) + `":1}`:                    false,
		strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1): true,
		strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2): false,
		"[" + strings.Repeat("1,", maxNodes-3) + "1]":                     true,
		"[" + strings.Repeat("1,", maxNodes-1) + "1]":                     false,
		`"` + strings.Repeat("a", maxPlain-2) + `"`:                       true,
		`"` + strings.Repeat("a", maxPlain-1) + `"`:                       false,
	} {
		if _, got := readPlainJSON([]byte(text)); got != want {
			t.Errorf("%.40q: got %v", text, got)
		}
		if d := agreeJSON([]byte(text)); d != "" {
			t.Errorf("%.40q: %s", text, d)
		}
	}
}
