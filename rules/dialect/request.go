package dialect

import (
	"net/url"
	"strings"
)

// Header is a set of HTTP header fields under their canonical names, exactly as net/http keeps them; an http.Header converts to it
// without a copy. This package does not import net/http so that policy stays free of live traffic.
type Header map[string][]string

// Get is the first value of the field, or "".
func (h Header) Get(name string) string {
	if vs := h[name]; len(vs) > 0 {
		return vs[0]
	}
	return ""
}

// Clone copies the fields, so that the copy can be changed freely.
func (h Header) Clone() Header {
	n := 0
	for _, values := range h {
		n += len(values)
	}
	all := make([]string, 0, n)
	c := make(Header, len(h))
	for name, values := range h {
		before := len(all)
		all = append(all, values...)
		c[name] = all[before:len(all):len(all)]
	}
	return c
}

// Request is what a client asks, as far as configuration discovery is concerned. Nothing in this package changes or keeps it beyond the
// [Inquiry] made from it.
type Request struct {
	Method string
	// URL is absolute: scheme and host are those that the client means to reach (the tunnel's target inside a tunnel).
	URL *url.URL
	// Header holds the request's fields under canonical names.
	Header Header
	// Body is the whole request body, or nil where [NeedsBody] did not ask for it.
	Body []byte
}

// bodyText is the body as a server would read it, whatever coding and charset it came in. whole is false where it cannot be read to its end; the text is
// then what can be recognised of it.
func (r Request) bodyText() (t text, whole bool) {
	body, _, err := decodeContent(Answer{Header: r.Header, Body: r.Body})
	if err == nil {
		if t, err = decodeText(body, r.Header.Get("Content-Type")); err == nil {
			return t, true
		}
	}
	if len(body) == 0 {
		body = r.Body
	}
	return text{data: approximate(body)}, false
}

// Host is the asked host: lower case, without port, brackets and trailing dots.
func (r Request) Host() string {
	if host := r.URL.Host; plainHost(host) {
		return host
	}
	return strings.TrimRight(strings.ToLower(r.URL.Hostname()), ".")
}

// plainHost reports whether there is nothing to do: most traffic names its host in lower case and without a port.
func plainHost(host string) bool {
	for i := range len(host) {
		if c := host[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return host == "" || host[len(host)-1] != '.'
}

// Answer is a response as it stands on the wire: Body still carries the content coding that Header names. In answers composed by this
// package Body is never coded, and the sender adds framing (Content-Length) by itself.
type Answer struct {
	Status int
	Header Header
	Body   []byte
}
