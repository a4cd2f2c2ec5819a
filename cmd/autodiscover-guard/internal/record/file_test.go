package record_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/record"
)

func openFile(t *testing.T, name string, rotation record.Rotation) *record.File {
	t.Helper()
	f, err := record.OpenFile(name, rotation, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func closeLog(t *testing.T, log *record.Log) {
	t.Helper()
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}

func readFile(t *testing.T, name string) (entries []entry, torn []string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, text)
}

func mode(t *testing.T, name string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestFile_is_private(t *testing.T) {
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	log, decisions := newLog(openFile(t, name, record.Rotation{}), record.Rate{}, nil)
	decide(decisions, "192.0.2.1", "/", 1)
	if got := mode(t, name); runtime.GOOS != "windows" && got != 0o600 {
		t.Errorf("mode %v", got)
	}
	if entries, torn := readFile(t, name); len(entries) != 1 || len(torn) != 0 {
		t.Errorf("before Close: %d records, torn %q; records are not to be buffered", len(entries), torn)
	}
	closeLog(t, log)
	decide(decisions, "192.0.2.1", "/", 2)
	if entries, _ := readFile(t, name); len(entries) != 1 {
		t.Error("a closed log was written to")
	}
	closed := openFile(t, name, record.Rotation{})
	log, _ = newLog(closed, record.Rate{}, nil)
	if err := closed.Close(); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{"closed again": log.Close(), "opened anew": log.Reopen(), "written to": closed.Put(record.Record{Line: []byte("{}\n")})} {
		if err == nil {
			t.Errorf("a closed file was %s", what)
		}
	}
	if _, err := record.OpenFile(filepath.Join(name, "x"), record.Rotation{}, zap.NewNop()); err == nil {
		t.Error("a file in a file was opened")
	}
}

// A file that the guard may write and not read is written. (Root may read it.)
func TestFile_write_only(t *testing.T) {
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	if err := os.WriteFile(name, []byte("{}\n"), 0o200); err != nil {
		t.Fatal(err)
	}
	log, decisions := newLog(openFile(t, name, record.Rotation{}), record.Rate{}, nil)
	decide(decisions, "192.0.2.1", "/", 1)
	closeLog(t, log)
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if entries, torn := readFile(t, name); len(entries) != 2 || len(torn) != 0 {
		t.Errorf("got %+v and torn %q", entries, torn)
	}
}

// A crash or a lost battery leaves half a line. What follows must be whole.
func TestFile_ends_a_torn_line(t *testing.T) {
	for name, c := range map[string]struct {
		before        string
		entries, torn int
	}{
		"whole":               {`{"msg":"decision"}` + "\n", 2, 0},
		"torn":                {`{"msg":"decision"}` + "\n" + `{"msg":"deci`, 2, 1},
		"torn at the newline": {`{"msg":"decision"}`, 2, 0},
		"noughts":             {"\x00\x00\x00", 1, 1},
		"empty":               {"", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "decisions.jsonl")
			if err := os.WriteFile(file, []byte(c.before), 0o600); err != nil {
				t.Fatal(err)
			}
			log, decisions := newLog(openFile(t, file, record.Rotation{}), record.Rate{}, nil)
			decide(decisions, "192.0.2.1", "/", 1)
			closeLog(t, log)
			if entries, torn := readFile(t, file); len(entries) != c.entries || len(torn) != c.torn || entries[len(entries)-1].Client != "192.0.2.1" {
				t.Errorf("got %+v and torn %q", entries, torn)
			}
		})
	}
}

