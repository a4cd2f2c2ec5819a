package review_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

func gzipped(tb testing.TB, text string) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(tb testing.TB, text string) []byte {
	tb.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	return w.EncodeAll([]byte(text), nil)
}

func TestRead_files(t *testing.T) {
	text := golden(t)[3] + "\n"
	dir := t.TempDir()
	var files []string
	for name, content := range map[string][]byte{
		"plain.jsonl": []byte(text), "rotated.jsonl.gz": append(gzipped(t, text), gzipped(t, text)...), "rotated.jsonl.zst": zstandard(t, text), "misnamed.jsonl": gzipped(t, text), "empty": nil,
	} {
		files = append(files, filepath.Join(dir, name))
		if err := os.WriteFile(files[len(files)-1], content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var done, total int64
	s := review.NewSummary(review.Filter{})
	log, err := review.Read(t.Context(), review.Sources{
		Files: append(files, "-"), Stdin: bytes.NewReader(gzipped(t, text)), Progress: func(d, n int64) { done, total = d, n },
	}, s)
	if err != nil || log.Decisions != 6 || log.Files != 6 || log.Bytes != done || total != 0 {
		t.Errorf("got %+v, %v; progress %d of %d", log, err, done, total)
	}
	if _, err := review.Read(t.Context(), review.Sources{Files: files, Progress: func(d, n int64) { done, total = d, n }}, s); err != nil || done != total || done == 0 {
		t.Errorf("progress ends at %d of %d, %v", done, total, err)
	}
	// What was compressed after somebody had listed the files.
	if log, err := review.Read(t.Context(), review.Sources{Files: []string{filepath.Join(dir, "rotated.jsonl")}}, s); err != nil || log.Decisions != 2 {
		t.Errorf("got %+v, %v", log, err)
	}
}

func TestRead_errors(t *testing.T) {
	whole := gzipped(t, golden(t)[3]+"\n")
	cut := filepath.Join(t.TempDir(), "cut.gz")
	if err := os.WriteFile(cut, whole[:len(whole)-4], 0o600); err != nil {
		t.Fatal(err)
	}
	s := review.NewSummary(review.Filter{})
	log, err := review.Read(t.Context(), review.Sources{Files: []string{cut}}, s)
	if err == nil || !strings.Contains(err.Error(), "cut.gz") || log.Decisions != 1 {
		t.Errorf("got %v with %+v, want the file's name and what was there", err, log)
	}
	// The others are read all the same.
	headless := filepath.Join(t.TempDir(), "headless.gz")
	if err := os.WriteFile(headless, whole[:6], 0o600); err != nil {
		t.Fatal(err)
	}
	log, err = review.Read(t.Context(), review.Sources{Files: []string{cut, headless, "-"}, Stdin: bytes.NewReader(whole)}, s)
	if _, ok := errors.AsType[*review.CutShortError](err); !ok || !strings.Contains(err.Error(), "cut.gz") || !strings.Contains(err.Error(), "headless.gz") || log.Decisions != 2 || log.CutShort != 2 {
		t.Errorf("got %v with %+v, want both names and two decisions", err, log)
	}
	if _, err := review.Read(t.Context(), review.Sources{Files: []string{filepath.Join(t.TempDir(), "none")}}, s); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := review.Read(ctx, review.Sources{Files: []string{"-"}, Stdin: strings.NewReader("x")}, s); err == nil {
		t.Error("a reading that was given up has no error")
	}
}

// counter is a consumer that tells of each decision.
type counter chan string

func (c counter) Decision(r *review.Record, _ string) { c <- strings.Clone(r.Exchange) }
func (c counter) Event(*review.Event, string)         {}

// A log that is followed may grow in the middle of a line, be replaced, and be cut: nothing is lost, and nothing is told twice.
func TestFollow(t *testing.T) {
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	record := func(exchange string) string { return line(t, entry{"exchange": exchange}) + "\n" }
	written := 0
	write := func(text string, how int) {
		t.Helper()
		written += len(text)
		f, err := os.OpenFile(name, how|os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	seen := make(counter, 100)
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-seen:
			if got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s does not come", want)
		}
	}
	write(record("0-1"), os.O_APPEND)
	ctx, cancel := context.WithCancel(t.Context())
	caught, ended := make(chan struct{}), make(chan review.Log)
	go func() {
		log, err := review.Follow(ctx, name, time.Millisecond, func() { close(caught) }, seen)
		if err != nil {
			t.Error(err)
		}
		ended <- log
	}()
	<-caught
	expect("0-1")
	next := record("0-2")
	write(next[:100], os.O_APPEND)
	write(next[100:], os.O_APPEND)
	expect("0-2")
	followed, former := name, name+".1"
	if err := os.Rename(followed, former); err != nil {
		t.Fatal(err)
	}
	name = former
	for _, exchange := range []string{"0-2a", "0-2b"} { // between the two there was a look for the file that is not there
		write(record(exchange), os.O_APPEND)
		expect(exchange)
	}
	write(record("0-2c")+next[:100], os.O_APPEND) // what is torn has nothing to do with what comes next
	expect("0-2c")
	name = followed
	write(record("0-3"), os.O_APPEND)
	expect("0-3")
	write(record("0-4")+record("0-5"), os.O_APPEND)
	expect("0-4")
	expect("0-5")
	write(record("0-5b")+next[:100], os.O_APPEND)
	expect("0-5b")
	write(record("0-6"), os.O_TRUNC)
	expect("0-6")
	write(record("0-7")+next[:100], os.O_APPEND) // and it ends before the line does
	expect("0-7")
	cancel()
	if log := <-ended; log.Decisions != 11 || log.Files != 2 || log.Odd() != 0 || log.Torn != 3 || log.Bytes != int64(written) {
		t.Errorf("got %+v, and %d bytes were written", log, written)
	}
}
