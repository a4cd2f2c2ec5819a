package intercept_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/intercept"
	"autodiscover-guard/rules"
)

// labAtHoster lets a lab's accounts be sent to its own hosts, and to one of somebody who opens it to others, too.
func labAtHoster(t *testing.T) *rules.Policy {
	t.Helper()
	policy, err := rules.New(rules.Config{
		Open:  []string{"opened.net"},
		Rules: []rules.Rule{{Name: "lab", Domains: []string{"lab.test", "*.lab.test"}, Allow: []string{"lab.test", "*.lab.test", "opened.net"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// TestRedirect: a redirect to an own host passes, and what is asked there looks like nothing. That it sends the client on to a stranger is seen all the same;
// whoever was not sent there by discovery goes where the server says.
func TestRedirect(t *testing.T) {
	policy := labAtHoster(t)
	for _, d := range doors {
		for _, c := range []struct{ dialect, path, refusal string }{
			{"autoconfig", "/mail/config-v1.1.xml", `<clientConfig version="1.1"><emailProvider id="lab.test">`},
			{"pox", poxPath, ""},
		} {
			t.Run(d.name+"/"+c.dialect, func(t *testing.T) {
				w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
					switch r.URL.Path {
					case c.path:
						http.Redirect(rw, r, d.scheme+"://opened.net/settings?of=lab", http.StatusFound)
					case "/settings":
						http.Redirect(rw, r, "/more", http.StatusMovedPermanently)
					case "/more":
						rw.Header().Set("Location", "https://"+stranger+"/config.xml")
						rw.WriteHeader(http.StatusTemporaryRedirect)
						_, _ = io.WriteString(rw, "It is elsewhere, and these are words.")
					}
				}, governed(policy))
				client := d.client(w)
				get := func(url string) reply { return send(t, client, request(t, http.MethodGet, d.scheme+"://"+url, "")) }

				if got := get("opened.net/more"); got.Header.Get("Location") != "https://"+stranger+"/config.xml" {
					t.Fatalf("nobody's redirect: %s to %q", got.Status, got.Header.Get("Location"))
				}
				got := get("autodiscover.lab.test" + c.path + "?emailaddress=user@lab.test")
				if got.StatusCode != http.StatusFound || got.Header.Get("Location") != d.scheme+"://opened.net/settings?of=lab" {
					t.Fatalf("the first redirect: %s to %q", got.Status, got.Header.Get("Location"))
				}
				if got := get("opened.net/settings?of=lab"); got.StatusCode != http.StatusMovedPermanently || got.Header.Get("Location") != "/more" {
					t.Errorf("the second redirect: %s to %q", got.Status, got.Header.Get("Location"))
				}
				got = get("opened.net/more")
				if got.StatusCode/100 == 3 || got.Header.Get("Location") != "" || strings.Contains(got.body, stranger) || !strings.Contains(got.body, c.refusal) {
					t.Fatalf("the third redirect: %s to %q: %s", got.Status, got.Header.Get("Location"), got.body)
				}
				if r := w.decision(3); r["action"] != "refuse" || r["dialect"] != c.dialect || r["host"] != "opened.net" || r["rule"] != "lab" {
					t.Errorf("recorded: %v", r)
				}
				if got := get("opened.net/settings"); got.Header.Get("Location") != "/more" || w.decisions.Len() != 3 {
					t.Errorf("another place: %s to %q, %d records", got.Status, got.Header.Get("Location"), w.decisions.Len())
				}
			})
		}
	}
}

// TestRedirect_withoutEnd: a second redirect is waited for as the first was, and no longer.
func TestRedirect_withoutEnd(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/settings" {
					http.Redirect(rw, r, d.scheme+"://opened.net/settings", http.StatusFound)
					return
				}
				rw.Header().Set("Location", "/more")
				rw.WriteHeader(http.StatusFound)
				_ = http.NewResponseController(rw).Flush()
				<-r.Context().Done()
			}, governed(labAtHoster(t)), timeouts(func(u *intercept.UpstreamConfig) { u.AnswerTimeout = 50 * time.Millisecond }))
			client := d.client(w)
			get := func(url string) reply { return send(t, client, request(t, http.MethodGet, d.scheme+"://"+url, "")) }
			asked := 1
			for get("autodiscover.lab.test/mail/config-v1.1.xml?emailaddress=user@lab.test").StatusCode != http.StatusFound { // a slow machine
				if asked++; asked > 400 {
					t.Fatal("the redirect does not come in time")
				}
			}
			got := get("opened.net/settings")
			if got.StatusCode != http.StatusNotFound || got.Header.Get("Location") != "" || got.body != "not found\n" {
				t.Errorf("got %s to %q: %s", got.Status, got.Header.Get("Location"), got.body)
			}
			if r := w.decision(asked + 1); r["upstream"].(map[string]any)["error"] != "timeout" {
				t.Errorf("recorded: %v", r)
			}
		})
	}
}

