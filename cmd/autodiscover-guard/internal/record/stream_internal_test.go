package record

import (
	"bytes"
	"errors"
	"io"
	"syscall"
	"testing"

	"go.uber.org/zap/zapcore"
)

// The journal gets a record's level in front of it, and nobody else does; what cannot be written is an error.
func TestStream_levels(t *testing.T) {
	for levels, want := range map[bool]string{true: "<4>{}\n", false: "{}\n"} {
		var got bytes.Buffer
		s := &stream{w: &got, levels: levels}
		if err := s.Put(Record{Level: zapcore.WarnLevel, Line: []byte("{}\n")}); err != nil || got.String() != want {
			t.Errorf("got %q, %v; want %q", got.String(), err, want)
		}
	}
	r, w := io.Pipe()
	_ = r.Close()
	if err := Stream(w).Put(Record{Line: []byte("{}\n")}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

// room is a stream that takes so many bytes, as a file does on a disk that is nearly full.
type room struct {
	bytes.Buffer
	left int
}

func (r *room) Write(p []byte) (int, error) {
	n := min(r.left, len(p))
	r.left -= n
	r.Buffer.Write(p[:n])
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// A record behind one that was torn stands in a line of its own, and one that lacks its newline alone is there.
func TestStream_torn(t *testing.T) {
	record := Record{Line: []byte("{\"a\":1}\n")}
	for _, c := range []struct {
		name   string
		left   []int // bytes that there is room for, at each record
		failed int
		want   string
	}{
		{"room for all", []int{8, 8}, 0, "{\"a\":1}\n{\"a\":1}\n"},
		{"for a part", []int{3, 9}, 1, "{\"a\n{\"a\":1}\n"},
		{"for a part, and then for nothing", []int{3, 0, 9}, 2, "{\"a\n{\"a\":1}\n"},
		{"for a part, and then for a newline", []int{3, 1, 8}, 2, "{\"a\n{\"a\":1}\n"},
		{"for nothing", []int{0, 8}, 1, "{\"a\":1}\n"},
		{"for all but the newline", []int{7, 9}, 0, "{\"a\":1}\n{\"a\":1}\n"},
		{"twice for all but the newline", []int{7, 8, 9}, 0, "{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n"},
	} {
		w := new(room)
		s, failed := Stream(w), 0
		for _, left := range c.left {
			w.left = left
			if err := s.Put(record); err != nil {
				failed++
			}
		}
		if got := w.String(); got != c.want || failed != c.failed {
			t.Errorf("%s: %q, %d failed; want %q and %d", c.name, got, failed, c.want, c.failed)
		}
	}
}
