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
		var value string
		value, rest = attributeValue(rest[i+len("href"):])
		if s, ok := suggestURL(KindRedirect, "html:a/@href", "", html.UnescapeString(value)); ok {
			found = append(found, s)
		}
	}
	return found
}

// attributeValue is the value behind an attribute's name, in any of HTML's three notations, and what stands behind it.
func attributeValue(s string) (value, rest string) {
	s = strings.TrimLeft(s, " \t\r\n")
	value, ok := strings.CutPrefix(s, "=")
	if value = strings.TrimLeft(value, " \t\r\n"); !ok || value == "" {
		return "", s
	}
	end := " \t\r\n>"
	if value[0] == '"' || value[0] == '\'' {
		value, end = value[1:], value[:1]
	}
	if i := strings.IndexAny(value, end); i >= 0 {
		return value[:i], value[i:]
	}
	return value, ""
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
