package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress shows on a terminal how far a long reading is. Elsewhere it is nil: nobody looks.
func progress(stderr io.Writer) func(done, total int64) {
	f, ok := stderr.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 || info.Mode()&os.ModeDevice == 0 {
		return nil
	}
	return (&bar{out: f, begun: time.Now()}).show
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
)

func (b *bar) show(done, total int64) {
	now := time.Now()
	if total > 0 && done >= total {
		if b.shown {
			fmt.Fprint(b.out, "\r\x1b[K")
			b.shown = false
		}
		return
	}
	if now.Sub(b.begun) < barAfter || now.Sub(b.last) < barEvery {
		return
	}
	b.last, b.shown = now, true
	fmt.Fprint(b.out, barText(done, total, now.Sub(b.begun)))
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
