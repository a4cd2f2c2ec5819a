package intercept

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"

	"go.uber.org/zap"
)

// How a client's handshake ended, as Stats.Handshakes has it; classTimeout is another one.
const (
	handshakeDone      = "done"
	handshakeUntrusted = "untrusted"
	handshakeRefused   = "refused"
	handshakeEnded     = "ended"
	handshakeGone      = "gone"
	handshakeNotTLS    = "not tls"
	handshakeStopping  = "stopping"
)

// handshakeFailed tells why a client did not come in. That it does not trust the authority is the one thing an operator must hear of: then
// nothing is guarded, it just fails.
func (h *hall) handshakeFailed(c *hallConn, err error) {
	if c.selfCheck {
		return // SelfCheck tells it itself
	}
	outcome, reason := handshakeReason(err)
	log := h.p.logger.Debug
	switch {
	case c.refused:
		outcome, reason = handshakeRefused, c.hello.refusal
	case outcome == handshakeUntrusted:
		log = h.p.logger.Warn
	}
	h.p.handshakes.add(outcome)
	recorded := outcome != handshakeStopping && !c.shunned // whose tunnel has a record already
	if recorded {
		h.writeHandshake(c, outcome, reason, err)
	}
	log("handshake failed", zap.String(keyHost, c.target.host), clientField(c),
		zap.String(keyReason, reason), zap.Bool(keyRecorded, recorded), zap.Error(err))
}

// handshakeReason puts the error of a handshake into a word and a sentence. The alerts are unexported in crypto/tls; their texts are those of
// go1.26, alert.go.
func handshakeReason(err error) (outcome, reason string) {
	text := err.Error()
	if strings.HasPrefix(text, "remote error: ") {
		for _, alert := range []string{"unknown certificate authority", "bad certificate", "unknown certificate", "access denied", "unsupported certificate"} {
			if strings.HasSuffix(text, alert) {
				return handshakeUntrusted, "the client does not trust the authority"
			}
		}
		return handshakeEnded, "the client ended the handshake"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return handshakeNotTLS, "the client does not speak TLS"
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return classTimeout, "the client was silent for too long"
	case errors.Is(err, context.Canceled):
		return handshakeStopping, "the guard is stopping"
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return handshakeGone, "the client went away"
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && (e.Op == "read" || e.Op == "write") { // a reset; crypto/tls has its alerts in such errors, too
		return handshakeGone, "the client went away"
	}
	return tallyOther, "no agreement on the handshake"
}
