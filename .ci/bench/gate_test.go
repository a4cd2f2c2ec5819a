package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// text makes a file of results, one benchmark a line after its package.
func text(lines ...string) string {
	return "goos: linux\npkg: autodiscover-guard/rules\n" + strings.Join(lines, "\n") + "\n"
}

func TestGate(t *testing.T) {
	const (
		free = "BenchmarkFree-2 \t 100 \t 80.0 ns/op \t 0 B/op \t 0 allocs/op"
		some = "BenchmarkSome-2 \t 100 \t 80.0 ns/op \t 4000 B/op \t 100 allocs/op"
	)
	tests := map[string]struct {
		fresh, baseline string
		findings, notes []string
	}{
		"the same":                        {fresh: text(free, some), baseline: text(free, some)},
		"other machine, slower":           {fresh: text("BenchmarkFree-16 100 9999 ns/op 0 B/op 0 allocs/op"), baseline: text(free)},
		"fewer":                           {fresh: text("BenchmarkSome-2 100 80 ns/op 10 B/op 1 allocs/op"), baseline: text(some)},
		"within the tolerance":            {fresh: text("BenchmarkSome-2 100 80 ns/op 4400 B/op 105 allocs/op"), baseline: text(some)},
		"rounding":                        {fresh: text("BenchmarkFree-2 100 80 ns/op 16 B/op 0 allocs/op"), baseline: text(free)},
		"one run in three is as it was":   {fresh: text("BenchmarkSome-2 9 8 ns/op 9000 B/op 900 allocs/op", some), baseline: text(some)},
		"a benchmark that is new":         {fresh: text(free, some), baseline: text(free), notes: []string{"Some: not in the baseline yet"}},
		"one more where there was none":   {fresh: text("BenchmarkFree-2 100 80 ns/op 8 B/op 1 allocs/op"), baseline: text(free), findings: []string{"Free: 1 allocs/op, was 0"}},
		"six in a hundred more":           {fresh: text("BenchmarkSome-2 100 80 ns/op 4000 B/op 106 allocs/op"), baseline: text(some), findings: []string{"Some: 106 allocs/op, was 100"}},
		"eleven in a hundred bytes more":  {fresh: text("BenchmarkSome-2 100 80 ns/op 4440 B/op 100 allocs/op"), baseline: text(some), findings: []string{"Some: 4440 B/op, was 4000"}},
		"a benchmark that is gone":        {fresh: text(free), baseline: text(free, some), findings: []string{"Some B/op: gone", "Some allocs/op: gone"}},
		"the baseline's median, not best": {fresh: text("BenchmarkSome-2 1 1 ns/op 4000 B/op 200 allocs/op"), baseline: text("BenchmarkSome-2 1 1 ns/op 4000 B/op 200 allocs/op", "BenchmarkSome-2 1 1 ns/op 4000 B/op 200 allocs/op", some)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			findings, notes, err := compareFiles(file(t, test.fresh), file(t, test.baseline))
			if err != nil {
				t.Fatal(err)
			}
			same(t, "findings", findings, test.findings)
			same(t, "notes", notes, test.notes)
		})
	}
}

func TestGate_nothing_to_compare(t *testing.T) {
	for name, broken := range map[string]string{"empty": "", "no -benchmem": text("BenchmarkFree-2 100 80.0 ns/op"), "torn": text("BenchmarkFree-2 100 80.0")} {
		t.Run(name, func(t *testing.T) {
			good := file(t, text("BenchmarkFree-2 100 80 ns/op 0 B/op 0 allocs/op"))
			if _, _, err := compareFiles(file(t, broken), good); err == nil {
				t.Error("got no error for new results with nothing in them")
			}
			if _, _, err := compareFiles(good, file(t, broken)); err == nil {
				t.Error("got no error for a baseline with nothing in it")
			}
		})
	}
}

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "bench.txt")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// same reports a difference where got and want differ in number, or where one of got does not contain its want.
func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = strings.Contains(got[i], want[i])
	}
	if !ok {
		t.Errorf("got %s %q, want %q", what, got, want)
	}
}
