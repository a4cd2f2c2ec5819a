package main

import (
	"time"

	"autodiscover-guard/intercept"
)

const (
	// firstAgain is how soon a reload is tried again; each time that it fails, it takes twice as long.
	firstAgain = time.Second
	lastAgain  = time.Minute
)

// again rings when a reload is to be tried again that failed for want of something that comes back: whoever has sent SIGHUP does
// not know that, and would have to send another. A configuration that is wrong waits for somebody who mends it.
type again struct {
	*time.Timer
	wait time.Duration
}

func newAgain() *again {
	a := &again{Timer: time.NewTimer(time.Hour)}
	a.Stop()
	return a
}

// after takes note of how a reload ended.
func (a *again) after(failed error) {
	if !intercept.OutOfResources(failed) {
		a.wait = 0
		a.Stop()
		return
	}
	a.wait = min(max(2*a.wait, firstAgain), lastAgain)
	a.Reset(a.wait)
}
