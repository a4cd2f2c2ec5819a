package dialect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// corpusBodies are the bodies of the project's corpus, questions and answers, that hold mark.
func corpusBodies(tb testing.TB, mark string) [][]byte {
	tb.Helper()
	files, err := filepath.Glob("../testdata/corpus/*/*.txtar")
	if err != nil || len(files) < 50 {
		tb.Fatal(len(files), err)
	}
	var all [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for _, section := range txtar.Parse(text).Files {
			if _, body, ok := strings.Cut(string(section.Data), "\n\n"); ok && strings.Contains(body, mark) {
				all = append(all, []byte(strings.TrimSpace(body)))
			}
		}
	}
	return all
}

// fuzzPlain holds a reader of plain documents against the library's, with the corpus as seeds: agree says where the two differ. At least so many
// documents of the corpus must be plain, or the fast way is no way.
func fuzzPlain(f *testing.F, mark string, least int, isPlain func([]byte) bool, agree func([]byte) string) {
	f.Helper()
	plain := 0
	for _, body := range corpusBodies(f, mark) {
		if isPlain(body) {
			plain++
		}
		f.Add(body)
	}
	if plain < least {
		f.Fatalf("only %d documents of the corpus are plain, want %d", plain, least)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if d := agree(data); d != "" {
			t.Error(d)
		}
	})
}
