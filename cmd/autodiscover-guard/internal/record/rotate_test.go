package record_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

// archived reads every file of a directory, the compressed ones too.
func archived(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	texts := make(map[string][]byte)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err == nil && strings.HasSuffix(e.Name(), ".gz") {
			var r *gzip.Reader
			if r, err = gzip.NewReader(bytes.NewReader(text)); err == nil {
				text, err = io.ReadAll(r)
			}
		}
		if err != nil {
			t.Fatalf("%s: %v", e.Name(), err)
		}
		texts[e.Name()] = text
	}
	return texts
}

func TestRotation_by_size_keeps_and_compresses(t *testing.T) {
	// Files that are moved within the same millisecond get names that timberjack v1.4.10 does not count: in the bubble each record has a second of its own, and what goes on in the
	// background is done by then.
	synctest.Test(t, testRotationBySize)
}

func testRotationBySize(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "decisions.jsonl")
	stranger := filepath.Join(dir, "decisions-of-somebody-else.jsonl")
	if err := os.WriteFile(stranger, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for n := range 6 { // a process each, so that each finds the others' files and is done with compressing
		log, decisions := newLog(openFile(t, name, record.Rotation{Size: 1 << 10, Keep: 3}), record.Rate{}, nil)
		for m := range 3 {
			decide(decisions, "192.0.2.1", "/"+strings.Repeat("x", 400), 10*n+m)
			time.Sleep(time.Second)
		}
		closeLog(t, log)
	}
	moved := 0
	for file, text := range archived(t, dir) {
		if filepath.Join(dir, file) == stranger || filepath.Join(dir, file) == name {
			continue
		}
		moved++
		if !regexp.MustCompile(`^decisions-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}-size(_\d+)?\.jsonl\.gz$`).MatchString(file) {
			t.Errorf("a file is called %s", file)
		}
		if got := mode(t, filepath.Join(dir, file)); runtime.GOOS != "windows" && got != 0o600 {
			t.Errorf("%s has mode %v", file, got)
		}
		if entries, torn := read(t, text); len(entries) == 0 || len(torn) != 0 {
			t.Errorf("%s: %d records, torn %q", file, len(entries), torn)
		}
	}
	if moved != 3 {
		t.Errorf("%d files are kept, want 3", moved)
	}
	if _, err := os.Stat(stranger); err != nil {
		t.Errorf("a file of somebody else is gone: %v", err)
	}
}

// What somebody has arranged around the file holds for the next one as well: a link to another disk, a mode by which another program reads along.
func TestRotation_keeps_link_and_mode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links take a privilege, and modes say nothing")
	}
	synctest.Test(t, func(t *testing.T) {
		dir, disk := t.TempDir(), t.TempDir()
		name, real := filepath.Join(dir, "decisions.jsonl"), filepath.Join(disk, "guard.jsonl")
		if err := errors.Join(os.WriteFile(real, nil, 0o600), os.Chmod(real, 0o640), os.Symlink(real, name)); err != nil {
			t.Fatal(err)
		}
		log, decisions := newLog(openFile(t, name, record.Rotation{Size: 600, Keep: 2}), record.Rate{}, nil)
		for n := range 5 {
			decide(decisions, "192.0.2.1", "/", n)
			time.Sleep(time.Minute)
		}
		closeLog(t, log)
		if to, err := os.Readlink(name); to != real || err != nil {
			t.Errorf("the link leads to %q, %v", to, err)
		}
		if texts := archived(t, dir); len(texts) != 1 {
			t.Errorf("beside the link are %d files", len(texts)-1)
		}
		texts := archived(t, disk)
		if len(texts) != 3 {
			t.Errorf("%d files, want the present one and the two that are kept", len(texts))
		}
		for file := range texts {
			if got := mode(t, filepath.Join(disk, file)); got != 0o640 {
				t.Errorf("%s has mode %v", file, got)
			}
		}
	})
}

// The age of a file is that of its first record, whichever process wrote it.
func TestRotation_by_age(t *testing.T) {
	long := `"path":"` + strings.Repeat("x", 5<<10) + `"}` + "\n"
	now := time.Now()
	for name, c := range map[string]struct {
		old     string
		changed time.Time
		moved   bool
	}{
		"an old record":        {`{"level":"warn","time":"2020-01-01T00:00:00Z","msg":"decision",` + long, now, true},
		"a young one":          {`{"level":"warn","time":"` + now.UTC().Format(time.RFC3339Nano) + `",` + long, now.Add(-48 * time.Hour), false},
		"an old file, no time": {`{"level":"warn","msg":"decision"}` + "\n", now.Add(-48 * time.Hour), true},
		"a young one, no time": {`{"level":"warn","msg":"decision"}` + "\n", now, false},
	} {
		t.Run(name, func(t *testing.T) { testRotationByAge(t, c.old, c.changed, c.moved) })
	}
}

