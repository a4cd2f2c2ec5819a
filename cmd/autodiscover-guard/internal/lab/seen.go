package lab

import (
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"strings"
)

// Seen is a request as it arrived.
type Seen struct {
	Method string
	// Proto is HTTP/1.0, HTTP/1.1 or HTTP/2.0.
	Proto string
	// Host is the Host field or :authority; Name is the server name of the TLS handshake.
	Host, ServerName string
	// Path is decoded, Target is the request target as sent, and Query is what follows the question mark there.
	Path, Target, Query string
	Header, Trailer     http.Header
	// Body is the whole body, or its first MiB where Cut is set.
	Body []byte
	Cut  bool
}

// Carries reports whether secret stands anywhere in the request, and where: as it is, percent-encoded, as XML character references, or in
// base64, also as a part of what was encoded and one inside the other. An empty secret stands nowhere.
func (s Seen) Carries(secret string) (where string, found bool) {
	if secret == "" {
		return "", false
	}
	places := [][2]string{
		{"method", s.Method},
		{"host", s.Host},
		{"name", s.ServerName},
		{"path", s.Path},
		{"target", s.Target},
		{"query", s.Query},
		{"body", string(s.Body)},
	}
	for kind, fields := range map[string]http.Header{"header": s.Header, "trailer": s.Trailer} {
		for name, values := range fields {
			places = append(places, [2]string{kind, name})
			for _, v := range values {
				places = append(places, [2]string{kind + ":" + name, v})
			}
		}
	}
	for _, p := range places {
		if holds(p[1], secret, 3) {
			return p[0], true
		}
	}
	return "", false
}

// holds looks for secret in text and in everything that text may encode, depth layers down.
func holds(text, secret string, depth int) bool {
	if strings.Contains(text, secret) {
		return true
	}
	if depth == 0 {
		return false
	}
	for _, view := range []string{percentDecoded(text), strings.ReplaceAll(text, "+", " "), html.UnescapeString(text)} {
		if view != text && holds(view, secret, depth-1) {
			return true
		}
	}
	for _, run := range strings.FieldsFunc(text, func(r rune) bool { return !inBase64(r) }) {
		for shift := range min(4, len(run)) { // a neighbour from the same alphabet may stand in front
			if plain := decoded(run[shift:]); plain != "" && holds(plain, secret, depth-1) {
				return true
			}
		}
	}
	return false
}

// percentDecoded decodes what can be decoded and keeps the rest, as one stray percent sign must not hide what stands beside it.
func percentDecoded(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if plain, err := url.PathUnescape(text[i : i+3]); err == nil {
				b.WriteString(plain)
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func inBase64(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("+/-_", r)
}

// decoded reads base64 in either alphabet, as far as whole groups go.
func decoded(run string) string {
	run = strings.NewReplacer("-", "+", "_", "/").Replace(run)
	if len(run)%4 == 1 {
		run = run[:len(run)-1]
	}
	plain, err := base64.RawStdEncoding.DecodeString(run)
	if err != nil {
		return ""
	}
	return string(plain)
}
