package config

import (
	"strconv"
	"strings"
	"time"
)

// units of sizes, largest first. Powers of ten are left out: a reader cannot tell which MB somebody meant.
var units = [...]struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// size reads a number of bytes within bounds.
func size(b bounds[int64]) func(string) (int64, *fault) {
	return func(text string) (int64, *fault) {
		n, ok := parseSize(text)
		if !ok {
			f := &fault{text: quoted(text) + " is not a size", want: "want a number and B, KiB or MiB, such as " + showSize(b.most/4)}
			if n, ok = parseSize(respelt(text, "b", "B", "k", "KiB", "m", "MiB", "g", "GiB")); ok && b.include(n) {
				f.want = didYouMean(showSize(n))
			}
			return 0, f
		}
		if !b.include(n) {
			return 0, &fault{text: text + " is out of range", want: "want " + showSize(b.least) + " to " + showSize(b.most)}
		}
		return n, nil
	}
}

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

// duration reads a length of time within bounds.
func duration(b bounds[time.Duration]) func(string) (time.Duration, *fault) {
	return func(text string) (time.Duration, *fault) {
		d, err := time.ParseDuration(text)
		if err != nil || text == "0" { // a nought without a unit is the one number that Go accepts
			f := &fault{text: quoted(text) + " is not a length of time", want: "want a number and ms, s, m or h, such as 10s or 1m30s"}
			if d, err = time.ParseDuration(respelt(text, "s", "s", "m", "m", "h", "h")); err == nil && b.include(d) {
				f.want = didYouMean(showDuration(d))
			}
			return 0, f
		}
		if !b.include(d) {
			return 0, &fault{text: text + " is out of range", want: "want " + showDuration(b.least) + " to " + showDuration(b.most)}
		}
		return d, nil
	}
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

// respelt guesses what a number with an unknown unit means: by the unit's first letter, or by the first of the units (pairs of a letter and
// the right spelling) where there is none.
func respelt(text string, pairs ...string) string {
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
