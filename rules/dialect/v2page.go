package dialect

import (
	"html"
	"strings"
)

// A redirect may repeat its target in a page for people, as Exchange Online's 302 does. Our redirects never carry the page on, but what it
// says belongs into the record, and a page that leads elsewhere than its header field is not to be trusted. It is scanned, not parsed:
// pages are not well-formed.

// maxLinks bounds the links of one page.
const maxLinks = 64

// pageLinks lists the absolute links in the body of a redirect.
func pageLinks(a Answer) []Suggestion {
	if !IsRedirect(a) || len(a.Body) == 0 {
		return nil
	}
	body, _, err := decodeContent(a)
	if err != nil {
		return nil
	}
	t, err := decodeText(body, a.Header.Get("Content-Type"))
	if err != nil {
		return nil
	}
	var found []Suggestion
	rest := string(t.data)
	for len(found) < maxLinks {
		i := indexFold(rest, "href")
		if i < 0 {
			break
		}
		rest = rest[i+len("href"):]
		if s, ok := suggestURL(KindRedirect, "html:a/@href", "", html.UnescapeString(attributeValue(rest))); ok {
			found = append(found, s)
		}
	}
	return found
}

// attributeValue is the value behind an attribute's name, in any of HTML's three notations.
func attributeValue(s string) string {
	s, ok := strings.CutPrefix(strings.TrimLeft(s, " \t\r\n"), "=")
	s = strings.TrimLeft(s, " \t\r\n")
	if !ok || s == "" {
		return ""
	}
	end := " \t\r\n>"
	if s[0] == '"' || s[0] == '\'' {
		s, end = s[1:], s[:1]
	}
	if i := strings.IndexAny(s, end); i >= 0 {
		return s[:i]
	}
	return s
}

// indexFold is strings.Index without regard to the case of ASCII letters; substr is lower case.
func indexFold(s, substr string) int {
	for i := 0; i+len(substr) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(substr)], substr) {
			return i
		}
	}
	return -1
}
