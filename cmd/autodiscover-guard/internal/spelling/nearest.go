// Package spelling knows which word was probably meant by one that does not exist: a key, a flag, a value of a flag.
package spelling

import "strings"

// Nearest is the one of words, which are in lower case, that was probably meant by word, whatever the case of that, or "". A third of the letters may be
// wrong: more is guessing.
func Nearest(word string, words []string) string {
	const longest = 64 // no key comes near, and the work grows with the square
	if len(word) > longest {
		return ""
	}
	best, distance := "", 1+max(1, len(word)/3)
	for _, w := range words {
		if d := edits(strings.ToLower(word), w); d < distance {
			best, distance = w, d
		}
	}
	return best
}

// edits counts the letters to insert, delete, change or swap with their neighbour to make b of a.
func edits(a, b string) int {
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			now[j] = min(change, last[j]+1, now[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}
