package intercept

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// tries bounds how often net/http asks upstream for one exchange. Where a server turns a stream away, or says when it is connected to that it is about to go, net/http asks over another
// connection, with no end and no pause (go1.26, transport.go: roundTrip, at http2isNoCachedConnError; golang/go#52459): hundreds of times a second, for as long as the client waits. Each of these rounds makes
// a connection, which is where they are counted.
type tries struct {
	dials     atomic.Int32
	sent      atomic.Int32 // how often a connection was there to send the request over, in HTTP/2
	processed func() bool  // upstream may have done what the request asks for; nil where it may be asked for twice, and where its body sees to that
}

const (
	// mostSent is how often a request is sent: a connection that was kept may just have ended, and so may the first behind a balancer; a server that lets few streams be open at once may
	// refuse many before it has said how many.
	mostSent = 16
	// mostDials is how many connections are made. Of such a server, whoever is faster gets the one that was made for us.
	mostDials = 24
	// atOnce is how many of them are made without a pause. The first pause is about firstPause, and each one behind it twice as long, up to longestPause; who came at the same time does not come
	// again at the same time.
	atOnce       = 3
	firstPause   = 50 * time.Millisecond
	longestPause = 400 * time.Millisecond
)

var errTurnedAway = errors.New("upstream turns the request away, on one connection after another")

// mayDial waits until a connection may be made for an exchange that shares its connections.
func mayDial(ctx context.Context) error {
	x, ok := ctx.Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil
	}
	dials, sent := x.tries.dials.Add(1), x.tries.sent.Load()
	if dials > mostDials || sent >= mostSent || sent > 0 && x.tries.processed != nil && x.tries.processed() {
		return errTurnedAway
	}
	if dials <= atOnce {
		return nil
	}
	long := min(firstPause<<(dials-atOnce-1), longestPause)
	pause := time.NewTimer(long/2 + rand.N(long)) //nolint:gosec // who guesses it learns when we ask
	defer pause.Stop()
	select {
	case <-pause.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// startTries has a request without a body that may change something sent once, if PROTOCOL_ERROR is all that its server says in HTTP/2 (see countingResets). One with a body is an upload.
func (x *exchange) startTries(r *http.Request) {
	if x.http1 || x.upload != nil || x.recognised() || x.settled() || repeatableMethod(r.Method) {
		return
	}
	before := x.p.dialer.protocolErrors.Load()
	x.tries.processed = func() bool { return x.p.dialer.protocolErrors.Load() != before }
}

// onConn is told of the connection that a request goes upstream by, before anything of it does. In HTTP/1, net/http tries no more connections than had lain idle, and one that is new.
func (x *exchange) onConn(info httptrace.GotConnInfo) {
	if notifyingConnOf(info) == nil {
		x.tries.sent.Add(1)
	}
	if x.upload != nil {
		x.upload.onConn(info)
		return
	}
	awaitReader(info)
}

// repeatableMethod reports whether a request with this method changes nothing (RFC 9110, section 9.2.1), as net/http sees it (go1.26, request.go: isReplayable).
func repeatableMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}
