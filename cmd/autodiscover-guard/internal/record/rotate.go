package record

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/DeRuina/timberjack"
	"go.uber.org/zap"
)

// Rotation says when a file is moved aside, and how long what was moved is kept. The zero value leaves the file alone, as somebody wants who has
// logrotate do it.
//
// A file that is moved aside is called decisions-2026-11-24T06-05-41.558-size.jsonl, or -age, with the time of that in UTC; it is compressed to
// .gz beside, and has the mode of the file, as has the one that follows it. Of a link, what it leads to is moved, and the link stays.
type Rotation struct {
	// Size is how large a file may get, in bytes. A record that would make it larger begins the next file.
	Size int64
	// Every is how old a file's first record may get.
	Every time.Duration
	// Keep is how many moved files are kept, and Age for how long, in whole days (of 24 hours); 0 is all, and for ever.
	Keep int
	Age  time.Duration
}

const (
	bySize = "size"
	byAge  = "age"

	// maintainEvery is how often a log that nobody writes to is rotated and pruned, so that old records do not stay because no new ones come.
	maintainEvery = time.Hour
	// retryDelay is how long after a rotation that failed the next one is tried.
	retryDelay = time.Minute
)

// due says why the file has to be moved before a line is written, if it has.
func (r Rotation) due(s fileState, line int, now time.Time) string {
	switch {
	case !s.regular || s.size == 0:
		return ""
	case r.Size > 0 && s.size+int64(line) > r.Size:
		return bySize
	case r.Every > 0 && now.Sub(s.begun) >= r.Every:
		return byAge
	}
	return ""
}

// moves reports whether a file is ever moved aside.
func (r Rotation) moves() bool { return r.Size > 0 || r.Every > 0 }

// prunes reports whether files that were moved aside are ever removed.
func (r Rotation) prunes() bool { return r.Keep > 0 || r.Age > 0 }

// rotate moves the file aside and begins the next. If that does not work, the old one is written on. It stays open until it has been moved, as out of descriptors it
// could not be opened again; but Windows moves no open files. The caller holds s.mu.
func (s *File) rotate(reason string, now time.Time) error {
	if runtime.GOOS == "windows" {
		s.release()
	}
	mover := s.archive.mover()
	err := mover.RotateWithReason(reason)
	s.archive.finish(mover)
	if err != nil {
		s.archive.retry = now.Add(retryDelay)
		s.logger.Warn("the file of decision records could not be rotated; it is written on", zap.String("file", s.path), zap.Error(err))
		if s.f != nil {
			return nil
		}
	}
	s.release()
	return s.open(now)
}

// archive moves files, compresses them and removes old ones, by means of timberjack v1.4.10.
//
// Only for that: its own open file is not written to. It cannot take up a file that was moved by somebody else without moving one itself, opens new
// files without O_APPEND, which leaves holes where logrotate truncates them (copytruncate), and counts a file's age from the start of the
// process. So each use is by a mover that is made for it and closed at once, when what it does in the background is done; two at the same
// time would compress one file twice, which is what busy prevents.
type archive struct {
	file     *File
	begun    time.Time
	retry    time.Time // guarded by File.mu
	calendar calendar  // guarded by File.mu
	stop     chan struct{}
	work     sync.WaitGroup

	mu   sync.Mutex
	busy bool
}

// init begins to look after the file, where there is something to look after.
func (a *archive) init(f *File) {
	a.file, a.stop, a.begun = f, make(chan struct{}), time.Now()
	a.calendar.wall = a.begun.Round(0)
	if info, err := os.Stat(f.path); err == nil {
		a.calendar.wall = info.ModTime()
	}
	if f.state.regular && (f.rotation.prunes() || f.rotation.Every > 0) {
		a.work.Go(a.maintain)
	}
}

// maintain moves a file that got old without a record being written, and removes what is too old to be kept.
func (a *archive) maintain() {
	tick := time.NewTicker(maintainEvery)
	defer tick.Stop()
	for {
		a.tidy(time.Now())
		select {
		case <-tick.C:
		case <-a.stop:
			return
		}
	}
}

func (a *archive) tidy(now time.Time) {
	s := a.file
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.ready(now) != nil || !a.free(now) {
		return
	}
	if reason := s.rotation.due(s.state, 0, now); reason != "" {
		_ = s.rotate(reason, now) // the next record tries again, and is counted if that fails
		return
	}
	if s.rotation.prunes() {
		mover := a.mover()
		_, _ = mover.Write(nil) // opens the file, which begins the tidying
		a.finish(mover)
	}
}

// mover is what moves a file, and removes old ones. The caller holds File.mu.
func (a *archive) mover() *timberjack.Logger {
	a.mu.Lock()
	a.busy = true
	a.mu.Unlock()
	path, mode := a.file.path, os.FileMode(0o600)
	// A link would be moved itself else, and what it leads to, with the records, be out of sight for good.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	// Whoever has let another program read the file has it read the next one, too.
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	age := a.file.rotation.Age
	if now := time.Now(); !a.calendar.believes(now, now.Sub(a.begun)) {
		age = 0 // for ever
	}
	return &timberjack.Logger{
		Filename:    path,
		MaxSize:     math.MaxInt32, // in MiB: it is not to move anything by itself
		MaxAge:      int(age / (24 * time.Hour)),
		MaxBackups:  a.file.rotation.Keep,
		Compression: "gzip",
		FileMode:    mode,
	}
}

// finish waits in the background for what a mover does in the background.
func (a *archive) finish(mover *timberjack.Logger) {
	begun := time.Now()
	a.work.Go(func() {
		_ = mover.Close()
		a.flush(mover.Filename, begun)
		a.mu.Lock()
		a.busy = false
		a.mu.Unlock()
	})
}

// flush has on the disk what was compressed since: the mover has removed what it was made from, and a loss of power within the next half minute would leave an
// empty file for both.
func (*archive) flush(path string, since time.Time) {
	dir, base := filepath.Split(path)
	ext := filepath.Ext(base)
	entries, _ := os.ReadDir(filepath.Clean(dir))
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), strings.TrimSuffix(base, ext)+"-") || !strings.HasSuffix(e.Name(), ext+".gz") {
			continue
		}
		if info, err := e.Info(); err != nil || info.ModTime().Before(since.Add(-time.Second)) { // file systems have coarser clocks
			continue
		}
		if f, err := os.OpenFile(filepath.Join(dir, e.Name()), os.O_RDWR, 0); err == nil { // Windows flushes what may be written to
			_ = f.Sync()
			_ = f.Close()
		}
	}
}

// free reports whether a file may be moved now. The caller holds File.mu.
func (a *archive) free(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.busy && !now.Before(a.retry)
}

// close ends the looking after, and waits for what is under way.
func (a *archive) close() {
	close(a.stop)
	a.work.Wait()
}
