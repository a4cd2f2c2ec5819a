package main

import (
	"fmt"
	"time"
)

// sample is what the guard's process held at one moment, while nobody asked it anything.
type sample struct {
	at          time.Duration
	done        int64 // questions answered so far
	rss         int64 // KiB
	goroutines  int64
	descriptors int64
}

const header = "   time   answered    RSS KiB  goroutines  descriptors"

// String is a line of the table.
func (s sample) String() string {
	return fmt.Sprintf("%7s %10d %10d %11d %12d", s.at, s.done, s.rss, s.goroutines, s.descriptors)
}

// A figure is flat if the straight line through the second half of the measurements rises in that time by no more than a tenth of the
// figure's mean, or by the noise that is named here, whichever is more. The first half is for caches and the heap to fill.
var figures = []struct {
	name  string
	noise float64
	of    func(sample) int64
}{
	{"RSS in KiB", 8 << 10, func(s sample) int64 { return s.rss }},
	{"goroutines", 20, func(s sample) int64 { return s.goroutines }},
	{"descriptors", 20, func(s sample) int64 { return s.descriptors }},
}

// enough is how many measurements a slope takes: where clients come and go, a line through three of them is as steep as chance has it.
const enough = 6

// flat says which figures grow.
func flat(samples []sample) (findings []string) {
	half := samples[len(samples)/2:]
	if len(half) < enough {
		return []string{fmt.Sprintf("%d measurements are too few to see a slope", len(samples))}
	}
	for _, f := range figures {
		rise, mean := riseOf(half, f.of)
		if allowed := max(f.noise, mean/10); rise > allowed {
			findings = append(findings, fmt.Sprintf("%s rise by %.0f in the second half, from a mean of %.0f; allowed are %.0f", f.name, rise, mean, allowed))
		}
	}
	return findings
}

// riseOf is how far the least-squares line rises from the first sample to the last.
func riseOf(samples []sample, of func(sample) int64) (rise, mean float64) {
	var sx, sy, sxx, sxy float64
	n := float64(len(samples))
	for i, s := range samples {
		x, y := float64(i), float64(of(s))
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	slope := (n*sxy - sx*sy) / (n*sxx - sx*sx)
	return slope * (n - 1), sy / n
}
