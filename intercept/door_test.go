package intercept_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// spy keeps what upstream was asked, raw.
type spy struct {
	asked atomic.Int64
	last  atomic.Pointer[string]
	next  http.HandlerFunc
}

func (s *spy) handle(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	raw, _ := httputil.DumpRequest(r, true)
	text := string(raw)
	s.last.Store(&text)
	s.next(w, r)
}

// heard is the last request, or "" before the first one.
func (s *spy) heard() string {
	if text := s.last.Load(); text != nil {
		return *text
	}
	return ""
}

func TestDoors_everyOutcome(t *testing.T) {
	const account = "user@lab.test"
	cases := []struct {
		name   string
		asks   func(tb testing.TB, scheme string) *http.Request
		says   string
		action string
		asked  int64
		status int
		want   func(body string) bool
	}{
		{
			"an account that nobody guards passes",
			func(tb testing.TB, scheme string) *http.Request { return ask(tb, scheme, "user@corp-mail.net") },
			suggest("user@corp-mail.net", stranger), "pass", 1, 200,
			func(body string) bool { return body == suggest("user@corp-mail.net", stranger) },
		},
		{
			"a guarded account's own host passes",
			func(tb testing.TB, scheme string) *http.Request { return ask(tb, scheme, account) },
			suggest(account, "imap.lab.test"), "pass", 1, 200,
			func(body string) bool { return body == suggest(account, "imap.lab.test") },
		},
		{
			"a stranger beside it is taken out",
			func(tb testing.TB, scheme string) *http.Request { return ask(tb, scheme, account) },
			suggest(account, "imap.lab.test", stranger), "edit", 1, 200,
			func(body string) bool {
				return strings.Contains(body, "imap.lab.test") && !strings.Contains(body, stranger)
			},
		},
		{
			"the incident is refused",
			func(tb testing.TB, scheme string) *http.Request { return ask(tb, scheme, "email@example.com") },
			suggest("email@example.com", stranger), "refuse", 1, 200,
			func(body string) bool { return body == suggest("email@example.com") },
		},
		{
			"a host of the forbidden space is never dialled",
			func(tb testing.TB, scheme string) *http.Request {
				return poxAsk(tb, scheme+"://"+docHost+poxPath, "email@example.com")
			},
			"", "refuse", 0, 200,
			func(body string) bool { return strings.Contains(body, "<ErrorCode>") },
		},
	}
	for _, door := range everyDoor {
		for _, c := range cases {
			t.Run(door.name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				s := &spy{next: jsonAnswer(c.says)}
				w := newWorld(t, s.handle)
				got := send(t, door.client(w), c.asks(t, door.scheme))
				if got.StatusCode != c.status || !c.want(got.body) || got.err != nil {
					t.Errorf("got %d %q %v", got.StatusCode, got.body, got.err)
				}
				if got.ContentLength != int64(len(got.body)) {
					t.Errorf("got Content-Length %d for %d bytes", got.ContentLength, len(got.body))
				}
				if n := s.asked.Load(); n != c.asked {
					t.Errorf("upstream was asked %d times, want %d", n, c.asked)
				}
				record := w.decision(1)
				if record["action"] != c.action || record["door"] != door.record || record["status"] != int64(c.status) {
					t.Errorf("got record %v, want action %s, door %s, status %d", record, c.action, door.record, c.status)
				}
				if record["bytes_out"] != int64(len(got.body)) {
					t.Errorf("got bytes_out %v for %d bytes", record["bytes_out"], len(got.body))
				}
				if w.decisions.Len() != 1 {
					t.Errorf("got %d records for one exchange", w.decisions.Len())
				}
			})
		}
	}
}

func TestScrub_noSecretReachesTheService(t *testing.T) {
	for _, door := range everyDoor {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			s := &spy{next: jsonAnswer(suggest("email@example.com"))}
			w := newWorld(t, s.handle)
			r := ask(t, door.scheme, "email@example.com")
			r.Header.Set("Cookie", "session="+password)
			r.Header.Set("Proxy-Authorization", "Basic "+password)
			r.Header.Set("X-New-Token", password)
			r.URL.RawQuery += "&password=" + password
			send(t, door.client(w), r)
			raw := s.heard()
			for _, secret := range []string{password, base64.StdEncoding.EncodeToString([]byte("email@example.com:" + password))} {
				if strings.Contains(raw, secret) {
					t.Errorf("upstream got %q in\n%s", secret, raw)
				}
			}
			if user := "Basic " + base64.StdEncoding.EncodeToString([]byte("email@example.com:")); !strings.Contains(raw, user) {
				t.Errorf("upstream was not told whom the question is about:\n%s", raw)
			}
			if !strings.Contains(raw, "app=outlookdesktopBasic") || !strings.Contains(raw, "Host: "+central) {
				t.Errorf("upstream was not asked the client's question:\n%s", raw)
			}
			c := w.decision(1)["credentials"].(map[string]any)
			if c["present"] != true || c["scheme"] != "basic" || c["forwarded"] != false {
				t.Errorf("got credentials %v", c)
			}
		})
	}
}

