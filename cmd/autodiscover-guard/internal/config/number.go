package config

import "strconv"

// number reads a whole number within bounds.
func number(b bounds[int64]) func(string) (int64, *fault) {
	return func(text string) (int64, *fault) {
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil:
			return 0, &fault{text: quoted(text) + " is not a whole number", want: "want one from " + showCount(b.least) + " to " + showCount(b.most)}
		case !b.include(n):
			return 0, &fault{text: text + " is out of range", want: "want " + showCount(b.least) + " to " + showCount(b.most)}
		}
		return n, nil
	}
}

func showCount(n int64) string { return strconv.FormatInt(n, 10) }
