package intercept_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/elazarl/goproxy"

	"autodiscover-guard/intercept"
)

// tap is an upstream that keeps every byte it is sent, without its TLS.
type tap struct {
	mu  sync.Mutex
	raw bytes.Buffer
}

type tapped struct {
	net.Conn
	tap *tap
}

// Read implements net.Conn.
func (c tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.tap.mu.Lock()
	defer c.tap.mu.Unlock()
	c.tap.raw.Write(b[:n])
	return n, err
}

type tapListener struct {
	net.Listener
	tap *tap
}

// Accept implements net.Listener.
func (l tapListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tapped{c, l.tap}, nil
}

func (t *tap) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.raw.String()
}

// lead makes an option that leads the hosts to the tap, which answers like upstream. It speaks HTTP/1: HTTP/2 hides text in its compression.
func (t *tap) lead(tb testing.TB, upstream http.HandlerFunc, hosts ...string) option {
	tb.Helper()
	return func(c *intercept.Config, _ *proxyServer, w *world) {
		for _, port := range []string{":80", ":443"} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				tb.Fatal(err)
			}
			addr := l.Addr().String()
			if port == ":443" {
				l = tls.NewListener(l, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
					return w.web.Leaf(hello.ServerName)
				}})
			}
			s := &http.Server{Handler: upstream}
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = s.Serve(tapListener{l, t})
			}()
			tb.Cleanup(func() {
				_ = s.Close()
				<-done
			})
			for _, host := range hosts {
				c.Upstream.Resolve[host+port] = addr
			}
		}
	}
}

// spellings are the forms in which a secret could be found again: as it is, and the middle of its base64 at every offset.
func spellings(secret string) []string {
	all := []string{secret, strings.ToUpper(secret), fmt.Sprintf("%x", secret), percent(secret)}
	for offset := range 3 {
		coded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + secret))
		all = append(all, coded[4:len(coded)-4])
	}
	return all
}

// checkAbsent checks that no form of a secret is in the text.
func checkAbsent(t *testing.T, where, text, secret string) {
	t.Helper()
	for _, form := range spellings(secret) {
		if i := strings.Index(text, form); i >= 0 {
			t.Errorf("%s: %s has %q: %q", secret, where, form, text[max(0, i-200):min(len(text), i+200)])
			return
		}
	}
}

func basicAuth(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }

