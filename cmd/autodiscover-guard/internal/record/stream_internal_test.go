package record

import (
	"bytes"
	"errors"
	"io"
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
