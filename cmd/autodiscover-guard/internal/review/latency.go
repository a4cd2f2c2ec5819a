package review

import "math/bits"

// latencies is a histogram of milliseconds: exact below a second, and above it with buckets of which each is at most 1/128 wide of its value.
// It has a bounded size whatever it is fed.
type latencies struct {
	count int64
	max   int64
	exact [1024]int64
	rest  [54 * subBuckets]int64
}

const subBuckets = 128

func (l *latencies) add(ms, times int64) {
	ms = max(ms, 0)
	l.count += times
	l.max = max(l.max, ms)
	if ms < int64(len(l.exact)) {
		l.exact[ms] += times
		return
	}
	l.rest[bucketOf(ms)] += times
}

// bucketOf numbers the buckets from 1024 on: the power of two, then the seven bits below the highest.
func bucketOf(ms int64) int {
	power := bits.Len64(uint64(ms)) - 11 //nolint:gosec // G115: never negative
	return power*subBuckets + int(ms>>(power+3)) - subBuckets
}

// lowerBound is the smallest value of a bucket.
func lowerBound(bucket int) int64 {
	power := bucket / subBuckets
	return int64(bucket%subBuckets+subBuckets) << (power + 3)
}

// percentile is the value that p of a hundred do not exceed (nearest rank): the least value of its bucket.
func (l *latencies) percentile(p int64) int64 {
	rank, seen := (l.count*p+99)/100, int64(0)
	for ms, n := range l.exact {
		if seen += n; seen >= rank {
			return int64(ms)
		}
	}
	for i, n := range l.rest {
		if seen += n; seen >= rank {
			return lowerBound(i)
		}
	}
	return l.max
}