func jwtAbout(account, secret string) string {
	part := func(v any) string {
		text, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	return part(map[string]string{"alg": "none"}) + "." + part(map[string]string{"upn": account, "sid": secret}) + "." + secret
}

// secretCarriers are the ways to carry a secret in a request about an account, which the request names already.
var secretCarriers = []struct {
	name string
	put  func(r *http.Request, account, secret string)
}{
	{"basic", func(r *http.Request, account, secret string) {
		r.Header.Set("Authorization", basicAuth(account+":"+secret))
	}},
	{"basicuser", func(r *http.Request, _, secret string) { r.Header.Set("Authorization", basicAuth(`CORP\john:`+secret)) }},
	{"basicalone", func(r *http.Request, _, secret string) { r.Header.Set("Authorization", basicAuth(secret)) }},
	{"basictwice", func(r *http.Request, account, secret string) {
		r.Header["Authorization"] = []string{basicAuth(account), basicAuth(account + ":" + secret), secret}
	}},
	{"bearer", func(r *http.Request, account, secret string) {
		r.Header.Set("Authorization", "Bearer "+jwtAbout(account, secret))
	}},
	{"opaque", func(r *http.Request, _, secret string) { r.Header.Set("Authorization", "Bearer "+secret) }},
	{"ntlm", func(r *http.Request, _, secret string) {
		r.Header.Set("Authorization", "NTLM "+base64.StdEncoding.EncodeToString([]byte("NTLMSSP\x00"+secret)))
	}},
	{"negotiate", func(r *http.Request, _, secret string) {
		r.Header.Set("Authorization", "Negotiate "+base64.StdEncoding.EncodeToString([]byte(secret)))
	}},
	{"digest", func(r *http.Request, account, secret string) {
		r.Header.Set("Authorization", fmt.Sprintf(`Digest username="%s", realm="x", nonce="y", uri="/", cnonce="%s", response="%s"`, account, secret, secret))
	}},
	{"bare", func(r *http.Request, _, secret string) { r.Header.Set("Authorization", secret) }},
	{"cookie", func(r *http.Request, _, secret string) { r.Header.Set("Cookie", "session="+secret+"; "+secret+"=1") }},
	{"proxybasic", func(r *http.Request, account, secret string) {
		r.Header.Set("Proxy-Authorization", basicAuth(account+":"+secret))
	}},
	{"proxybearer", func(r *http.Request, _, secret string) { r.Header.Set("Proxy-Authorization", "Bearer "+secret) }},
	{"password", func(r *http.Request, _, secret string) { r.URL.RawQuery += "&password=" + secret }},
	{"token", func(r *http.Request, _, secret string) { r.URL.RawQuery += "&token=" + secret + "&" + secret }},
	{"unknown", func(r *http.Request, _, secret string) {
		r.URL.RawQuery += "&x%41=" + percent(secret) + "&" + secret + "=1"
	}},
	{"semicolon", func(r *http.Request, _, secret string) { r.URL.RawQuery += "&version=1;password=" + secret }},
	{"body", func(r *http.Request, _, secret string) { setBody(r, `{"password":"`+secret+`"}`) }},
	{"trailer", func(r *http.Request, _, secret string) {
		setBody(r, "{}")
		r.ContentLength = -1
		r.Trailer = http.Header{"X-Sum": {secret}, "X-Token": {basicAuth("a:" + secret)}}
	}},
	{"field", func(r *http.Request, _, secret string) {
		r.Header["X-Auth-Token"] = []string{secret}
		r.Header["X-Api-Key"] = []string{basicAuth("a@example.com:" + secret)}
		r.Header["X-"+secret] = []string{"1"}
	}},
	{"referer", func(r *http.Request, _, secret string) {
		r.Header.Set("Referer", "https://example.com/?password="+secret)
		r.Header.Set("Origin", "https://"+secret+".example.com")
	}},
}

func setBody(r *http.Request, text string) {
	r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader(text)), int64(len(text))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

// secretAsks are the questions that carry the secrets: of the central service, which is asked without them, and of a host that nobody asks.
var secretAsks = []struct {
	name, account string
	ask           func(tb testing.TB, scheme, account string) *http.Request
}{
	{"central", "mailbox.name@example.com", askCentral},
	{"central, private use", "mailbox.name@lab.test", askCentral},
	{"its own host", "mailbox.name@example.com", func(tb testing.TB, scheme, account string) *http.Request {
		tb.Helper()
		r := poxAsk(tb, scheme+"://"+docHost+poxPath+"?Email="+account, account)
		r.Header.Del("Authorization")
		r.Header.Set("X-User-Identity", account)
		return r
	}},
	{"its own host at an odd place", "mailbox.name@example.com", func(tb testing.TB, scheme, account string) *http.Request {
		tb.Helper()
		return request(tb, http.MethodPost, scheme+"://"+docHost+"/odd?Email="+account, "")
	}},
}

func askCentral(tb testing.TB, scheme, account string) *http.Request {
	tb.Helper()
	r := ask(tb, scheme, account)
	r.Header.Del("Authorization")
	r.Header.Set("X-Email", account)
	return r
}

func TestSecret_neverLeavesThroughUpstreamLogOrPage(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"settings": jsonAnswer(suggest("", "imap.lab.test", stranger)),
		"challenge": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Www-Authenticate"] = []string{"NTLM", "Negotiate", `Digest realm="x", nonce="y"`, "Basic"}
			w.WriteHeader(http.StatusUnauthorized)
		},
		"break": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for _, door := range everyDoor {
		for _, to := range secretAsks {
			for name, upstream := range answers {
				t.Run(door.name+"/"+to.name+"/"+name, func(t *testing.T) {
					t.Parallel()
					var j journal
					var up tap
					w := newWorld(t, upstream, j.keep, up.lead(t, upstream, central, docHost, labHost))
					client := door.client(w)
					var pages strings.Builder
					for _, c := range secretCarriers {
						r := to.ask(t, door.scheme, to.account)
						c.put(r, to.account, "secret0"+c.name+"0ofmine")
						got := send(t, client, r)
						_ = got.Header.Write(&pages)
						pages.WriteString(got.body)
					}
					w.stop(client)
					decisions, life := j.text()
					for _, c := range secretCarriers {
						secret := "secret0" + c.name + "0ofmine"
						checkAbsent(t, "upstream", up.text(), secret)
						checkAbsent(t, "the decision log", decisions, secret)
						checkAbsent(t, "the life-cycle log", life, secret)
						checkAbsent(t, "a page", pages.String(), secret)
					}
					checkAbsent(t, "a log", decisions+life, "mailbox.name")
					checkLines(t, &j, len(secretCarriers))
					if n := strings.Count(up.text(), " HTTP/1.1\r\n"); (n > 0) == strings.HasPrefix(to.name, "its own host") {
						t.Errorf("upstream was asked %d times", n)
					}
				})
			}
		}
	}
}

