package intercept

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"go.uber.org/zap"
)

// Reasons that decisions get here. The policy takes them as they are: they hold nothing of the exchange.
const (
	reasonFailed   = "upstream gave no answer"
	reasonBroken   = "upstream's answer broke off"
	reasonLong     = "the answer is longer than any of its kind"
	reasonSwitched = "upstream changed the protocol"
	reasonMoved    = "another handler sent the question elsewhere"
	reasonForeign  = "another handler's answer cannot be read"
	reasonNobody   = "no answer came"
	reasonReplaced = "another handler replaced the answer"
	reasonPanic    = "something panicked"
	reasonPlan     = "the policy refuses the question"
	reasonCutBody  = "the request's body broke off"
	reasonLongBody = "the request is longer than any question of its kind"
	reasonTooMany  = "too many long questions and answers are being read already"
)

// failure is why upstream gave no answer, in words that may be shown to a client and logged: Go's own error texts name addresses that the
// client has no business to know (goproxy v1.9.4, http.go sends them as a 500).
type failure struct {
	// class is one word for the record.
	class string
	// status is what a client is told whose exchange is not guarded.
	status int
	// text completes the sentence "HOST …".
	text string
	// check says which check of the upstream's TLS failed, for the record.
	check string
}

// The classes of failures. Records and metrics have them; none is renamed.
const (
	classDNS       = "dns"
	classConnect   = "connect"
	classTLS       = "tls"
	classTimeout   = "timeout"
	classTruncated = "truncated"
	classProtocol  = "protocol"
	classProxy     = "proxy"
	classPrivate   = "private address"
	classLoop      = "loop"
	classResources = "resources"
	classCanceled  = "canceled"
	classPanic     = "panic"
)

// beforeRequest reports whether nothing of the request can have left.
func (f failure) beforeRequest() bool {
	switch f.class {
	case classDNS, classConnect, classTLS, classPrivate, classLoop, classResources:
		return true
	}
	return false
}

var errTooMany = errors.New(reasonTooMany)

var errAnswerTimeout = errors.New("upstream took too long to answer")

// failureOf finds words for an error of a round trip or a dial.
func failureOf(err error) failure {
	if up, ok := errors.AsType[*parentError](err); ok {
		return up.failure
	}
	switch {
	case errors.Is(err, errComputer):
		return failure{class: classPrivate, status: http.StatusBadGateway, text: "leads to the computer of this proxy, which does not connect to itself"}
	case errors.Is(err, errPrivate):
		return failure{class: classPrivate, status: http.StatusBadGateway, text: "leads to a private address, which this proxy does not connect to"}
	case errors.Is(err, errLoop):
		return failure{class: classLoop, status: http.StatusLoopDetected, text: "is this proxy itself"}
	}
	if OutOfResources(err) || outOfPorts(err) { // also where it was a name that could not be looked up for it
		return failure{class: classResources, status: http.StatusServiceUnavailable, text: "cannot be asked just now: this proxy is out of descriptors, ports or memory"}
	}
	if f, ok := certificateFailure(err); ok {
		return f
	}
	if errors.Is(err, errAnswerTimeout) {
		return timedOut("took too long to answer")
	}
	if errors.Is(err, errTurnedAway) {
		return failure{class: classProtocol, status: http.StatusBadGateway, text: "turns the request away, on one connection after another"}
	}
	if errors.Is(err, errBodyCut) {
		return failure{class: classCanceled, status: http.StatusBadRequest, text: "was not asked to the end: the request's body broke off"}
	}
	if errors.Is(err, context.Canceled) {
		return failure{class: classCanceled, status: http.StatusBadGateway, text: "was not waited for: the client went away"}
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsTimeout {
			return failure{class: classDNS, status: http.StatusGatewayTimeout, text: "could not be looked up in time"}
		}
		return failure{class: classDNS, status: http.StatusBadGateway, text: "does not resolve to an address"}
	}
	if _, ok := errors.AsType[*net.AddrError](err); ok {
		return failure{class: classDNS, status: http.StatusBadGateway, text: "does not resolve to an address"} // a name without any address
	}
	op, dialling := errors.AsType[*net.OpError](err)
	dialling = dialling && op.Op == "dial"
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		if dialling {
			return timedOut("did not accept the connection in time")
		}
		return timedOut("took too long to answer")
	}
	if dialling {
		return failure{class: classConnect, status: http.StatusBadGateway, text: "does not accept the connection"}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return failure{class: classTruncated, status: http.StatusBadGateway, text: "closed the connection in the middle of its answer"}
	}
	return failure{class: classProtocol, status: http.StatusBadGateway, text: "does not speak proper HTTP"}
}

// logFailure tells the log of a failure that has no record. That TLS failed a check is what an operator may have to do something about: a network may
// stand between us and the host.
func (p *Plugin) logFailure(host string, f failure) {
	log := p.logger.Debug
	if f.check != "" && p.checkLog.due() {
		log = p.logger.Info
	}
	log("upstream failed", zap.String(keyHost, clip(host)), zap.String("class", f.class), zap.String("check", f.check))
}

func timedOut(text string) failure {
	return failure{class: classTimeout, status: http.StatusGatewayTimeout, text: text}
}

// brokenClass is the word for an error in the middle of an answer.
func brokenClass(err error) string {
	if class := failureOf(err).class; class == classTimeout || class == classCanceled {
		return class
	}
	return classTruncated
}

// deny answers at a door, before there is an exchange.
func deny(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "autodiscover-guard: "+text+".\n")
}

// noteFailure keeps for the record, and counts, why upstream gave no whole answer.
func (x *exchange) noteFailure(class string) {
	x.upstream.class = class
	x.p.failures.add(class)
}
