package intercept

import (
	"errors"
	"net/http"

	"golang.org/x/net/http2"
)

// roundTrip asks over the transport that a request goes over, and once more in HTTP/1.1 where the server says in HTTP/2 that it wants that: it has not
// processed the request then (RFC 9113, section 7: HTTP_1_1_REQUIRED). IIS does so where it authenticates connections, and net/http leaves it to us.
func (x *exchange) roundTrip(req *http.Request, base *http.Transport) (*http.Response, error) {
	t := x.transport(req, base)
	if base == x.p.transport { // of another one we do not know whether it asks a proxy
		req = x.spelled(req)
		if to, ok := x.original(req); ok {
			return x.roundTripOriginal(t, to, req)
		}
	}
	resp, err := t.RoundTrip(req)
	ours := x.p.transports.Load()
	if err == nil || t != ours.shared && t != ours.uploads || !wantsHTTP11(err) {
		return resp, err
	}
	again, ok := repeated(req)
	if !ok {
		return nil, err
	}
	return ours.http11.RoundTrip(again)
}

// wantsHTTP11 reports whether a stream was ended because HTTP/1.1 is wanted. net/http's own type has no name outside; it lets itself be taken for
// that of x/net (go1.26, h2_error.go).
func wantsHTTP11(err error) bool {
	stream, ok := errors.AsType[http2.StreamError](err)
	return ok && stream.Code == http2.ErrCodeHTTP11Required
}

// repeated is a request that was sent once, to be sent again. One whose body has streamed through can be where that was short: see clientBody.again.
func repeated(req *http.Request) (*http.Request, bool) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, false
	}
	again := new(http.Request)
	*again = *req
	again.Body = body
	return again, true
}
