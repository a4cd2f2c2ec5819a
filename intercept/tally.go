package intercept

import (
	"slices"
	"sync/atomic"
)

// tallyOther is the last word of every tally.
const tallyOther = "other"

// tally counts by the words of a list that is fixed when it is made, so that nobody's traffic can make new ones. It is safe for concurrent use,
// and adding allocates nothing.
type tally struct {
	words  []string
	counts []atomic.Int64
}

func newTally(words ...string) tally {
	return tally{words: words, counts: make([]atomic.Int64, len(words))}
}

// add counts one; what is not in the list goes to its last word.
func (t *tally) add(word string) {
	i := slices.Index(t.words, word)
	if i < 0 {
		i = len(t.words) - 1
	}
	t.counts[i].Add(1)
}

// all is a copy, with every word.
func (t *tally) all() map[string]int64 {
	out := make(map[string]int64, len(t.words))
	for i, word := range t.words {
		out[word] = t.counts[i].Load()
	}
	return out
}
