package intercept

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
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
)

// failure is why upstream gave no answer, in words that may be shown to a client and logged: Go's own error texts name addresses that the
// client has no business to know (goproxy v1.9.3, http.go sends them as a 500).
type failure struct {
	// class is one word for the record.
	class string
	// status is what a client is told whose exchange is not guarded.
	status int
	// text completes the sentence "HOST …".
	text string
}

// beforeRequest reports whether nothing of the request can have left.
func (f failure) beforeRequest() bool {
	return f.class == "dns" || f.class == "connect" || f.class == "tls"
}

var errAnswerTimeout = errors.New("upstream took too long to answer")

// failureOf finds words for an error of a round trip or a dial.
func failureOf(err error) failure {
	if f, ok := certificateFailure(err); ok {
		return f
	}
	if errors.Is(err, errAnswerTimeout) {
		return failure{"timeout", http.StatusGatewayTimeout, "took too long to answer"}
	}
	if errors.Is(err, context.Canceled) {
		return failure{"canceled", http.StatusBadGateway, "was not waited for: the client went away"}
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsTimeout {
			return failure{"dns", http.StatusGatewayTimeout, "could not be looked up in time"}
		}
		return failure{"dns", http.StatusBadGateway, "does not resolve to an address"}
	}
	if _, ok := errors.AsType[*net.AddrError](err); ok {
		return failure{"dns", http.StatusBadGateway, "does not resolve to an address"} // a name without any address
	}
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return failure{"timeout", http.StatusGatewayTimeout, "took too long to answer"}
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return failure{"connect", http.StatusBadGateway, "does not accept the connection"}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return failure{"truncated", http.StatusBadGateway, "closed the connection in the middle of its answer"}
	}
	return failure{"protocol", http.StatusBadGateway, "does not speak proper HTTP"}
}

// brokenClass is the word for an error in the middle of an answer.
func brokenClass(err error) string {
	if class := failureOf(err).class; class == "timeout" || class == "canceled" {
		return class
	}
	return "truncated"
}

// certificateFailure tells which check an upstream's TLS failed.
func certificateFailure(err error) (failure, bool) {
	tlsFailure := func(text string) (failure, bool) {
		return failure{"tls", http.StatusBadGateway, text}, true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return tlsFailure("shows a certificate for another name")
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return tlsFailure("shows a certificate of an unknown authority")
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return tlsFailure("shows a certificate that has expired or is not yet valid")
		}
		return tlsFailure("shows a certificate that is not valid for a server")
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return tlsFailure("shows a certificate that does not verify")
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return tlsFailure("does not speak TLS")
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return tlsFailure("refuses the TLS handshake")
	}
	if err != nil && strings.HasPrefix(err.Error(), "tls: ") {
		return tlsFailure("does not complete the TLS handshake")
	}
	return failure{}, false
}

// page is what a client gets that is told the truth.
func page(host string, f failure) string {
	return fmt.Sprintf("autodiscover-guard: %s %s (%s).\n", host, f.text, f.class)
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
