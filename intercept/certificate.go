package intercept

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
)

// certificateFailure tells which check an upstream's TLS failed.
func certificateFailure(err error) (failure, bool) {
	failed := func(check, text string) (failure, bool) {
		return failure{classTLS, http.StatusBadGateway, text, check}, true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return failed("host name", "shows a certificate for another name")
	}
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		if strings.HasPrefix(unknown.Error(), insecureSignature) {
			return failed("signature", "shows a certificate whose signature is of a kind that is not safe any more")
		}
		return failed("authority", "shows a certificate of an unknown authority")
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return failed(invalidCheck(invalid))
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return failed("certificate", "shows a certificate that does not verify")
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return failed("protocol", "does not speak TLS")
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		if op.Err.Error() == protocolVersion.Error() { // the type of op.Err has no name outside
			return failed("version", tooOld)
		}
		return failed("handshake", "refuses the TLS handshake")
	}
	if err == nil {
		return failure{}, false
	}
	_, shaking := errors.AsType[*handshakeError](err)
	switch text := err.Error(); {
	case strings.HasPrefix(text, "tls: server selected unsupported protocol version"): // go1.26, handshake_client.go
		return failed("version", tooOld)
	case strings.HasPrefix(text, "tls: "):
		return failed("handshake", "does not complete the TLS handshake")
	case shaking && errors.Is(err, context.DeadlineExceeded),
		text == "net/http: TLS handshake timeout": // of a transport that is not ours; go1.26, transport.go: tlsHandshakeTimeoutError, which has no name outside
		return failure{classTLS, http.StatusGatewayTimeout, "took too long for the TLS handshake", "handshake"}, true
	case shaking && !errors.Is(err, context.Canceled):
		return failed("handshake", "breaks the TLS handshake off")
	}
	return failure{}, false
}

const (
	// protocolVersion is the alert of a server that speaks none of the versions that were offered (RFC 8446, section 6.2).
	protocolVersion = tls.AlertError(70)
	tooOld          = "speaks no version of TLS that is still safe"
	// insecureSignature is how the error begins where a certificate is signed with SHA-1 or MD5. Why an authority was turned down is in its text alone
	// (go1.26, verify.go: UnknownAuthorityError.hintErr); what follows in it, the certificate says.
	insecureSignature = `x509: certificate signed by unknown authority (possibly because of "x509: cannot verify signature: insecure algorithm `
)

func invalidCheck(e x509.CertificateInvalidError) (check, text string) {
	switch e.Reason {
	case x509.Expired:
		if strings.Contains(e.Detail, " is before ") { // go1.26, verify.go: "current time … is before …"
			return "not yet valid", "shows a certificate that is not valid yet"
		}
		return "expired", "shows a certificate that has expired"
	case x509.IncompatibleUsage:
		return "usage", "shows a certificate that is not meant for a server"
	case x509.NameConstraintsWithoutSANs, x509.CANotAuthorizedForThisName, x509.UnconstrainedName, x509.TooManyConstraints:
		return "name constraints", "shows a certificate whose authority may not sign for this name"
	case x509.NotAuthorizedToSign, x509.CANotAuthorizedForExtKeyUsage, x509.TooManyIntermediates:
		return "authority", "shows a certificate whose authority may not sign it"
	default: // and whatever a later Go adds
		return "certificate", "shows a certificate that is not valid for a server"
	}
}
