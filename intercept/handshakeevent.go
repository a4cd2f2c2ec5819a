package intercept

import (
	"strings"

	"go.uber.org/zap"
)

// HandshakeMessage and HandshakeSchema identify the records of clients' TLS handshakes that failed in a tunnel that was to be opened. They stand among
// the decision records: whoever asks why a client is not guarded looks there.
const (
	HandshakeMessage = "handshake"
	HandshakeSchema  = 1
)

// The keys of such a record, beside those that a decision record has as well: schema, client, door, host, reason, policy, authority. All are always there.
const (
	keyOutcome    = "outcome"     // a word of Stats.Handshakes, but for done
	keyServerName = "server_name" // whom the client meant to reach; empty where it said nothing, or no host name
	keyAlert      = "alert"       // the TLS alert that it sent; else empty
	// keyRecorded says in a message of the guard's life that the same stands among the records.
	keyRecorded = "recorded"
	keyVersions = "tls" // the newest version that it offered; empty where it did not get that far
)

// writeHandshake writes the record of a handshake that failed. The text of err is not in it: it may quote what the client sent.
func (h *hall) writeHandshake(c *hallConn, outcome, reason string, err error) {
	level := zap.InfoLevel
	if outcome == handshakeUntrusted || outcome == handshakeRefused {
		level = zap.WarnLevel
	}
	entry := h.p.decisions.Check(level, HandshakeMessage)
	if entry == nil {
		return
	}
	entry.Time = h.p.clock().UTC()
	entry.Write(
		zap.Int(keySchema, HandshakeSchema),
		zap.String(keyOutcome, outcome),
		zap.String(keyReason, reason),
		clientField(c),
		zap.String(keyDoor, string(c.door)),
		zap.String(keyHost, clip(c.target.host)),
		zap.String(keyServerName, clip(c.hello.name())),
		zap.String(keyVersions, c.hello.version()),
		zap.String(keyAlert, alertOf(err)),
		zap.String(keyPolicy, h.p.policy.Load().Revision()),
		zap.String(keyRoot, h.p.authority()),
	)
}

// alertOf is the alert that a client ended its handshake with, in the words of crypto/tls; those are of a fixed list (go1.26, alert.go).
func alertOf(err error) string {
	text, ok := strings.CutPrefix(err.Error(), "remote error: tls: ")
	if !ok {
		return ""
	}
	return text
}
