package intercept

import (
	"crypto/tls"
	"fmt"
)

// plaintextAlert finds an alert that was not encrypted at the end of what a client sent in its handshake. OpenSSL 3.0.19 answers a certificate that it
// does not trust with such an alert, in TLS 1.3, where the server expects an encrypted record already; crypto/tls (go1.26) can only call that a bad record. Every client that is built
// on OpenSSL would then be one that we cannot agree with, and not one that does not trust us.
type plaintextAlert struct {
	inHandshake bool // the handshake is under way
	last        [7]byte
}

// note takes what the client has sent.
func (a *plaintextAlert) note(p []byte) {
	if !a.inHandshake || len(p) == 0 {
		return
	}
	if len(p) >= len(a.last) {
		copy(a.last[:], p[len(p)-len(a.last):])
		return
	}
	copy(a.last[:], a.last[len(p):])
	copy(a.last[len(a.last)-len(p):], p)
}

// explain puts an alert in the clear in the place of the error that it makes: a record of type 21 with two bytes, a level and a description (RFC 8446,
// sections 5.1 and 6). An encrypted one is of type 23 and longer.
func (a *plaintextAlert) explain(err error) error {
	b := a.last
	if err.Error() != "local error: tls: bad record MAC" || b[0] != 21 || b[1] != 3 || b[3] != 0 || b[4] != 2 || b[5] != 1 && b[5] != 2 {
		return err
	}
	return fmt.Errorf("remote error: %w", tls.AlertError(b[6]))
}
