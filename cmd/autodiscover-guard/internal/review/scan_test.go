package review_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

// golden are the records that package intercept pins.
func golden(tb testing.TB) []string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "intercept", "testdata", "decision.golden.json"))
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// What the guard writes must take the fast way: a key that the scanner does not know would cost two thirds of the speed, and nobody would notice.
func TestScan_readsWhatInterceptWrites(t *testing.T) {
	for _, line := range golden(t) {
		var fast, full review.Record
		if !review.Scan(line, &fast) {
			t.Errorf("the scanner gives up at %s", line)
		}
		if err := review.Parse(line, &full); err != nil {
			t.Errorf("%v: %s", err, line)
		}
		if !alike(fast, full) {
			t.Errorf("got %+v, want %+v", fast, full)
		}
	}
}

// alike compares what was read; an empty list and none are the same.
func alike(a, b review.Record) bool {
	for _, r := range []*review.Record{&a, &b} {
		for _, list := range []*[]string{&r.Subjects, &r.Accounts, &r.Strangers} {
			if len(*list) == 0 {
				*list = nil
			}
		}
		if len(r.Suggestions) == 0 {
			r.Suggestions = nil
		}
	}
	return reflect.DeepEqual(a, b)
}

func TestScan_givesUpAtAnythingOdd(t *testing.T) {
	line := golden(t)[0]
	for name, odd := range map[string]string{
		"white space":          strings.Replace(line, `,"msg"`, `, "msg"`, 1),
		"an escape":            strings.Replace(line, `"no subject`, `"\u006eo subject`, 1),
		"not ASCII":            strings.Replace(line, `"no subject`, `"nö subject`, 1),
		"invalid UTF-8":        strings.Replace(line, `"no subject`, "\"n\xff subject", 1),
		"a control character":  strings.Replace(line, `"no subject`, "\"n\x1b subject", 1),
		"an unknown key":       strings.Replace(line, `"rule"`, `"ruler"`, 1),
		"a key in capitals":    strings.Replace(line, `"rule"`, `"Rule"`, 1),
		"a key twice":          strings.Replace(line, `"rule":""`, `"rule":"","rule":"x"`, 1),
		"an inner key twice":   strings.Replace(line, `"present":true`, `"present":true,"present":false`, 1),
		"null":                 strings.Replace(line, `"rule":""`, `"rule":null`, 1),
		"a negative number":    strings.Replace(line, `"status":200`, `"status":-200`, 1),
		"a leading zero":       strings.Replace(line, `"status":200`, `"status":0200`, 1),
		"a fraction":           strings.Replace(line, `"status":200`, `"status":200.0`, 1),
		"no number":            strings.Replace(line, `"status":200`, `"status":`, 1),
		"another version":      strings.Replace(line, `"schema":1`, `"schema":2`, 1),
		"another message":      strings.Replace(line, `"decision"`, `"decisions"`, 1),
		"no time":              strings.Replace(line, `"time":"2025`, `"time":"x2025`, 1),
		"a time out of bounds": strings.Replace(line, `"time":"2025`, `"time":"9025`, 1),
		"something behind":     line + "x",
		"a comma too many":     strings.Replace(line, `}]`, `},]`, 1),
		"torn":                 line[:len(line)/2],
		"nothing":              "",
	} {
		t.Run(name, func(t *testing.T) {
			var r review.Record
			if odd == line || review.Scan(odd, &r) {
				t.Errorf("the scanner takes %s", odd)
			}
		})
	}
}

// FuzzScan: what the scanner reads, the parser reads alike. The parser is the oracle; there is no line that only the scanner takes.
func FuzzScan(f *testing.F) {
	for _, line := range golden(f) {
		f.Add([]byte(line))
		f.Add([]byte(strings.Replace(line, `"policy"`, `"repeat":3,"strangers":["a","b"],"authority":"AB","policy"`, 1)))
	}
	f.Add([]byte(`{"msg":"decision","schema":1,"time":"2025-12-08T21:32:58Z"}`))
	f.Add([]byte(`{"msg":"decision","schema":1,"time":"2025-12-08T21:32:58Z","schema":1}`))
	f.Add([]byte(`{"msg":"decision","schema":01,"time":"2025-12-08T21:32:58Z"}`))
	var kept review.Record // a record that was used before must not show through
	f.Fuzz(func(t *testing.T, line []byte) {
		var full review.Record
		if !review.Scan(string(line), &kept) {
			return
		}
		if err := review.Parse(string(line), &full); err != nil {
			t.Fatalf("only the scanner takes %q: %v", line, err)
		}
		if !alike(kept, full) {
			t.Fatalf("%q\nscanned %+v\nparsed  %+v", line, kept, full)
		}
	})
}

func BenchmarkScan(b *testing.B) { benchmarkLines(b, review.Scan) }

func BenchmarkParse(b *testing.B) {
	benchmarkLines(b, func(s string, r *review.Record) bool { return review.Parse(s, r) == nil })
}

func benchmarkLines(b *testing.B, read func(string, *review.Record) bool) {
	b.Helper()
	lines := golden(b)
	b.SetBytes(int64(len(strings.Join(lines, "\n"))))
	b.ReportAllocs()
	var r review.Record
	for b.Loop() {
		for _, line := range lines {
			if !read(line, &r) {
				b.Fatal("a line is not read")
			}
		}
	}
}