// TestRedirect_settingsInAPage: Horde takes the servers out of a document with any root, a page's too, which begins like what streams.
func TestRedirect_settingsInAPage(t *testing.T) {
	const servers = `<html><emailProvider><incomingServer type="imap"><hostname>imap.` + stranger + `</hostname></incomingServer></emailProvider></html>`
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/mail/config-v1.1.xml":
					http.Redirect(rw, r, d.scheme+"://opened.net/"+r.URL.RawQuery, http.StatusFound)
				case "/settings":
					rw.Header().Set("Content-Type", "text/html")
					_ = http.NewResponseController(rw).Flush()
					_, _ = io.WriteString(rw, servers)
				case "/page":
					_, _ = io.WriteString(rw, "<html>https://"+stranger+"/</html>")
				}
			}, governed(labAtHoster(t)))
			client := d.client(w)
			get := func(url string) reply { return send(t, client, request(t, http.MethodGet, d.scheme+"://"+url, "")) }
			for place, want := range map[string]string{"settings": "refuse", "page": ""} {
				if got := get("autodiscover.lab.test/mail/config-v1.1.xml?" + place); got.StatusCode != http.StatusFound {
					t.Fatalf("the redirect: %s", got.Status)
				}
				got := get("opened.net/" + place)
				if refused := strings.Contains(got.body, `<emailProvider id="lab.test">`); refused != (want == "refuse") || strings.Contains(got.body, stranger) == refused {
					t.Errorf("%s: %s", place, got.body)
				}
			}
		})
	}
}

// TestRedirect_question: what is asked at the place may look like discovery and not say whose, as Outlook's look-up without a log-in does. It is whose it was.
func TestRedirect_question(t *testing.T) {
	policy := labAtHoster(t)
	const path, away = "/autodiscover/autodiscover.xml", "https://autodiscover." + stranger + "/autodiscover/autodiscover.xml"
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
				if r.Host == "opened.net" {
					http.Redirect(rw, r, away, http.StatusFound)
					return
				}
				http.Redirect(rw, r, d.scheme+"://opened.net"+path, http.StatusFound)
			}, governed(policy))
			client := d.client(w)
			for _, c := range []struct{ host, login, want string }{
				{"opened.net", "", away}, // nobody was sent there
				{"autodiscover.lab.test", "", d.scheme + "://opened.net" + path},
				{"opened.net", "", ""},
				{"opened.net", "user@lab.test:secret", ""},
				{"opened.net", "user@shop.com:secret", away},
			} {
				r := request(t, http.MethodGet, d.scheme+"://"+c.host+path, "")
				if c.login != "" {
					r.Header.Set("Authorization", "Basic "+encoded(c.login))
				}
				if got := send(t, client, r); got.Header.Get("Location") != c.want {
					t.Errorf("%s as %q: %s to %q, want %q", c.host, c.login, got.Status, got.Header.Get("Location"), c.want)
				}
			}
			if r := w.decision(3); r["action"] != "refuse" || r["dialect"] != "pox" || r["host"] != "opened.net" || r["rule"] != "lab" {
				t.Errorf("recorded: %v", r)
			}
		})
	}
}

// TestRedirect_sharedAddress: behind one address are many clients, and the place may be a web site. What a browser opens there, and what somebody asks who logs in
// as nobody guarded, is what it was; what the client that was sent there asks is judged.
func TestRedirect_sharedAddress(t *testing.T) {
	policy := labAtHoster(t)
	const away, session = "https://sign-in." + stranger + "/", `{"capabilities":{},"apiUrl":"https://api.` + stranger + `/"}`
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
				switch r.Host + r.URL.Path {
				case "autodiscover.lab.test/mail/config-v1.1.xml": // a web server that answers to every name
					http.Redirect(rw, r, d.scheme+"://imap.lab.test/", http.StatusFound)
				case "imap.lab.test/":
					http.Redirect(rw, r, away, http.StatusFound)
				case "lab.test/.well-known/jmap":
					http.Redirect(rw, r, d.scheme+"://opened.net/session", http.StatusFound)
				case "opened.net/session":
					_, _ = io.WriteString(rw, session)
				}
			}, governed(policy))
			client := d.client(w)
			get := func(url, field, value string) reply {
				r := request(t, http.MethodGet, d.scheme+"://"+url, "")
				if field != "" {
					r.Header.Set(field, value)
				}
				return send(t, client, r)
			}
			get("autodiscover.lab.test/mail/config-v1.1.xml?emailaddress=user@lab.test", "", "")
			get("lab.test/.well-known/jmap", "Authorization", "Basic "+encoded("user@lab.test:secret"))

			if got := get("imap.lab.test/", "Upgrade-Insecure-Requests", "1"); got.Header.Get("Location") != away {
				t.Errorf("a browser: %s to %q", got.Status, got.Header.Get("Location"))
			}
			if got := get("opened.net/session", "Authorization", "Basic "+encoded("user@shop.com:secret")); got.body != session {
				t.Errorf("somebody else's session: %s: %s", got.Status, got.body)
			}
			if got := get("imap.lab.test/", "", ""); got.Header.Get("Location") != "" {
				t.Errorf("the client that was sent there: to %q", got.Header.Get("Location"))
			}
			if got := get("opened.net/session", "Authorization", "Basic "+encoded("user@lab.test:secret")); strings.Contains(got.body, stranger) {
				t.Errorf("the session of whoever was sent there: %s", got.body)
			}
		})
	}
}

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