// Whatever panics in somebody else's handler may hold the whole exchange in its value.
func TestSecret_panicHoldsTheExchange(t *testing.T) {
	for _, door := range everyDoor {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			var j journal
			w := newWorld(t, jsonAnswer("{}"), j.keep, onRequest(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
				panic(fmt.Errorf("cannot read %v of %s", r.Header, r.URL))
			}))
			client := door.client(w)
			r := askCentral(t, door.scheme, "mailbox.name@corp-mail.net")
			r.Header.Set("Cookie", password)
			got := send(t, client, r)
			w.stop(client)
			decisions, life := j.text()
			for _, secret := range []string{password, "mailbox.name"} {
				checkAbsent(t, "a log", decisions+life, secret)
				checkAbsent(t, "the page", got.body, secret)
			}
			if !strings.Contains(life, "recovered from a panic") || !strings.Contains(life, "secret_test.go") {
				t.Errorf("nobody learns of the panic and its place: %s", life)
			}
		})
	}
}

// An answer names mailboxes in many places; records name domains.
func TestSecret_mailboxesInAnswers(t *testing.T) {
	const local, secret = "mailbox.name", "hunter2hunter2"
	element := func(name, value string) string { return "<" + name + ">" + value + "</" + name + ">" }
	var values []string
	for _, host := range []string{"example.com", "corp-mail.net"} {
		address := local + "@" + host
		values = append(values,
			address, "SMTP:"+address, local+"%40"+host, "<"+address+">", `"`+local+` jr"@`+host, address+"?password="+secret, address+" "+address,
			"https://h.net/?MailboxId="+address, "https://h.net/mapi/?mailboxid="+local+"%40"+host+"&amp;password="+secret, "https://h.net/#"+local,
			"https://"+local+":"+secret+"@"+host+"/x", "https://h.net/owa/"+address+"/", "https://h.net/owa/"+local+"%2540"+host, "h.net?password="+secret,
			"//"+address, "https:/"+address, "/o=x/cn=Configuration/cn=Servers/cn="+address, "msstd:"+address, "h.net:443/"+address, "h.net#"+local,
			address+":"+secret, "https://h.net/"+address+":"+secret+"/x", "https://h.net/;jsessionid="+secret+"/x;"+secret,
		)
	}
	for _, door := range everyDoor {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			var j journal
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				var all strings.Builder
				w.Header().Set("Location", "https://"+stranger+"/a/"+local+"@example.com?Email="+local+"@example.com&password="+secret)
				for _, v := range values {
					for _, name := range []string{"RedirectAddr", "RedirectUrl", "Server", "EwsUrl", "SmtpAddress", "AutoDiscoverSMTPAddress", "MdbDN", "CertPrincipalName", "Other"} {
						all.WriteString(element(name, strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(v)))
					}
				}
				if strings.Contains(r.URL.Path, "detect") {
					quoted, _ := json.Marshal(values)
					jsonAnswer(`{"email":"`+local+`@example.com","hostname":`+string(quoted)+`,"`+local+`@x.net":{"url":"https://h.net"}}`)(w, r)
					return
				}
				all.WriteString(element("RedirectAddr", local) + element("SmtpAddress", local)) // a server of that name would be one
				w.Header().Set("Content-Type", "text/xml; charset=utf-8")
				if r.URL.Query().Get("timeout") == "302" {
					w.WriteHeader(http.StatusFound)
				}
				_, _ = io.WriteString(w, "<Autodiscover><Response><Account>"+all.String()+"</Account></Response></Autodiscover>")
			}, j.keep)
			client := door.client(w)
			n := 0
			for _, account := range []string{local + "@example.com", local + "@lab.test", local + "@corp-mail.net", `"` + local + ` jr"@corp-mail.net`} {
				for _, target := range []string{labHost, "opened.net"} {
					for _, query := range []string{"", "?timeout=302&Email=" + percent(account), "?domain=" + percent(account)} {
						send(t, client, poxAsk(t, door.scheme+"://"+target+"/"+percent(account)+poxPath+query, account))
						n++
					}
				}
				send(t, client, ask(t, door.scheme, account))
				n++
			}
			w.stop(client)
			decisions, life := j.text()
			checkAbsent(t, "a log", decisions+life, local)
			checkAbsent(t, "a log", decisions+life, secret)
			if !strings.Contains(decisions, `"was":"example.com"`) || !strings.Contains(decisions, `"was":"https://h.net/owa/example.com/"`) {
				t.Errorf("the records say nothing any more:\n%.3000s", decisions)
			}
			if lines := strings.Count(decisions, "\n"); lines != n {
				t.Errorf("got %d records, want %d", lines, n)
			}
		})
	}
}
