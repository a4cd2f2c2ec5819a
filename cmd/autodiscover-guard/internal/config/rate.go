package config

import (
	"strconv"
	"strings"
	"time"
)

// Rate is a number in a second, a minute or an hour. The zero Rate is none.
type Rate struct {
	Count int
	Per   time.Duration
}

const wantRate = "a number a second, minute or hour such as 10/s, or off"

// maxRate is more than any client can ask.
const maxRate = 1_000_000

var rateUnits = [...]struct {
	name string
	per  time.Duration
}{{"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}}

func parseRate(text string) (Rate, *fault) {
	if text == off {
		return Rate{}, nil
	}
	digits, unit, _ := strings.Cut(text, "/")
	n, err := strconv.ParseUint(digits, 10, 31)
	for _, u := range rateUnits {
		if err == nil && unit == u.name {
			if n < 1 || n > maxRate {
				return Rate{}, &fault{text: text + " is out of range", want: "want 1/" + unit + " to " + strconv.Itoa(maxRate) + "/" + unit + ", or off"}
			}
			return Rate{Count: int(n), Per: u.per}, nil
		}
	}
	f := &fault{text: quoted(text) + " is not a rate", want: "want " + wantRate}
	if text == "0" {
		f.want = didYouMean(off)
	} else if err == nil {
		f.want = didYouMean(showRate(Rate{Count: int(n), Per: time.Second}))
		for _, u := range rateUnits {
			if strings.HasPrefix(strings.ToLower(unit), u.name) {
				f.want = didYouMean(showRate(Rate{Count: int(n), Per: u.per}))
			}
		}
	}
	return Rate{}, f
}

func showRate(r Rate) string {
	for _, u := range rateUnits {
		if r.Per == u.per {
			return strconv.Itoa(r.Count) + "/" + u.name
		}
	}
	return off
}
