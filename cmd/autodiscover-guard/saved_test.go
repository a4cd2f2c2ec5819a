package main

import (
	"strings"
	"testing"
)

// A saved exchange that is written wrongly may be wrong in the very line that has the password.
func TestReadSaved_mistakesQuoteNothing(t *testing.T) {
	t.Parallel()
	const asked = "GET / HTTP/1.1\nHost: example.com\n"
	for text, want := range map[string]string{
		"GET https://u:geheim@example.com/%zz HTTP/1.1\nHost: example.com\n":  "request: its URL cannot be read",
		"GET https://u:geheim/ HTTP/1.1\nHost: example.com\n":                 "request: its URL cannot be read",
		"GET /?geheim\nHost: example.com\n":                                   "request: malformed HTTP request",
		asked + "Authorization Basic geheim\n":                                "request: malformed MIME header: missing colon",
		asked + "Authorization: Basic \x00geheim\n":                           "request: malformed MIME header line",
		asked + "Content-Length: geheim\n":                                    "request: bad Content-Length",
		asked + "\nHTTP/1.1 200 OK\nSet-Cookie geheim\n":                      "response: malformed MIME header: missing colon",
		asked + "\nHTTP/1.1 200 OK\nTransfer-Encoding: geheim, chunked\n\nok": "response: unsupported transfer encoding",
	} {
		if _, err := readSaved("-", strings.NewReader(text)); err == nil || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
