package review_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

// generator is the program that makes logs of which everything is known. It has a module of its own and shares no code with this one.
var generator = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "decisions-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "decisions")
	cmd := exec.Command("go", "build", "-o", name, "./bench/decisions")
	cmd.Dir = filepath.Join("..", "..", "..", "..", ".ci")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), err
	}
	return name, nil
})

// made makes a log of at least that many bytes, and the file that says what is true of it.
func made(tb testing.TB, size int) (log, truth string) {
	tb.Helper()
	built = true
	program, err := generator()
	if err != nil {
		tb.Skipf("the generator of logs cannot be built: %v\n%s", err, program)
	}
	dir := tb.TempDir()
	log, truth = filepath.Join(dir, "decisions.jsonl"), filepath.Join(dir, "truth.json")
	f, err := os.Create(log)
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(program, "-bytes", strconv.Itoa(size), "-truth", truth)
	cmd.Stdout, cmd.Stderr = f, os.Stderr
	if err := cmd.Run(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
	return log, truth
}

// Every number of the report equals what is known of the log. ".ci/bench/review" does the same with a gigabyte.
func TestReport_equalsTheTruth(t *testing.T) {
	t.Parallel()
	log, truth := made(t, 4e6)
	s := review.NewSummary(review.Filter{})
	read, err := review.Read(t.Context(), review.Sources{Files: []string{log}}, s)
	if err != nil {
		t.Fatal(err)
	}
	var report bytes.Buffer
	if err := s.Report(read, 0).Write(&report, review.FormatJSON); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "report.json")
	check := func(text []byte) ([]byte, error) {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		program, _ := generator()
		return exec.Command(program, "-check", truth, name).CombinedOutput()
	}
	if out, err := check(report.Bytes()); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := check(bytes.Replace(report.Bytes(), []byte(`"refuse": 1`), []byte(`"refuse": 2`), 1)); err == nil {
		t.Errorf("a wrong report passes: %s", out)
	}
}

func BenchmarkReview(b *testing.B) {
	log, _ := made(b, 8e6)
	text, err := os.ReadFile(log)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s := review.NewSummary(review.Filter{})
		if _, err := review.Read(b.Context(), review.Sources{Files: []string{"-"}, Stdin: bytes.NewReader(text)}, s); err != nil {
			b.Fatal(err)
		}
	}
}
