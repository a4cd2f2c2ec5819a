package terminal_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                           "",
		"plain\n":                    "plain\n",
		"Müller → 例え 😀\n":            "Müller → 例え 😀\n",
		"\u009b31m":                  `\u009b31m`,
		"a\u202eb\u2066c\u200ed":     `a\u202eb\u2066c\u200ed`,
		"\x7f\u0085\u2028\ufeff":     `\u007f\u0085\u2028\ufeff`,
		"\U000e0041x":                `\udb40\udc41x`,
		"not \xff UTF-8 \xc2 \ufffd": "not \xff UTF-8 \xc2 \ufffd",
	} {
		if got := terminal.Escape([]byte(text)); string(got) != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	same := []byte("nothing to do: é")
	if got := terminal.Escape(same); &got[0] != &same[0] {
		t.Error("a text that stays was copied")
	}
}

// Whoever reads the JSON gets what was written, of every kind of character, and no terminal anything to obey.
func TestWriter(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if utf8.ValidRune(r) {
			all.WriteRune(r)
		}
		if r > 0x3000 { // few of those beyond are alike, and there are a million
			r += 96
		}
	}
	line, err := json.Marshal(all.String())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if n, err := terminal.Writer(&out).Write(line); n != len(line) || err != nil {
		t.Fatal(n, err)
	}
	var got string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != all.String() {
		t.Errorf("the text has changed, %v", err)
	}
	if strings.ContainsFunc(out.String(), func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Error("something is left")
	}
}
