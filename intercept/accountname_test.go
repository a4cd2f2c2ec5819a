package intercept_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"autodiscover-guard/intercept"
)

// TestEvent_accountsName: what the account is called stands in the paths of its calendars, and beside the domain it is the address.
func TestEvent_accountsName(t *testing.T) {
	const properties = `<D:multistatus xmlns:D="DAV:"><D:response><D:href>/dav/Anna.Schmidt/</D:href><D:propstat><D:prop>` +
		`<D:current-user-principal><D:href>/~anna%2Eschmidt/dav/anna.schmidt.ics</D:href></D:current-user-principal><D:principal-URL><D:href>/anna.schmidt?x=/secret</D:href></D:principal-URL>` +
		`</D:prop></D:propstat></D:response></D:multistatus>`
	for login, named := range map[string]bool{"anna.schmidt@lab.test": true, `LAB\anna.schmidt`: true, "anna.schmidt": true, "dav@lab.test": false} {
		for privacy, hidden := range map[intercept.Privacy]bool{intercept.PrivacyDomain: true, intercept.PrivacyHash: true, intercept.PrivacyFull: false} {
			w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", "application/xml")
				rw.WriteHeader(http.StatusMultiStatus)
				_, _ = io.WriteString(rw, properties)
			}, func(c *intercept.Config, _ *proxyServer, _ *world) {
				c.Privacy, c.PrivacyKey = privacy, make([]byte, 32)
			})
			r := request(t, "PROPFIND", "http://imap.lab.test/dav/anna.schmidt/", "")
			r.Header.Set("Authorization", basicAuth(login+":secret"))
			if got := send(t, w.client(false), r); got.body != properties {
				t.Fatalf("%s: %s", got.Status, got.body)
			}
			d := w.decision(1)
			var written []string
			for _, s := range d["suggestions"].([]any) {
				written = append(written, s.(map[string]any)["was"].(string))
			}
			got := strings.Join(append(written, d["path"].(string)), " ")
			want := "/dav/Anna.Schmidt/ /~anna%2Eschmidt/dav/anna.schmidt.ics /anna.schmidt /dav/anna.schmidt/"
			switch {
			case hidden && named:
				want = "/dav/…/ /…/dav/… /… /dav/…/"
			case hidden:
				want = strings.ReplaceAll(want, "dav", "…")
			}
			if got != want {
				t.Errorf("%s, privacy %d: %q, want %q", login, privacy, got, want)
			}
		}
	}
}