// logrotate moves the file, makes a new one or none, and sends SIGHUP; with copytruncate it sends nothing.
func TestFile_reopen(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "decisions.jsonl")
	log, decisions := newLog(openFile(t, name, record.Rotation{}), record.Rate{Count: 1, Per: time.Hour}, nil)
	for n := range 5 {
		decide(decisions, "192.0.2.1", "/", n)
	}
	if err := os.Rename(name, name+".1"); err != nil {
		t.Skip("an open file cannot be moved here: ", err)
	}
	if err := os.WriteFile(name, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o640); err != nil { // create 0640 guard adm
		t.Fatal(err)
	}
	if err := log.Reopen(); err != nil {
		t.Fatal(err)
	}
	decide(decisions, "192.0.2.1", "/", 6)
	entries, _ := readFile(t, name+".1")
	if got, _ := total(entries); got != 5 || len(entries) != 2 {
		t.Errorf("the old file has %d for %d, want 2 for 5: what was held belongs there", len(entries), got)
	}
	if entries, _ := readFile(t, name); len(entries) != 1 || mode(t, name) != 0o640 {
		t.Errorf("the new file has %d records and mode %v", len(entries), mode(t, name))
	}
	if err := os.Truncate(name, 0); err != nil {
		t.Fatal(err)
	}
	decide(decisions, "192.0.2.1", "/other", 7)
	if text, _ := os.ReadFile(name); len(text) == 0 || text[0] != '{' {
		t.Errorf("a truncated file was not written from its beginning: %.20q", text)
	}
	closeLog(t, log)
}

// A file that went away without a word is noticed: within a second where it was removed, a second later where it was moved, which logrotate is to
// have for its SIGHUP.
func TestFile_notices_that_it_is_gone(t *testing.T) {
	for name, c := range map[string]struct {
		away    func(string) error
		seconds int
	}{
		"moved": {func(name string) error { return os.Rename(name, name+".1") }, 2},
		"moved, and another made": {func(name string) error {
			return errors.Join(os.Rename(name, name+".1"), os.WriteFile(name, nil, 0o600))
		}, 2},
		"removed": {os.Remove, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "decisions.jsonl")
				log, decisions := newLog(openFile(t, file, record.Rotation{}), record.Rate{}, nil)
				decide(decisions, "192.0.2.1", "/", 1)
				if err := c.away(file); err != nil {
					t.Skip("an open file cannot go here: ", err)
				}
				for n := range c.seconds {
					time.Sleep(time.Second)
					decide(decisions, "192.0.2.1", "/", 2*n+2)
					decide(decisions, "192.0.2.1", "/", 2*n+3)
				}
				closeLog(t, log)
				entries, _ := readFile(t, file)
				if c.seconds > 1 {
					older, _ := readFile(t, file+".1")
					if len(older) != 3 {
						t.Errorf("%d records in the file that was moved, want 3: it is not to be left before its time", len(older))
					}
					entries = append(older[1:], entries...)
				}
				if len(entries) != 2*c.seconds || entries[0].Exchange != "run-2" || mode(t, file) != 0o600 {
					t.Errorf("got %+v", entries)
				}
			})
		})
	}
}

// What has come in the file's place and is none is said, whoever writes.
func TestLog_reopen_fails(t *testing.T) {
	for _, queue := range []int{0, 1} {
		name := filepath.Join(t.TempDir(), "decisions.jsonl")
		log := record.New(record.Config{Sink: openFile(t, name, record.Rotation{}), Encoder: encoder(), Queue: queue})
		if err := os.Rename(name, name+".1"); err != nil {
			t.Skip("an open file cannot be moved here: ", err)
		}
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := log.Reopen(); err == nil {
			t.Error("a directory was opened")
		}
		closeLog(t, log)
	}
}

// logFiles counts them, whether they are compressed, being compressed or not.
func logFiles(t *testing.T, dir string) int {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	names := make(map[string]bool)
	for _, e := range entries {
		names[strings.TrimSuffix(strings.TrimSuffix(e.Name(), ".tmp"), ".gz")] = true
	}
	return len(names)
}

