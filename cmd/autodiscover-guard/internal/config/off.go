package config

import (
	"strconv"
	"strings"
	"time"
)

// off is the word for a limit that is not set, and for a listener that is not there.
const off = "off"

// orOff reads off as the zero value, and corrects the words and numbers that people write for it.
func orOff[T int64 | time.Duration | string](parse func(string) (T, *fault)) func(string) (T, *fault) {
	return func(text string) (T, *fault) {
		var zero T
		if text == off {
			return zero, nil
		}
		v, f := parse(text)
		if f == nil {
			return v, nil
		}
		switch strings.ToLower(text) {
		case "0", "0s", "0d", "none", "never", "no", "false", "off", "unlimited":
			f.want = didYouMean(off)
		default:
			if !strings.HasPrefix(f.want, "did you mean") {
				f.want += ", or off"
			}
		}
		return zero, f
	}
}

// orEmpty reads an empty text as the zero value.
func orEmpty(parse func(string) (string, *fault)) func(string) (string, *fault) {
	return func(text string) (string, *fault) {
		if text == "" {
			return "", nil
		}
		return parse(text)
	}
}

func shownOrOff[T int64 | time.Duration | string](show func(T) string) func(T) string {
	return func(v T) string {
		var zero T
		if v == zero {
			return off
		}
		return show(v)
	}
}

// parseDays is parseDuration with days, of 24 hours.
func parseDays(text string) (time.Duration, bool) {
	if digits, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(digits, 10, 16) // times a day still fits
		return time.Duration(n) * day, err == nil
	}
	return parseDuration(text)
}

// wholeDays refuses parts of days.
func wholeDays(parse func(string) (time.Duration, *fault)) func(string) (time.Duration, *fault) {
	return func(text string) (time.Duration, *fault) {
		d, f := parse(text)
		if f == nil && d%day != 0 {
			return 0, &fault{text: text + " is not a number of whole days", want: didYouMean(showDays((d + day - 1).Truncate(day)))}
		}
		return d, f
	}
}

func showDays(d time.Duration) string {
	if d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	return showDuration(d)
}
