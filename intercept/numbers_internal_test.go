package intercept

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNumbers looks in what people read for sentences with the numbers that hold here.
func TestNumbers(t *testing.T) {
	t.Parallel()
	words := map[time.Duration]string{10 * time.Second: "ten seconds", 10 * time.Minute: "ten minutes"}
	for file, sentences := range map[string][]string{
		"README.md": {
			fmt.Sprintf("of questions and answers of more than %d KiB, %d are read at a time, %d of one client", longBody>>10, longBodies, longBodiesOfOne),
			fmt.Sprintf("So is a Via of more than %d KiB", maxVia>>10),
			fmt.Sprintf("Such a connection waits for that, %.0f s at most", addressWait.Seconds()),
			fmt.Sprintf("TLS at info but at most once in %s (`upstream failed`)", words[logEvery]),
			fmt.Sprintf("what it asked for is awaited for another %s |", words[lastWordTime]),
		},
		".github/CHANGELOG.md": {
			fmt.Sprintf("by way of an allowed place, for %s,", words[redirectTime]),
			fmt.Sprintf("at most once in %s for each reason", words[logEvery]),
			fmt.Sprintf("what it asked for ends %s later where it has left instead", words[lastWordTime]),
		},
	} {
		text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		plain := strings.Join(strings.Fields(string(text)), " ")
		for _, sentence := range sentences {
			if !strings.Contains(plain, sentence) {
				t.Errorf("%s does not say %q", file, sentence)
			}
		}
	}
}