func testRotationByAge(t *testing.T, old string, changed time.Time, moved bool) {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "decisions.jsonl")
	if err := errors.Join(os.WriteFile(name, []byte(old), 0o600), os.Chtimes(name, changed, changed)); err != nil {
		t.Fatal(err)
	}
	log, decisions := newLog(openFile(t, name, record.Rotation{Every: 24 * time.Hour}), record.Rate{}, nil)
	for n := range 5 {
		decide(decisions, "192.0.2.1", "/", n)
	}
	closeLog(t, log)
	texts := archived(t, dir)
	if entries, _ := read(t, texts["decisions.jsonl"]); len(entries) < 5 || (len(texts) == 2) != moved {
		t.Errorf("%d records in the file, %d files", len(entries), len(texts))
	}
	for file, text := range texts {
		if strings.Contains(file, "-age.jsonl") && string(text) != old {
			t.Errorf("%s: %s", file, text)
		}
	}
}

// Old records go in time, though nobody writes new ones. The names carry the time of the bubble, which begins in 2000.
func TestRotation_age_without_records(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		name := filepath.Join(dir, "decisions.jsonl")
		log, decisions := newLog(openFile(t, name, record.Rotation{Every: 24 * time.Hour, Age: 48 * time.Hour, Keep: 9}), record.Rate{}, nil)
		decide(decisions, "192.0.2.1", "/", 1)
		time.Sleep(25*time.Hour + time.Minute)
		synctest.Wait()
		texts := archived(t, dir)
		if len(texts) != 2 || len(texts["decisions.jsonl"]) != 0 {
			t.Fatalf("after a day: %v", texts)
		}
		time.Sleep(49 * time.Hour)
		synctest.Wait()
		if texts := archived(t, dir); len(texts) != 1 {
			t.Errorf("after three days: %v", texts)
		}
		closeLog(t, log)
	})
}

// Each of the bounds alone has the file looked after.
func TestRotation_one_bound_without_records(t *testing.T) {
	const older = "decisions-1999-12-01T00-00-00.000-size.jsonl.gz"
	for name, c := range map[string]struct {
		rotation record.Rotation
		moved    bool
		older    bool
	}{
		"by age":  {record.Rotation{Every: 24 * time.Hour}, true, true},
		"pruning": {record.Rotation{Age: 24 * time.Hour}, false, false},
		"by size": {record.Rotation{Size: 1 << 20}, false, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, older), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			log, decisions := newLog(openFile(t, filepath.Join(dir, "decisions.jsonl"), c.rotation), record.Rate{}, nil)
			decide(decisions, "192.0.2.1", "/", 1)
			time.Sleep(25*time.Hour + time.Minute)
			synctest.Wait()
			closeLog(t, log)
			_, err := os.Stat(filepath.Join(dir, older))
			if entries, _ := readFile(t, filepath.Join(dir, "decisions.jsonl")); (len(entries) == 0) != c.moved || (err == nil) != c.older {
				t.Errorf("%s: %d records in the file, an old one: %v", name, len(entries), err)
			}
		})
	}
}

// A file that cannot be moved, here because no longer name is possible, is written on, and the logger hears of it once a minute.
func TestRotation_that_fails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name := filepath.Join(t.TempDir(), strings.Repeat("d", 240)+".jsonl")
		var life bytes.Buffer
		logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoder()), zapcore.AddSync(&life), zap.WarnLevel))
		sink, err := record.OpenFile(name, record.Rotation{Size: 600}, logger)
		if err != nil {
			t.Skip("no name may be as long here: ", err)
		}
		log, decisions := newLog(sink, record.Rate{}, nil)
		for n := range 20 {
			decide(decisions, "192.0.2.1", "/", n)
			time.Sleep(4 * time.Second)
		}
		closeLog(t, log)
		if entries, torn := readFile(t, name); len(entries) != 20 || len(torn) != 0 {
			t.Errorf("%d records, torn %q; want 20", len(entries), torn)
		}
		if got := strings.Count(life.String(), "could not be rotated"); got != 2 {
			t.Errorf("said %d times in 80 s, want 2: %s", got, life.String())
		}
	})
}
