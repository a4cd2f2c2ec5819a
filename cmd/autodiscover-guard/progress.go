package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress shows on a terminal how far a long reading is, until end. Elsewhere show is nil: nobody looks.
func progress(stderr io.Writer) (show func(done, total int64), end func()) {
	f, ok := stderr.(*os.File)
	if !ok {
		return nil, func() {}
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 || info.Mode()&os.ModeDevice == 0 {
		return nil, func() {}
	}
	b := &bar{out: f, begun: time.Now()}
	return b.show, b.end
}

// bar is a progress bar: one line, written over again and taken away at the end.
type bar struct {
	out         io.Writer
	begun, last time.Time
	shown       bool
}

const (
	barWidth = 30
	// barAfter keeps the bar away from what takes no time, barEvery keeps it from taking time.
	barAfter = 500 * time.Millisecond
	barEvery = 100 * time.Millisecond
	// clipped has a terminal that is too narrow leave the end of a line out, wrapped has it go on below again (xterm: DECAWM). A bar in two lines would be followed by the next one, in
	// two more.
	clipped, wrapped = "\x1b[?7l", "\x1b[?7h"
)

func (b *bar) show(done, total int64) {
	now := time.Now()
	if total > 0 && done >= total {
		b.end()
		return
	}
	if now.Sub(b.begun) < barAfter || now.Sub(b.last) < barEvery {
		return
	}
	b.last, b.shown = now, true
	fmt.Fprint(b.out, clipped+barText(done, total, now.Sub(b.begun))+wrapped)
}

// end takes the bar away: what is written next, the report or an error, would stand behind it. Of standard input, and of a file that cannot be read to its end, show never
// hears that all is done.
func (b *bar) end() {
	if b.shown {
		fmt.Fprint(b.out, "\r\x1b[K")
		b.shown = false
	}
}

func barText(done, total int64, took time.Duration) string {
	speed := float64(done) / 1e6 / took.Seconds()
	if total <= 0 {
		return fmt.Sprintf("\r%d MB, %.0f MB/s\x1b[K", done/1e6, speed)
	}
	filled := int(barWidth * done / total)
	return fmt.Sprintf("\r[%s%s] %3d %%  %d of %d MB, %.0f MB/s\x1b[K", strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled),
		100*done/total, done/1e6, total/1e6, speed)
}
