package config

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
)

// oneOf reads a word of a short list. others gives words that people write for one of them.
func oneOf[T ~string](what string, others map[string]T, words ...T) func(string) (T, *fault) {
	valid := make([]string, 0, len(words))
	for _, w := range words {
		valid = append(valid, string(w))
	}
	return func(text string) (T, *fault) {
		if slices.Contains(words, T(text)) {
			return T(text), nil
		}
		f := &fault{text: quoted(text) + " is not " + what, want: "want " + among(valid), valid: valid}
		if w, ok := others[strings.ToLower(text)]; ok {
			f.want = didYouMean(string(w))
		} else if near := spelling.Nearest(text, valid); near != "" {
			f.want = didYouMean(near)
		}
		return "", f
	}
}

// parsePath reads the name of a file or directory. Whether there is one is not asked.
func parsePath(text string) (string, *fault) {
	if wrong, want := pathTrouble(text); wrong != "" {
		return "", &fault{text: quoted(text) + wrong, want: want}
	}
	return cleanPath(text), nil
}

// parseSecretPath is parsePath for a file with a secret in it. Some write the secret where its file's name belongs, so nothing of it is repeated.
func parseSecretPath(text string) (string, *fault) {
	if wrong, want := pathTrouble(text); wrong != "" {
		return "", &fault{text: "what stands there" + wrong, want: want}
	}
	return cleanPath(text), nil
}

func cleanPath(text string) string {
	if text == "" {
		return ""
	}
	return filepath.Clean(text)
}

// pathTrouble says, behind the text, why it is not a path, and what it should be; both are empty for one that is.
func pathTrouble(text string) (wrong, want string) {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return " is not a path", "want one without control characters"
	}
	if text != "" && strings.Contains("~$%", text[:1]) {
		return " begins with " + text[:1] + ", which only a shell understands", "want the whole path"
	}
	for _, open := range []string{"${", "{{"} {
		if strings.Contains(text, open) {
			return " has a variable in it that nobody has filled in", "want the whole path"
		}
	}
	return "", ""
}

// parseLog is parsePath for a file that has to be somewhere; - is the standard output.
func parseLog(text string) (string, *fault) {
	path, f := parsePath(text)
	if f == nil && (path == "" || path == "." || strings.HasSuffix(text, "/")) {
		return "", &fault{text: quoted(text) + " is not a file", want: `want a file name such as decisions.jsonl, or "-" for the standard output`}
	}
	return path, f
}

// word writes a text as YAML: plain where everybody reads it as a text, else in quotes, whose escapes are the same as Go's.
func word(text string) string {
	plain := text != "" && !strings.ContainsFunc(text, func(c rune) bool {
		return c >= utf8.RuneSelf || !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("./_-:", c)
	})
	_, numeric := strconv.ParseFloat(text, 64)
	reads := []string{"null", "true", "false", "yes", "no", "on", "y", "n"}
	if !plain || numeric == nil || slices.Contains(reads, strings.ToLower(text)) || strings.HasSuffix(text, ":") ||
		text[0] == '-' || text[0] == ':' || text[0] == '.' {
		return strconv.Quote(text)
	}
	return text
}

// clipped keeps a name in a message short and in one line.
func clipped(text string) string {
	q := quoted(text)
	return q[1 : len(q)-1]
}

// parseSwitch reads a word that turns something on or off.
func parseSwitch(text string) (bool, *fault) {
	word, f := oneOf("a switch", map[string]string{"true": "on", "yes": "on", "false": "off", "no": "off"}, "on", "off")(text)
	return word == "on", f
}

func showSwitch(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
