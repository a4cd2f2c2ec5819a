package intercept

import (
	"net/http"

	"golang.org/x/net/http2"
)

// countingResets has t count the streams that a server ends with PROTOCOL_ERROR. net/http (go1.26, h2_bundle.go: canRetryError) sends such a request again, up to six times, if it gets the body
// once more; but only REFUSED_STREAM and GOAWAY say that nothing was processed (RFC 9113, section 8.7), and a server whose answer cannot be put into HTTP/2 may have done what a POST
// asked. Which of the three it was, GetBody is not told. net/http's client counts nothing (HTTP2Config.CountError is the server's there); x/net/http2, which it is made from, does.
func (d *dialer) countingResets(t *http.Transport) *http.Transport {
	h2, err := http2.ConfigureTransports(t) //nolint:staticcheck // see above
	if err != nil {                         // only where t has an HTTP/2 of its own already
		panic(err)
	}
	h2.CountError = func(kind string) { //nolint:staticcheck // that of net/http is not called
		if kind == "recv_rststream_PROTOCOL_ERROR" {
			d.protocolErrors.Add(1)
		}
	}
	return t
}