func TestForward_ownHostGetsTheQuestionWhole(t *testing.T) {
	for _, door := range everyDoor {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			s := &spy{next: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }}
			w := newWorld(t, s.handle)
			r := poxAsk(t, door.scheme+"://"+labHost+poxPath, "user@lab.test")
			auth := r.Header.Get("Authorization")
			send(t, door.client(w), r)
			raw := s.heard()
			if !strings.Contains(raw, auth) || !strings.Contains(raw, "<EMailAddress>user@lab.test</EMailAddress>") {
				t.Errorf("upstream got\n%s", raw)
			}
			if c := w.decision(1)["credentials"].(map[string]any); c["forwarded"] != true {
				t.Errorf("got credentials %v", c)
			}
		})
	}
}

func TestFront_refusesWhatIsNoRequestForAProxy(t *testing.T) {
	w := newWorld(t, func(http.ResponseWriter, *http.Request) { t.Error("upstream was asked") })
	for name, raw := range map[string]string{
		"origin form":           "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"https URL":             "GET https://" + bank + "/ HTTP/1.1\r\nHost: " + bank + "\r\n\r\n",
		"userinfo":              "GET http://user:" + password + "@" + bank + "/ HTTP/1.1\r\nHost: " + bank + "\r\n\r\n",
		"CONNECT without port":  "CONNECT " + bank + " HTTP/1.1\r\nHost: " + bank + "\r\n\r\n",
		"CONNECT empty port":    "CONNECT " + bank + ": HTTP/1.1\r\nHost: " + bank + "\r\n\r\n",
		"CONNECT port 0":        "CONNECT " + bank + ":0 HTTP/1.1\r\nHost: " + bank + "\r\n\r\n",
		"CONNECT port 65536":    "CONNECT " + bank + ":65536 HTTP/1.1\r\nHost: " + bank + "\r\n\r\n",
		"CONNECT user":          "CONNECT user@" + bank + ":443 HTTP/1.1\r\nHost: " + bank + "\r\n\r\n",
		"CONNECT path":          "CONNECT /rpc HTTP/1.1\r\nHost: " + bank + "\r\n\r\n",
		"CONNECT two dots":      "CONNECT bank..net:443 HTTP/1.1\r\nHost: " + bank + "\r\n\r\n",
		"CONNECT odd character": "CONNECT bank$.net:443 HTTP/1.1\r\nHost: " + bank + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := w.raw(t, raw)
			if got.StatusCode != http.StatusBadRequest || strings.Contains(got.body, password) {
				t.Errorf("got %d %q, want 400", got.StatusCode, got.body)
			}
		})
	}
}

func TestConnect_spellingsOfOneTarget(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"))
	for _, target := range []string{
		strings.ToUpper(central) + ":443", central + ".:443", "ＰＲＯＤ.autodetect.outlook.cloud.microsoft:443", "prod。autodetect.outlook.cloud.microsoft:443",
	} {
		c, err := w.tls(target, clientFor(central))
		if err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		if issuer := c.ConnectionState().PeerCertificates[0].Issuer.CommonName; issuer != "guard" {
			t.Errorf("%s: got a certificate of %q, want it opened", target, issuer)
		}
	}
}

func TestPlainDoor_judgesHostsThatAreNotOpened(t *testing.T) {
	s := &spy{next: jsonAnswer("")}
	w := newWorld(t, s.handle)
	got := send(t, w.client(false), poxAsk(t, "http://"+bank+poxPath, "email@example.com"))
	if got.StatusCode != 200 || !strings.Contains(got.body, "<ErrorCode>") || s.asked.Load() != 0 {
		t.Errorf("got %d %q, upstream asked %d times", got.StatusCode, got.body, s.asked.Load())
	}
	if record := w.decision(1); record["action"] != "refuse" || record["rule"] != "documentation" {
		t.Errorf("got record %v", record)
	}
}

func TestRefuse_keepsTheConnection(t *testing.T) {
	w := newWorld(t, jsonAnswer(""))
	c, err := w.connect(docHost + ":80")
	if err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat("x", 300<<10) // more than net/http drains by itself
	for range 2 {
		_, _ = io.WriteString(c, "POST "+poxPath+" HTTP/1.1\r\nHost: "+docHost+"\r\nContent-Type: text/xml\r\nExpect: 100-continue\r\nContent-Length: "+
			strconv.Itoa(len(body))+"\r\n\r\n")
		got := answer(t, c, "POST")
		if got.StatusCode != http.StatusContinue {
			t.Fatalf("got %s, want 100", got.Status)
		}
		_, _ = io.WriteString(c, body)
		if got = answer(t, c, "POST"); got.StatusCode != 200 || got.Close {
			t.Fatalf("got %s, close %v", got.Status, got.Close)
		}
	}
}
