package intercept

import (
	"net/http"
	"strconv"
	"strings"
)

// says puts an HTTP proxy's refusal into words.
func (p *parent) says(status int, header http.Header) error {
	switch {
	case status == http.StatusProxyAuthRequired && !offersBasic(header):
		return parentSays("asks for another way to log in than Basic, which alone is spoken here (407)")
	case status == http.StatusProxyAuthRequired && !p.credentials.none(), status == http.StatusUnauthorized: // tinyproxy 1.11 says 401 to a wrong password
		return parentSays("does not accept the credentials (" + strconv.Itoa(status) + ")")
	case status == http.StatusProxyAuthRequired:
		return parentSays("asks for credentials (407)")
	case status == http.StatusForbidden:
		return parentSays("refuses to lead there (403)")
	case status == http.StatusLoopDetected:
		return &parentError{failure{classLoop, http.StatusLoopDetected, "cannot be reached: the upstream proxy leads back here", ""}}
	case status == http.StatusGatewayTimeout:
		return &parentError{failure{classProxy, http.StatusGatewayTimeout, "cannot be reached: the upstream proxy waited in vain (504)", ""}}
	case status >= 500:
		return parentSays("cannot reach it (" + strconv.Itoa(status) + ")")
	}
	return parentSays("gives no tunnel (" + strconv.Itoa(status) + ")")
}

// offersBasic reports whether a 407 names the only way in which we can log in; one that names none may mean it. What stands behind a comma in a realm is read as a scheme, too.
func offersBasic(header http.Header) bool {
	challenges := header.Values("Proxy-Authenticate")
	for _, challenge := range challenges {
		for part := range strings.SplitSeq(challenge, ",") {
			if scheme, _, _ := strings.Cut(strings.TrimLeft(part, " \t"), " "); strings.EqualFold(scheme, "Basic") {
				return true
			}
		}
	}
	return len(challenges) == 0
}
