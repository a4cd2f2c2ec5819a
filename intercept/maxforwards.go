package intercept

import (
	"net/http"
	"strconv"
	"strings"
)

// answeredHere does with Max-Forwards what every intermediary must (RFC 9110, section 7.6.2): of OPTIONS and TRACE, a request that may go no further is answered here, and of any other one the
// count is lowered. It reports whether it has answered. What cannot be read as a count goes on as it is.
func answeredHere(w http.ResponseWriter, r *http.Request) bool {
	fields := r.Header["Max-Forwards"]
	if len(fields) != 1 || r.Method != http.MethodOptions && r.Method != http.MethodTrace {
		return false
	}
	left, err := strconv.ParseUint(strings.TrimSpace(fields[0]), 10, 31)
	switch {
	case err != nil:
		return false
	case left > 0:
		r.Header["Max-Forwards"] = []string{strconv.FormatUint(left-1, 10)}
		return false
	case r.Method == http.MethodTrace:
		deny(w, http.StatusNotImplemented, "a request that may go no further ends here, and is not sent back: its fields may be secret")
	default:
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
	}
	return true
}

// tracesPassword reports whether the answer to a request may tell what we say to log in to the proxy behind us: who is the last to get a TRACE sends its fields back.
func (p *parent) tracesPassword(req *http.Request) bool {
	return req.Method == http.MethodTrace && !p.credentials.none()
}

var errTrace = &parentError{failure{classProxy, http.StatusNotImplemented, "is not asked: the answer to TRACE may tell the password for the upstream proxy", ""}}
