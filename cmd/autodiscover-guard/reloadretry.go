package main

import (
	"time"

	"autodiscover-guard/intercept"
)

const (
	// firstRetry is how soon a reload is tried again; each time that it fails, it takes twice as long, up to longestRetry.
	firstRetry   = time.Second
	longestRetry = time.Minute
)

// reloadRetry is a timer for the next try of a reload that failed for want of something that comes back: whoever has sent SIGHUP does
// not know that, and would have to send another. A configuration that is wrong waits for somebody who mends it.
type reloadRetry struct {
	*time.Timer
	wait time.Duration
}

func newReloadRetry() *reloadRetry {
	a := &reloadRetry{Timer: time.NewTimer(time.Hour)}
	a.Stop()
	return a
}

// after sets the timer by how a reload ended.
func (a *reloadRetry) after(failed error) {
	if !intercept.OutOfResources(failed) {
		a.wait = 0
		a.Stop()
		return
	}
	a.wait = min(max(2*a.wait, firstRetry), longestRetry)
	a.Reset(a.wait)
}
