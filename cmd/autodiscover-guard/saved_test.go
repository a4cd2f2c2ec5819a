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

// Proxies and packet captures save a question and its answer one behind the other; a question's body need not end with a line, and may have one that looks like an answer's first.
func TestReadSaved_whereTheAnswerBegins(t *testing.T) {
	t.Parallel()
	const (
		asked    = "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: "
		answered = "HTTP/1.1 404 Not Found\r\n\r\nno"
		tricky   = "a\r\nHTTP/1.1 200 OK\r\n\r\nb"
	)
	for text, want := range map[string]string{
		asked + "4\r\n\r\nbody" + answered:                                       "body",
		asked + "4\r\n\r\nbody\r\n" + answered:                                   "body",
		asked + "4 \r\n\r\n\r\n\r\n" + answered:                                  "",
		asked + "0\r\n\r\n" + answered:                                           "",
		asked + "23\r\n\r\n" + tricky + answered:                                 tricky,
		asked + "9\r\n\r\nbody\n" + answered:                                     "body",
		"POST / HTTP/1.1\nHost: example.com\n\nbody\n" + answered:                "body",
		"POST / HTTP/1.1\nHost: example.com\n\nHTTP/1.1 404 No\n\nno":            "",
		"POST / HTTP/2\nhost: example.com\ncontent-length: 4\n\nbody" + answered: "body",
	} {
		all, err := readSaved("-", strings.NewReader(text))
		if err != nil || len(all) != 1 || all[0].answer == nil {
			t.Errorf("%q: %v, %v", text, all, err)
			continue
		}
		if x := all[0]; string(x.request.Body) != want || x.answer.Status != 404 || string(x.answer.Body) != "no" {
			t.Errorf("%q: asked %q, answered %d %q", text, x.request.Body, x.answer.Status, x.answer.Body)
		}
	}
}
