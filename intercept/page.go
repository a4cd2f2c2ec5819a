package intercept

import (
	"fmt"
	"html"
	"net/http"
	"strings"

	"autodiscover-guard/rules/dialect"
)

// page is the text for a client whose exchange is not guarded: which step failed.
func page(host string, f failure) string {
	return fmt.Sprintf("autodiscover-guard: %s %s (%s).\n", host, f.text, f.class)
}

// pageFor is that text as an answer; for a browser, which asks for HTML, as a page that loads nothing from anywhere.
func pageFor(r *http.Request, host string, f failure) dialect.Answer {
	if r == nil || !wantsHTML(r.Header) {
		return plainAnswer(f.status, page(host, f))
	}
	status, text := html.EscapeString(statusLine(f.status)), html.EscapeString(page(host, f))
	a := plainAnswer(f.status, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>"+status+"</title></head>\n<body><h1>"+
		status+"</h1>\n<p>"+strings.TrimSuffix(text, "\n")+"</p></body></html>\n")
	a.Header["Content-Type"] = []string{"text/html; charset=utf-8"}
	a.Header["Content-Security-Policy"] = []string{"default-src 'none'"}
	return a
}

func wantsHTML(h http.Header) bool {
	for _, field := range h["Accept"] {
		if strings.Contains(strings.ToLower(field), "text/html") {
			return true
		}
	}
	return false
}