// Several goroutines, rotation and reopening at once: no record is lost, none is torn, none stands inside another.
func TestFile_concurrent_rotation(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "decisions.jsonl")
	log, decisions := newLog(openFile(t, name, record.Rotation{Size: 16 << 10, Keep: 10_000}), record.Rate{}, nil)
	const writers, each = 8, 300
	var all sync.WaitGroup
	var next atomic.Int64
	// A file waits for the one before to be compressed, which takes as long as it takes on a busy machine: so there is writing until there are three.
	rotated := func() bool { return logFiles(t, dir) >= 3 }
	for w := range writers {
		all.Go(func() {
			for n := 0; n < each || !rotated(); n++ {
				decide(decisions, fmt.Sprint("192.0.2.", w), "/", int(next.Add(1))-1)
				if n%100 == 0 {
					if err := log.Reopen(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	closeLog(t, log)
	seen := make(map[string]int)
	files := 0
	for _, text := range archived(t, dir) {
		entries, torn := read(t, text)
		if len(torn) > 0 {
			t.Errorf("torn lines: %q", torn)
		}
		files++
		for _, e := range entries {
			seen[e.Exchange]++
		}
	}
	if files < 3 {
		t.Errorf("only %d files", files)
	}
	for n := range next.Load() {
		if got := seen[fmt.Sprint("run-", n)]; got != 1 {
			t.Errorf("run-%d is there %d times", n, got)
		}
	}
}

func TestFile_special(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full here: ", err)
	}
	name := filepath.Join(t.TempDir(), "full") // so that a guard that moves devices aside does not move this machine's
	if err := os.Symlink("/dev/full", name); err != nil {
		t.Fatal(err)
	}
	dropped := 0
	sink := openFile(t, name, record.Rotation{Size: 1, Every: 1})
	var life strings.Builder
	log, decisions := newLog(sink, record.Rate{}, &life)
	counted := record.New(record.Config{Sink: sink, Encoder: encoder(), Dropped: func(n int) { dropped += n }})
	decide(decisions, "192.0.2.1", "/", 1)
	decide(zap.New(counted.Core()), "192.0.2.1", "/", 1)
	if dropped != 1 || !strings.Contains(life.String(), "no space left on device") {
		t.Errorf("%d dropped; %s", dropped, life.String())
	}
	closeLog(t, log)
}

// Two that write to one file lose records: whoever moves it aside compresses what the other still writes to.
func TestOpenFile_taken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name, link := filepath.Join(dir, "decisions.jsonl"), filepath.Join(dir, "link.jsonl")
	quiet, other := openFile(t, name, record.Rotation{}), openFile(t, name, record.Rotation{}) // neither moves it
	if f, err := record.OpenFile(name, record.Rotation{Every: time.Hour}, zap.NewNop()); !errors.Is(err, record.ErrTaken) {
		t.Errorf("one that moves it beside one that does not: got %v, %v", f, err)
	}
	if err := errors.Join(quiet.Close(), other.Close()); err != nil {
		t.Fatal(err)
	}
	first := openFile(t, name, record.Rotation{Size: 1})
	if err := os.Symlink(name, link); err != nil && runtime.GOOS != "windows" {
		t.Fatal(err)
	}
	taken := func(when string) {
		t.Helper()
		for _, path := range []string{name, link} {
			if _, err := os.Lstat(path); err != nil {
				continue // Windows makes no links for everybody
			}
			if f, err := record.OpenFile(path, record.Rotation{}, zap.NewNop()); !errors.Is(err, record.ErrTaken) {
				t.Errorf("%s, %s: got %v", when, path, err)
				if err == nil {
					_ = f.Close()
				}
			}
		}
	}
	taken("at the start")
	for range 2 { // the second moves the file aside
		if err := first.Put(record.Record{Line: []byte("{}\n")}); err != nil {
			t.Fatal(err)
		}
	}
	taken("after a rotation")
	if err := first.Reopen(); err != nil {
		t.Fatal(err)
	}
	taken("opened anew")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := openFile(t, name, record.Rotation{}).Close(); err != nil {
		t.Error(err)
	}
}

// What a stranger's server has said does nothing to the terminal that shows the file.
func TestFile_forTerminals(t *testing.T) {
	t.Parallel()
	for name, rate := range map[string]record.Rate{"each": {}, "repeats are held": {Count: 1, Per: time.Hour}} {
		file := filepath.Join(t.TempDir(), "decisions.jsonl")
		log, decisions := newLog(openFile(t, file, record.Rotation{}), rate, nil)
		for i := range 3 {
			decide(decisions, "192.0.2.1", "/\u009b2J\u202eé", i)
		}
		closeLog(t, log)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(string(text), "\u009b\u202e") || !strings.Contains(string(text), `"/\u009b2J\u202eé"`) {
			t.Errorf("%s: %q", name, text)
		}
		if entries, torn := readFile(t, file); len(torn) != 0 || entries[0].Path != "/\u009b2J\u202eé" {
			t.Errorf("%s: read back: %+v, torn %q", name, entries, torn)
		}
	}
}
