package intercept_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// TestEvent_accountsName: what the account is called stands in the paths of its calendars, and beside the domain it is the address.
func TestEvent_accountsName(t *testing.T) {
	const properties = `<D:multistatus xmlns:D="DAV:"><D:response><D:href>/dav/Anna.Schmidt/</D:href><D:propstat><D:prop>` +
		`<D:current-user-principal><D:href>/~anna%2Eschmidt/dav/</D:href></D:current-user-principal><D:principal-URL><D:href>/anna.schmidt?x=/secret</D:href></D:principal-URL>` +
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
			want := "/dav/Anna.Schmidt/ /~anna%2Eschmidt/dav/ /anna.schmidt /dav/anna.schmidt/"
			switch {
			case hidden && named:
				want = "/dav/…/ /…/dav/ /… /dav/…/"
			case hidden:
				want = strings.ReplaceAll(want, "dav", "…")
			}
			if got != want {
				t.Errorf("%s, privacy %d: %q, want %q", login, privacy, got, want)
			}
		}
	}
}

// TestEvent_manyAccounts: a question may be about as many accounts as fit, and each path of the answer may have as many parts. Compared one with another they would take
// the record minutes.
func TestEvent_manyAccounts(t *testing.T) {
	var users, values strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&users, "<Mailbox>u%d@lab.test</Mailbox>", i)
	}
	for range 40 {
		fmt.Fprintf(&values, "<Url>https://mail.lab.test/U19999%s</Url>", strings.Repeat("/a", 10_000))
	}
	answer := `<Autodiscover><Response><Account><Protocol>` + values.String() + `</Protocol></Account></Response></Autodiscover>`
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(rw, answer)
	})
	r := request(t, http.MethodPost, "http://imap.lab.test/autodiscover/autodiscover.xml", "<Autodiscover>"+strings.ReplaceAll(users.String(), "Mailbox>", "EMailAddress>")+"</Autodiscover>")
	began := time.Now()
	if got := send(t, w.client(false), r); got.body != answer {
		t.Fatalf("%s: %.80s", got.Status, got.body)
	}
	was := w.decision(1)["suggestions"].([]any)[0].(map[string]any)["was"].(string)
	if took := time.Since(began); took > 20*time.Second || !strings.HasPrefix(was, "https://mail.lab.test/…/a/a/") {
		t.Errorf("after %v: %q", took, was)
	}
}
