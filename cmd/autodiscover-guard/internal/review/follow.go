package review

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Follow reads a file, and goes on when it grows, until ctx ends: then the error is nil. When the file is replaced, as log rotation does, it reads the old
// one to its end and goes on with the new one from its beginning. caught, if not nil, is called once, when it has read what was there at first.
// Compressed files do not grow.
func Follow(ctx context.Context, name string, every time.Duration, caught func(), c Consumer) (Log, error) {
	in := &classifier{to: c}
	in.log.Files = 1
	f, err := open(name)
	if err != nil {
		return in.log, err
	}
	t := &tail{name: name, file: f, in: in, lines: lineReader{to: in, buffer: make([]byte, 0, chunk)}}
	defer func() { _ = t.file.Close() }()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := t.drain(ctx); err != nil {
			return in.log, fmt.Errorf("%s: %w", name, err)
		}
		if caught != nil {
			caught()
			caught = nil
		}
		select {
		case <-ctx.Done():
			t.lines.end()
			return in.log, nil
		case <-tick.C:
		}
		if err := t.checkRotation(ctx); err != nil {
			return in.log, fmt.Errorf("%s: %w", name, err)
		}
	}
}

// tail is a file that grows.
type tail struct {
	name  string
	file  *os.File
	read  int64
	in    *classifier
	lines lineReader
}

// drain reads to the end of what is there now.
func (t *tail) drain(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := t.file.Read(t.lines.room())
		t.read += int64(n)
		t.in.log.Bytes += int64(n)
		t.lines.take(n)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkRotation looks whether the name belongs to another file now, or to a shorter one.
func (t *tail) checkRotation(ctx context.Context) error {
	now, err := os.Stat(t.name)
	if errors.Is(err, os.ErrNotExist) {
		return nil // between the old file and the new one
	}
	if err != nil {
		return err
	}
	before, err := t.file.Stat()
	if err != nil {
		return err
	}
	if os.SameFile(before, now) {
		if now.Size() >= t.read {
			return nil
		}
		t.lines.end()
		t.read = 0
		_, err := t.file.Seek(0, io.SeekStart)
		return err
	}
	f, err := open(t.name)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it has gone since, of which Windows tells no sooner
	}
	if err != nil {
		return err
	}
	if err := t.drain(ctx); err != nil { // what came between the last look and the change
		return errors.Join(err, f.Close())
	}
	t.lines.end()
	err = t.file.Close()
	t.file, t.read = f, 0
	t.in.log.Files++
	return err
}
