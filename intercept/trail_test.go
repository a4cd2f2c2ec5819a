package intercept_test

import (
	"net/http"
	"strings"
	"testing"

	"autodiscover-guard/rules"
)

// TestTrail: a redirect to an own host passes, and what is asked there looks like nothing. That it sends the client on to a stranger is seen all the same;
// whoever was not sent there by discovery goes where the server says.
func TestTrail(t *testing.T) {
	policy, err := rules.New(rules.Config{
		Open:  []string{"opened.net"},
		Rules: []rules.Rule{{Name: "lab", Domains: []string{"lab.test", "*.lab.test"}, Allow: []string{"*.lab.test", "opened.net"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/mail/config-v1.1.xml":
					http.Redirect(rw, r, d.scheme+"://opened.net/settings?of=lab", http.StatusFound)
				case "/settings":
					http.Redirect(rw, r, "/more", http.StatusMovedPermanently)
				case "/more":
					http.Redirect(rw, r, "https://"+stranger+"/config.xml", http.StatusTemporaryRedirect)
				}
			}, governed(policy))
			client := d.client(w)
			get := func(url string) reply { return send(t, client, request(t, http.MethodGet, d.scheme+"://"+url, "")) }

			if got := get("opened.net/more"); got.Header.Get("Location") != "https://"+stranger+"/config.xml" {
				t.Fatalf("nobody's redirect: %s to %q", got.Status, got.Header.Get("Location"))
			}
			got := get("autodiscover.lab.test/mail/config-v1.1.xml?emailaddress=user@lab.test")
			if got.StatusCode != http.StatusFound || got.Header.Get("Location") != d.scheme+"://opened.net/settings?of=lab" {
				t.Fatalf("the first redirect: %s to %q", got.Status, got.Header.Get("Location"))
			}
			if got := get("opened.net/settings?of=lab"); got.StatusCode != http.StatusMovedPermanently || got.Header.Get("Location") != "/more" {
				t.Errorf("the second redirect: %s to %q", got.Status, got.Header.Get("Location"))
			}
			got = get("opened.net/more")
			if got.StatusCode != http.StatusOK || got.Header.Get("Location") != "" || !strings.Contains(got.body, `<clientConfig version="1.1"><emailProvider id="lab.test">`) {
				t.Fatalf("the third redirect: %s to %q: %s", got.Status, got.Header.Get("Location"), got.body)
			}
			if r := w.decision(3); r["action"] != "refuse" || r["dialect"] != "autoconfig" || r["host"] != "opened.net" || r["rule"] != "lab" {
				t.Errorf("recorded: %v", r)
			}
			if got := get("opened.net/settings"); got.Header.Get("Location") != "/more" || w.decisions.Len() != 3 {
				t.Errorf("another place: %s to %q, %d records", got.Status, got.Header.Get("Location"), w.decisions.Len())
			}
		})
	}
}
