package config

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// quantity is a kind of number with a unit.
type quantity[T int64 | time.Duration] struct {
	what string // it is called
	// written says how it is to be written, and sample shows it; where that is empty, the bounds give one.
	written, sample string

	parse func(text string) (T, bool)
	show  func(T) string
	// letters are the pairs for guessUnit.
	letters []string
}

var (
	size = quantity[int64]{
		"a size", "a number and B, KiB or MiB", "", parseSize, showSize, []string{"b", "B", "k", "KiB", "m", "MiB", "g", "GiB"},
	}
	duration = quantity[time.Duration]{
		"a length of time", "a number and ms, s, m or h", "10s or 1m30s", parseDuration, showDuration, []string{"s", "s", "m", "m", "h", "h"},
	}
	// longTime may be given in days.
	longTime = quantity[time.Duration]{
		"a length of time", "a number and m, h or d", "24h or 7d", parseDays, showDays, []string{"d", "d", "h", "h", "m", "m"},
	}
)

// within reads a quantity within bounds.
func (q quantity[T]) within(b bounds[T]) func(string) (T, *fault) {
	return func(text string) (T, *fault) {
		v, ok := q.parse(text)
		switch {
		case !ok:
			f := &fault{text: quoted(text) + " is not " + q.what, want: "want " + q.written + ", such as " + cmp.Or(q.sample, q.show(b.most/4))}
			if v, ok = q.parse(guessUnit(text, q.letters...)); ok && b.include(v) {
				f.want = didYouMean(q.show(v))
			}
			return 0, f
		case !b.include(v):
			return 0, &fault{text: text + " is out of range", want: "want " + q.show(b.least) + " to " + q.show(b.most)}
		}
		return v, nil
	}
}

// units of sizes, largest first. Powers of ten are left out: a reader cannot tell which MB somebody meant.
var units = [...]struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

func parseSize(text string) (int64, bool) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 31) // times a GiB still fits
		return int64(n) * u.bytes, err == nil
	}
	return 0, false
}

func showSize(n int64) string {
	for _, u := range units {
		if n >= u.bytes && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

func parseDuration(text string) (time.Duration, bool) {
	d, err := time.ParseDuration(text)
	return d, err == nil && text != "0" // a nought without a unit is the one number that Go accepts
}

// showDuration leaves out the noughts that Go writes behind whole minutes and hours.
func showDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// guessUnit guesses what a number with an unknown unit means: by the unit's first letter, or by the first of the units (pairs of a letter and
// the right spelling) where there is none.
func guessUnit(text string, pairs ...string) string {
	text = strings.ToLower(strings.Join(strings.Fields(text), ""))
	end := strings.IndexFunc(text, func(c rune) bool { return c < '0' || c > '9' })
	switch {
	case end == 0 || text == "":
		return ""
	case end < 0:
		return text + pairs[1]
	}
	for i := 0; i < len(pairs); i += 2 {
		if text[end:end+1] == pairs[i] && !strings.ContainsAny(text[end:], "0123456789") {
			return text[:end] + pairs[i+1]
		}
	}
	return ""
}
