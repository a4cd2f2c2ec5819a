package lab_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"html"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"

	"github.com/google/go-cmp/cmp"
)

var suggested = map[string][]string{
	"email@example.com":    {"imap imapgms.jnet.sei.co.jp 993", "smtp smtpgms.jnet.sei.co.jp 465"},
	"Bob@EXAMPLE.com.":     {"imap imapgms.jnet.sei.co.jp 993", "smtp smtpgms.jnet.sei.co.jp 465"},
	"bob@lab.test":         {"imap mail.lab.test 993", "imap imap.stranger.net 993", "smtp mail.lab.test 465"},
	"bob@corp.example.net": {"imap imap.corp.example.net 993", "smtp smtp.corp.example.net 465"},
	`"a@b" <c>@gmx.de`:     {"imap imap.gmx.de 993", "smtp smtp.gmx.de 465"},
}

func readAutoDetect(t *testing.T, body []byte) (address string, servers []string) {
	t.Helper()
	var d struct {
		Email     string
		Protocols []struct {
			Protocol, Hostname string
			Port               int
		}
	}
	if err := json.Unmarshal(body, &d); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	for _, p := range d.Protocols {
		servers = append(servers, p.Protocol+" "+p.Hostname+" "+strconv.Itoa(p.Port))
	}
	return d.Email, servers
}

func TestAutoDetect_suggests(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			_, client := startHTTPS(t, lab.AutoDetect(), http2, lab.AutoDetectHost)
			for address, want := range suggested {
				r, err := lab.AskAutoDetect(t.Context(), address, "hunter2")
				if err != nil {
					t.Fatal(err)
				}
				resp, body := send(t, client, r)
				if resp.ProtoMajor != map[bool]int{false: 1, true: 2}[http2] {
					t.Errorf("got %s", resp.Proto)
				}
				email, got := readAutoDetect(t, body)
				if d := cmp.Diff(want, got); d != "" || email != address {
					t.Errorf("%s: email %q, servers (-want +got):\n%s", address, email, d)
				}
			}
		})
	}
}

func TestAutoDetect_gives_the_incident_on_the_wire(t *testing.T) {
	t.Parallel()
	_, client := startHTTPS(t, lab.AutoDetect(), true, lab.AutoDetectHost)
	r, err := lab.AskAutoDetect(t.Context(), lab.IncidentAddress, lab.IncidentSecret)
	if err != nil {
		t.Fatal(err)
	}
	resp, body := send(t, client, r)
	want := lab.Incident()
	resp.Header.Del("Date")
	want.Header.Set("Content-Length", strconv.Itoa(len(want.Body)))
	if d := cmp.Diff(want, lab.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}); d != "" {
		t.Errorf("answer (-want +got):\n%s", d)
	}
}

func TestAutoDetect_reads_every_carrier_and_no_password(t *testing.T) {
	t.Parallel()
	_, client := startHTTPS(t, lab.AutoDetect(), false, lab.AutoDetectHost)
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	const address = "bob@corp.example.net"
	var first []byte
	for _, c := range []struct{ path, field, value string }{
		{"/autodetect/detect", "Authorization", basic(address + ":one")},
		{"/detect?services=none", "Authorization", basic(address + ":another:one")},
		{"/detect", "Authorization", basic(address)},
		{"/detect", "Authorization", "basic " + strings.TrimRight(basic(address)[6:], "=")},
		{"/detect", "X-Email", address},
	} {
		r := newRequest(t, http.MethodGet, "https://"+lab.AutoDetectHost+c.path, nil)
		r.Header.Set(c.field, c.value)
		resp, body := send(t, client, r)
		resp.Header.Del("Date")
		got := []byte(resp.Status + "\n")
		for _, name := range []string{"X-Debug-Support", "X-Feedback-Token", "X-Provider-Id"} {
			got = append(got, resp.Header.Get(name)+"\n"...)
		}
		got = append(got, body...)
		if first == nil {
			first = got
		}
		if d := cmp.Diff(string(first), string(got)); d != "" || resp.StatusCode != http.StatusOK {
			t.Errorf("%v: answers differ (-first +this):\n%s", c, d)
		}
	}
}

