package record

import "time"

const (
	// leap is by how much more the clock goes on than this process, between two looks, without having been set: while a computer sleeps, or no guard runs.
	leap = 7 * 24 * time.Hour
	// settling is how long a clock that has leapt is not believed: less than lies between two looks of a log that nobody writes to.
	settling = maintainEvery - time.Minute
)

// calendar tells whether files may be removed by what the clock says. One that is wrong for a while, as that of a computer until it has asked the network, makes everything old that is there,
// and what was removed does not come back when it is put right (decision 62).
type calendar struct {
	// wall is what the clock said at the last look, without a monotonic part, and up how long this process had been running.
	wall time.Time
	up   time.Duration
	// until is how long it has to run before the clock is believed again.
	until time.Duration
}

// believes takes a look.
func (c *calendar) believes(wall time.Time, up time.Duration) bool {
	wall = wall.Round(0)
	if wall.Sub(c.wall)-(up-c.up) > leap {
		c.until = up + settling
	}
	c.wall, c.up = wall, up
	return up >= c.until
}
