package review

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unsafe"
)

const (
	// chunk is how much is read at once.
	chunk = 256 << 10
	// maxLine is the longest line that is looked at. The guard's records are bounded, far below.
	maxLine = 1 << 20
)

// sink takes what was read. Strings are good for the time of the call only: what is kept must be copied.
type sink interface {
	// line takes one line without its end; torn where the input ended before the line did.
	line(text string, torn bool)
	// tooLong is told of a line that was skipped.
	tooLong()
}

// readLines hands over all lines of r.
func readLines(ctx context.Context, r io.Reader, to sink) error {
	l := lineReader{to: to, buffer: make([]byte, 0, chunk)}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(l.room())
		l.take(n)
		if errors.Is(err, io.EOF) {
			l.end()
			return nil
		}
		if err != nil {
			l.end()
			return fmt.Errorf("after %d lines: %w", l.count, err)
		}
	}
}

// lineReader cuts what it is fed into lines.
type lineReader struct {
	to       sink
	buffer   []byte // a line's beginning
	skipping bool   // inside a line that is too long
	count    int64
}

// room is where the next bytes go.
func (l *lineReader) room() []byte {
	if len(l.buffer) == cap(l.buffer) {
		grown := make([]byte, len(l.buffer), 2*cap(l.buffer))
		copy(grown, l.buffer)
		l.buffer = grown
	}
	return l.buffer[len(l.buffer):cap(l.buffer)]
}

// take is told that n bytes were put into room.
func (l *lineReader) take(n int) {
	before := len(l.buffer)
	l.buffer = l.buffer[:before+n]
	last := bytes.LastIndexByte(l.buffer[before:], '\n')
	if last < 0 {
		if len(l.buffer) > maxLine {
			l.skipping, l.buffer = true, l.buffer[:0]
		}
		return
	}
	whole := l.buffer[:before+last+1]
	l.lines(borrowed(whole))
	rest := copy(l.buffer, l.buffer[len(whole):])
	l.buffer = l.buffer[:rest]
}

// borrowed is a text that lies in the reader's buffer and is overwritten by what comes next. A copy of each chunk costs more than half of a review's
// time: memory that is new each time. A consumer that kept a string would see it change, and then the report is not the truth any more, which
// TestReport_equalsTheTruth notices.
func borrowed(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // G103: see above
}

func (l *lineReader) lines(text string) {
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		l.count++
		if l.skipping || len(line) > maxLine {
			l.skipping = false
			l.to.tooLong()
			continue
		}
		l.to.line(strings.TrimSuffix(line, "\r"), false)
	}
}

// end is told that nothing more comes. What is left is a line whose end is missing: a writer that was interrupted, or one that is not done.
func (l *lineReader) end() {
	switch {
	case l.skipping:
		l.count++
		l.to.tooLong()
	case len(l.buffer) > 0:
		l.count++
		l.to.line(string(l.buffer), true)
	}
	l.skipping, l.buffer = false, l.buffer[:0]
}