func TestAutoDetect_without_an_account_or_elsewhere(t *testing.T) {
	t.Parallel()
	_, client := startHTTPS(t, lab.AutoDetect(), true, lab.AutoDetectHost)
	for path, want := range map[string]int{"/detect": http.StatusBadRequest, "/": http.StatusNotFound, "/x/detect": http.StatusNotFound} {
		if resp, _ := send(t, client, newRequest(t, http.MethodGet, "https://"+lab.AutoDetectHost+path, nil)); resp.StatusCode != want {
			t.Errorf("%s: got %s, want %d", path, resp.Status, want)
		}
	}
}

type poxDocument struct {
	XMLName  xml.Name
	Response struct {
		XMLName xml.Name
		User    struct{ DisplayName string }
		Account struct {
			AccountType, Action string
			Protocol            []struct {
				Type, Server                                      string
				Port                                              int
				LoginName, DomainRequired, SPA, SSL, AuthRequired string
			}
		}
		Error struct {
			Time      string `xml:",attr"`
			ID        string `xml:"Id,attr"`
			ErrorCode int
			Message   string
		}
	}
}

// askPOX is the first question of an Exchange client (MS-OXDSCLI, section 2.2.3).
func askPOX(t *testing.T, url, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">`+
		`<Request><EMailAddress>`+html.EscapeString(address)+`</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	return r
}

func TestPOX_suggests(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			_, client := startHTTPS(t, lab.POX(), http2, "autodiscover.example.com")
			for address, want := range suggested {
				resp, body := send(t, client, askPOX(t, "https://autodiscover.example.com/AutoDiscover/AutoDiscover.XML", address))
				var d poxDocument
				if err := xml.Unmarshal(body, &d); err != nil {
					t.Fatalf("%s: %v in %s", address, err, body)
				}
				if d.XMLName.Space != "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006" ||
					d.Response.XMLName.Space != "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a" ||
					resp.Header.Get("Content-Type") != "text/xml; charset=utf-8" {
					t.Errorf("got %s and %v in\n%s", resp.Status, resp.Header, body)
				}
				var got []string
				for _, p := range d.Response.Account.Protocol {
					got = append(got, strings.ToLower(p.Type)+" "+p.Server+" "+strconv.Itoa(p.Port))
					if p.LoginName != address || p.DomainRequired != "off" || p.SPA != "off" || p.SSL != "on" || p.AuthRequired != "on" {
						t.Errorf("%s: got protocol %+v", address, p)
					}
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%s: servers (-want +got):\n%s", address, d)
				}
			}
		})
	}
}

func TestPOX_does_not_depend_on_the_password(t *testing.T) {
	t.Parallel()
	_, client := startHTTPS(t, lab.POX(), true, "autodiscover.lab.test")
	var bodies []string
	for _, secret := range []string{"", "hunter2", "correct horse"} {
		r := askPOX(t, "https://autodiscover.lab.test"+lab.POXPath, "bob@lab.test")
		if secret != "" {
			r.SetBasicAuth("bob@lab.test", secret)
		}
		_, body := send(t, client, r)
		bodies = append(bodies, string(body))
	}
	if bodies[0] != bodies[1] || bodies[1] != bodies[2] {
		t.Errorf("answers differ: %q", bodies)
	}
}

func TestPOX_refuses(t *testing.T) {
	t.Parallel()
	_, client := startHTTPS(t, lab.POX(), false, "autodiscover.example.com")
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		code               int
	}{
		"another method":  {http.MethodGet, lab.POXPath, "", http.StatusNotFound, 0},
		"another path":    {http.MethodPost, "/autodiscover", "", http.StatusNotFound, 0},
		"no document":     {http.MethodPost, lab.POXPath, "hello", http.StatusOK, 600},
		"no account":      {http.MethodPost, lab.POXPath, "<Autodiscover><Request/></Autodiscover>", http.StatusOK, 600},
		"too long a body": {http.MethodPost, lab.POXPath, strings.Repeat(" ", 1<<20+10), http.StatusRequestEntityTooLarge, 0},
	} {
		resp, body := send(t, client, newRequest(t, c.method, "https://autodiscover.example.com"+c.path, strings.NewReader(c.body)))
		if resp.StatusCode != c.status {
			t.Errorf("%s: got %s, want %d", name, resp.Status, c.status)
		}
		var d poxDocument
		if c.code != 0 && (xml.Unmarshal(body, &d) != nil || d.Response.Error.ErrorCode != c.code) {
			t.Errorf("%s: got %s, want error %d", name, body, c.code)
		}
	}
}
