package dialect_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"testing"

	"autodiscover-guard/rules/dialect"
)

// TestParsers_areSentToTheServer: where an answer is a redirect, curl (libcurl is what several clients ask with) takes it for one, to the
// very URL that went in, and a refusal for a plain 404.
func TestParsers_areSentToTheServer(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		missing(t, "curl", "package curl")
	}
	const target = "https://dav.lab.test:8443/principals/user%2Btag/?a=1&b=2"
	for name, c := range map[string]struct {
		path string
		id   dialect.ID
		want string
	}{
		"a calendar client is sent on for good":    {"/.well-known/caldav", dialect.DAV, "301 " + target},
		"an address book client as well":           {"/.well-known/carddav", dialect.DAV, "301 " + target},
		"a JMAP client is sent on with its method": {"/.well-known/jmap", dialect.JMAP, "307 " + target},
	} {
		t.Run(name, func(t *testing.T) {
			q, ok := dialect.Recognise(dialect.Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: "lab.test", Path: c.path}})
			if !ok || q.Dialect != c.id {
				t.Fatalf("the request was taken for %v, want %v", q.Dialect, c.id)
			}
			composed, err := dialect.Compose(q, dialect.Settings{Address: "user+tag@lab.test", Servers: []dialect.Server{
				{Protocol: "caldav", URL: target}, {Protocol: "carddav", URL: target}, {Protocol: "jmap", URL: target},
			}})
			if err != nil {
				t.Fatal(err)
			}
			for a, want := range map[*dialect.Answer]string{&composed: c.want, new(dialect.Refuse(q)): "404 "} {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { send(t, w, *a) }))
				got, err := exec.CommandContext(t.Context(), curl, "--silent", "--noproxy", "*", "--write-out", "%{http_code} %{redirect_url}", server.URL+c.path).Output()
				server.Close()
				if err != nil || string(got) != want {
					t.Errorf("curl says %q, %v, want %q", got, err, want)
				}
			}
		})
	}
}

// send puts an answer on the wire.
func send(t *testing.T, w http.ResponseWriter, a dialect.Answer) {
	t.Helper()
	maps.Copy(w.Header(), http.Header(a.Header))
	w.WriteHeader(a.Status)
	if _, err := w.Write(a.Body); err != nil {
		t.Error(err)
	}
}
