package main

import (
	"fmt"
	"net/http"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// calendars is a CalDAV server whose users have their calendars at a stranger's (RFC 4791, section 6.2.1).
func calendars() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="calendars"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/xml; charset=utf-8")
		w.WriteHeader(http.StatusMultiStatus)
		fmt.Fprintf(w, `<?xml version="1.0"?>
<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:response><d:href>%s</d:href><d:propstat><d:prop>
<d:current-user-principal><d:href>/principal/</d:href></d:current-user-principal>
<c:calendar-home-set><d:href>https://%s/calendars/</d:href></c:calendar-home-set>
</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>`, r.URL.Path, lab.IncidentIMAP)
	})
}
