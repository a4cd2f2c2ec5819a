package intercept

import (
	"context"
	"errors"
	"time"
)

// phases are those in which a plugin ends. Each has a context that is done when it begins, and by then those before it are.
type phases struct {
	stopping  context.Context // no more connections are to come in
	graceOver context.Context // those are cut off that have asked nothing yet
	ending    context.Context // all are

	stop, endGrace, end context.CancelFunc
}

func newPhases() phases {
	var s phases
	s.ending, s.end = context.WithCancel(context.Background())
	s.graceOver, s.endGrace = context.WithCancel(s.ending)
	s.stopping, s.stop = context.WithCancel(s.graceOver)
	return s
}

const (
	// gracePeriod is how long a client may still be in the middle of its handshake, or of its question, when the plugin has been told to stop; and how long one
	// that has just connected may take to begin it.
	gracePeriod = 2 * time.Second
	// quietTime is how long a stop waits at least for the request of a client that has just connected.
	quietTime = 50 * time.Millisecond
)

// Shutdown stops taking new work and waits until what runs is done: exchanges at every door, opened connections, and tunnels. Who comes now is refused; who
// was there already is served once more, a client too that was in the middle of its handshake, and his connection ends behind that answer. When ctx
// ends first, what is left is cut off and the context's error returned.
//
// Stop the outer http.Server first or at the same time; or, since that drops what it reads from then on without an answer, close its listener, have it end
// connections behind their answers ([http.Server.SetKeepAlivesEnabled]), and shut it down after this has returned. In the end it does
// what [Plugin.Close] does; both may be called again, and after each other.
func (p *Plugin) Shutdown(ctx context.Context) error {
	p.traffic.expect()
	p.awaitQuiet(time.Now().Add(gracePeriod), p.traffic.requestExpected())
	allArrived, idle := p.traffic.drain()
	p.stop()
	defer time.AfterFunc(gracePeriod, func() { p.endGrace() }).Stop()
	err := p.hall.drain(ctx, allArrived)
	select {
	case <-idle:
		err = errors.Join(err, p.hall.wait(ctx))
	case <-ctx.Done():
		err = ctx.Err()
	}
	return errors.Join(err, p.Close())
}

// awaitQuiet has the stop wait for quietTime, and again for as long as a request is expected, or was one quietTime ago: what the client sent must get to where it is
// counted. It waits once at least, since a connection that was accepted a moment ago may not be tracked yet.
func (p *Plugin) awaitQuiet(until time.Time, somebody bool) {
	time.AfterFunc(quietTime, func() {
		still := p.traffic.requestExpected()
		if (still || somebody) && time.Now().Before(until) {
			p.awaitQuiet(until, still)
			return
		}
		p.traffic.arrive()
	})
}

// Close cuts everything off at once: opened connections, tunnels, what upstreams are asked, and connections to them that lie idle. What comes then is refused,
// and a plugin that was closed serves no more; filters that [Plugin.Install] has put into a proxy go on deciding there. The listeners and the http.Server of
// the explicit door are their owner's to close; so are the issuer and the loggers.
func (p *Plugin) Close() error {
	p.traffic.drain()
	p.end()
	err := p.hall.close()
	p.traffic.closeAll()
	p.transport.CloseIdleConnections()
	p.transports.Load().closeIdle()
	p.bindings.closeAll()
	return err
}
