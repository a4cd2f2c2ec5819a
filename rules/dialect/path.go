package dialect

import (
	"path"
	"strings"
)

// normalPath brings a path into the form in which it is compared: lower case, no empty or dot segments, no ;parameters, no final slash.
// The argument is decoded once already (net/url does so). What is in that form is returned as it is, without a copy: most traffic is.
func normalPath(p string) string {
	if plainPath(p) {
		return p
	}
	if strings.Contains(p, ";") {
		segments := strings.Split(p, "/")
		for i, s := range segments {
			segments[i], _, _ = strings.Cut(s, ";")
		}
		p = strings.Join(segments, "/")
	}
	return strings.ToLower(path.Clean("/" + strings.ReplaceAll(p, `\`, "/")))
}

func plainPath(p string) bool {
	if len(p) < 2 {
		return p == "/"
	}
	if p[0] != '/' || p[len(p)-1] == '/' {
		return false
	}
	for i := range len(p) {
		switch c := p[i]; {
		case 'A' <= c && c <= 'Z', c == ';', c == '\\', c >= 0x80:
			return false
		case c == '/' && (p[i+1] == '/' || p[i+1] == '.'): // the last byte is no slash
			return false
		}
	}
	return true
}
