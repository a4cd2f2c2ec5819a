package intercept

import (
	"net/http"
	"strings"
)

// translatable reports whether a request reads the same in HTTP/1. In HTTP/2 a method may be any text to net/http, and so may a query have spaces in it: "GET /other"
// would be another request to whoever writes it into a request line, us or somebody behind us (RFC 9113, section 10.3). One that was written into a line before always does.
func translatable(r *http.Request) bool {
	for i := range len(r.Method) {
		if !tokenByte(r.Method[i]) {
			return false
		}
	}
	return r.Method != "" && strings.IndexByte(r.URL.RawQuery, ' ') < 0
}
