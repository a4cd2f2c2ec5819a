package intercept

import (
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
		return failure{"tls", http.StatusBadGateway, text, check}, true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return failed("host name", "shows a certificate for another name")
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
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
		return failed("handshake", "refuses the TLS handshake")
	}
	if err == nil {
		return failure{}, false
	}
	switch text := err.Error(); {
	case strings.HasPrefix(text, "tls: server selected unsupported protocol version"): // go1.26, handshake_client.go
		return failed("version", "speaks no version of TLS that is still safe")
	case strings.HasPrefix(text, "tls: "):
		return failed("handshake", "does not complete the TLS handshake")
	case text == "net/http: TLS handshake timeout": // go1.26, transport.go: tlsHandshakeTimeoutError, which has no name outside
		return failure{"tls", http.StatusGatewayTimeout, "took too long for the TLS handshake", "handshake"}, true
	}
	return failure{}, false
}

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
