package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// How much standard input has is not known, and so not when it is all read: the report must not stand behind the bar. Nor is
// a bar followed by the next one in a narrow terminal.
func TestBar_end(t *testing.T) {
	var out bytes.Buffer
	b := &bar{out: &out, begun: time.Now().Add(-time.Minute)}
	b.end()
	b.show(5e6, 0)
	if b.end(); !strings.HasPrefix(out.String(), "\x1b[?7l\r5 MB, ") || !strings.HasSuffix(out.String(), "/s\x1b[K\x1b[?7h\r\x1b[K") {
		t.Errorf("got %q", out.String())
	}
	before := out.Len()
	if b.end(); out.Len() != before {
		t.Errorf("it is taken away again: %q", out.String())
	}
}
