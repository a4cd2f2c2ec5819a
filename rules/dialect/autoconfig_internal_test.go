package dialect

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asks is a GET of rawURL.
func asks(t *testing.T, rawURL string) Request {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return Request{Method: "GET", URL: u, Header: Header{}}
}

func TestAutoconfig_recognise(t *testing.T) {
	for path, want := range map[string]bool{
		"/mail/config-v1.1.xml":                                    true,
		"/Mail//Config-V1.1.XML":                                   true,
		"/mail/config%2Dv1.1.xml":                                  true,
		"/mail/./config-v1.1.xml;x=1":                              true,
		"/mail/config-v1.2.xml":                                    true,
		"/mail/config-v10.25.xml/":                                 true,
		"/v1.1/mail/config-v1.1.xml":                               true,
		"/.well-known/autoconfig/mail/config-v1.1.xml":             true,
		"/.WELL-KNOWN/autoconfig/mail/config-v1.1.xml?email=a@b.c": true,
		"/.well-known/mail-v1.xml":                                 true,
		"/.well-known/mail-v1.1.xml":                               false,
		"/.well-known/v1.1/mail/config-v1.1.xml":                   false,
		"/mail/config-v1.xml":                                      false,
		"/mail/config-v1..xml":                                     false,
		"/mail/config-v1.1.1.xml":                                  false,
		"/mail/config-v.1.xml":                                     false,
		"/mail/config-v1.1.json":                                   false,
		"/mail/config-v1.1":                                        false,
		"/x/mail/config-v1.1.xml":                                  false,
		"/v1.1/v1.1/mail/config-v1.1.xml":                          false,
		"/":                                                        false,
	} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			r := asks(t, "https://autoconfig.lab.test"+path)
			r.Method = method
			q, ok := Recognise(r)
			if got := ok && q.Dialect == Autoconfig; got != want {
				t.Errorf("%s %s: %v, want %v", method, path, got, want)
			}
		}
	}
}

func TestAskedDomain(t *testing.T) {
	for _, c := range []struct {
		name, url, want string
	}{
		{"label and host", "https://autoconfig.example.com/mail/config-v1.1.xml", "example.com"},
		{"address before host", "https://autoconfig.hoster.net/mail/config-v1.1.xml?emailaddress=u%40example.com", "example.com"},
		{"nobody", "http://198.51.100.7/mail/config-v1.1.xml", "invalid"},
		{"path", "https://v1.ispdb.net/Example.COM", "example.com"},
	} {
		q, ok := Recognise(asks(t, c.url))
		if got := askedDomain(q.Subjects); !ok || got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRefuseConfig_golden(t *testing.T) {
	want := `<?xml version="1.0" encoding="utf-8"?><clientConfig version="1.1"><emailProvider id="example.com"><domain>example.com</domain>` +
		`<displayName>example.com</displayName></emailProvider></clientConfig>`
	q, _ := Recognise(asks(t, "https://autoconfig.example.com/mail/config-v1.1.xml"))
	for _, id := range []ID{Autoconfig, ISPDB} {
		for _, method := range []string{"GET", "HEAD"} {
			q.Dialect, q.Request.Method = id, method
			a := Refuse(q)
			if a.Status != 200 || a.Header.Get("Content-Type") != "text/xml; charset=utf-8" {
				t.Errorf("%v: %d %v", id, a.Status, a.Header)
			}
			if diff := cmp.Diff(want, string(a.Body)); diff != "" {
				t.Errorf("%v (-want +got):\n%s", id, diff)
			}
		}
		q.Request.Method = "POST"
		if a := Refuse(q); a.Status != 404 || len(a.Body) != 0 {
			t.Errorf("%v: POST answered %d %q", id, a.Status, a.Body)
		}
	}
}

func TestRefuseConfig_escapes(t *testing.T) {
	q := Inquiry{Dialect: Autoconfig, Subjects: []Subject{{Domain: `a"><b>&c`}}, Request: Request{Method: "GET"}}
	if a := Refuse(q); strings.Contains(string(a.Body), "<b>") || strings.Contains(string(a.Body), `a"`) {
		t.Errorf("%s", a.Body)
	}
}

// TestRefuseConfig_isNoSettings: our own refusal is read as one, or it would be judged as a document.
func TestRefuseConfig_isNoSettings(t *testing.T) {
	q, _ := Recognise(asks(t, "https://autoconfig.example.com/mail/config-v1.1.xml"))
	if _, err := Read(q, Refuse(q)); !errors.Is(err, ErrNoSettings) {
		t.Error(err)
	}
}

func TestPlaceholders(t *testing.T) {
	user := []Subject{{Domain: "lab.test", Address: "Jane.Doe@lab.test"}, {Domain: "hoster.net", Carrier: "host"}}
	for _, c := range []struct {
		name, value, want string
		subjects          []Subject
	}{
		{"domain", "mail.%EMAILDOMAIN%", "mail.lab.test", user},
		{"only the domain", "%EMAILDOMAIN%", "lab.test", user},
		{"local part as a label", "%EMAILLOCALPART%.lab.test", "jane.doe.lab.test", user},
		{"local part without a dot", "x%EMAILLOCALPART%lab.test", "xjane.doelab.test", user},
		{"address", "%EMAILADDRESS%", "", user},
		{"address before a domain", "%EMAILADDRESS%.lab.test", "", user},
		{"asked of the user", "%SERVER%.lab.test", "", user},
		{"another case", "mail.%emaildomain%", "", user},
		{"percent-encoded", "mail%2Elab%2Etest", "", user},
		{"by the host alone", "mail.%EMAILDOMAIN%", "mail.lab.test", []Subject{{Domain: "lab.test"}}},
		{"local part unknown", "%EMAILLOCALPART%.lab.test", "", []Subject{{Domain: "lab.test"}}},
		{"two domains", "mail.%EMAILDOMAIN%", "", append([]Subject{{Domain: "other.test", Address: "jane@other.test"}}, user...)},
		{"two local parts", "%EMAILLOCALPART%.lab.test", "", append([]Subject{{Domain: "lab.test", Address: "john@lab.test"}}, user...)},
		{"local part that is no label", "%EMAILLOCALPART%.lab.test", "", []Subject{{Domain: "lab.test", Address: "a:1/b@lab.test"}}},
		{"nobody", "mail.%EMAILDOMAIN%", "", nil},
	} {
		p := placeholdersOf(c.subjects)
		if s, ok := p.host("", "", c.value); !ok || s.Host != c.want || s.Was != c.value {
			t.Errorf("%s: host %q of %q, want %q", c.name, s.Host, s.Was, c.want)
		}
		address := "https://" + c.value + "/dav/%EMAILADDRESS%?a=%EMAILDOMAIN%"
		if s, ok := p.url("", "", address); !ok || s.Was != address || s.Host != c.want && c.want != "" {
			t.Errorf("%s: host %q of URL %q, want %q", c.name, s.Host, s.Was, c.want)
		}
	}
}

// readLab reads a document that the lab's own host gave.
func readLab(t *testing.T, inner string) (*Document, error) {
	t.Helper()
	q, ok := Recognise(asks(t, "https://autoconfig.lab.test/mail/config-v1.1.xml?emailaddress=user%40lab.test"))
	if !ok {
		t.Fatal("not recognised")
	}
	return Read(q, Answer{Status: 200, Header: Header{"Content-Type": {"text/xml"}}, Body: []byte(inner)})
}

func TestReadConfig_hosts(t *testing.T) {
	for value, want := range map[string]string{
		"<hostname>imap.lab.test</hostname>":                       "imap.lab.test",
		"<hostname>\n IMAP.lab.test. </hostname>":                  "imap.lab.test",
		"<HostName><![CDATA[imap]]>.lab<!-- x -->.test</HostName>": "imap.lab.test",
		"<hostname>https://imap.stranger.net/</hostname>":          "imap.stranger.net",
		"<hostname>user@lab.test</hostname>":                       "",
		"<hostname>a b.lab.test</hostname>":                        "",
		"<url>//stranger.net/x</url>":                              "stranger.net",
		"<url>a//b</url>":                                          "",
		"<url>https://lab.test\\@stranger.net/</url>":              "",
		"<serverURL>https://dav.lab.test:8443/</serverURL>":        "dav.lab.test",
		"<x:url xmlns:x='urn:x'>wss://chat.lab.test/</x:url>":      "chat.lab.test",
		"<anything>https://stranger.net/</anything>":               "stranger.net",
		"<anything z='//stranger.net/'/>":                          "stranger.net",
	} {
		d, err := readLab(t, `<clientConfig><emailProvider id="lab.test"><incomingServer type="imap">`+value+`</incomingServer></emailProvider></clientConfig>`)
		if err != nil || len(d.Suggestions) != 1 || d.Suggestions[0].Host != want {
			t.Errorf("%s: %+v, %v", value, d.Suggestions, err)
		}
	}
}

func TestReadConfig_errors(t *testing.T) {
	for body, want := range map[string]error{
		`<clientConfig><emailProvider id="lab.test"/></clientConfig>`: ErrNoSettings,
		`<!doctype html><html><body>Not found<br></body></html>`:      ErrNoSettings,
		`<html/>`:                                ErrNoSettings,
		`404 page not found`:                     ErrNoSettings,
		` `:                                      ErrNoSettings,
		`{"clientConfig":{}}`:                    ErrUnreadable,
		`<clientConfig><incomingServer>`:         ErrUnreadable,
		`<!DOCTYPE clientConfig><clientConfig/>`: ErrUnreadable,
		`<x><clientConfig><incomingServer><hostname>a.b</hostname></incomingServer></clientConfig></x>`:               ErrUnreadable,
		`<clientConfig><incomingServer><hostname>a<b>b.c</b></hostname></incomingServer></clientConfig>`:              ErrUnreadable,
		`<clientConfig><incomingServer>https://b.c/<hostname>a.b</hostname></incomingServer></clientConfig>`:          ErrUnreadable,
		`<clientConfig><incomingServer><url><b>b.c</b></url><hostname>a.b</hostname></incomingServer></clientConfig>`: ErrUnreadable,
	} {
		if _, err := readLab(t, body); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", body, err, want)
		}
	}
}

// TestReadConfig_subjects: the domains that a document lists count only where the request names nobody.
func TestReadConfig_subjects(t *testing.T) {
	body := []byte(`<clientConfig><emailProvider id="hoster.net"><domain>example.com</domain><domain>%EMAILDOMAIN%</domain>` +
		`<incomingServer><hostname>imap.hoster.net</hostname></incomingServer></emailProvider></clientConfig>`)
	for address, want := range map[string]int{
		"https://autoconfig.hoster.net/mail/config-v1.1.xml": 0,
		"https://v1.ispdb.net/hoster.net":                    0,
		"http://198.51.100.7/mail/config-v1.1.xml":           2,
	} {
		q, _ := Recognise(asks(t, address))
		d, err := Read(q, Answer{Status: 200, Header: Header{"Content-Type": {"text/xml"}}, Body: body})
		if err != nil || len(d.Subjects) != want {
			t.Errorf("%s: %v, %v", address, d.Subjects, err)
		}
	}
}

// verdicts keeps what has the word in it and removes the rest, or rewrites it where now is given.
func verdicts(d *Document, keep, now string) []Suggestion {
	judged := append([]Suggestion(nil), d.Suggestions...)
	for i := range judged {
		switch s := &judged[i]; {
		case strings.Contains(s.Host, keep):
			s.Verdict, s.Now = Keep, s.Was
		case now != "":
			s.Verdict, s.Now = Rewrite, now
		default:
			s.Verdict = Remove
		}
	}
	return judged
}

func TestEditConfig(t *testing.T) {
	const mail = `<incomingServer type="imap"><hostname>imap.lab.test</hostname><port>993</port></incomingServer>`
	for _, c := range []struct{ name, inner, rest, now, want, wantRest string }{
		{"service without its host", mail + `<outgoingServer><hostname>smtp.stranger.net</hostname><port>25</port></outgoingServer>`, "", "", mail, ""},
		{"service with a foreign URL", mail + `<incomingServer><hostname>ex.lab.test</hostname><ewsURL>https://stranger.net/</ewsURL></incomingServer>`, "", "", mail, ""},
		{"page for people", mail + `<documentation url="https://stranger.net/"><descr>x</descr></documentation>`, "", "", mail, ""},
		{"page inside a service", `<incomingServer><hostname>a.lab.test</hostname><documentation url="https://stranger.net/"/></incomingServer>`, "", "", `<incomingServer><hostname>a.lab.test</hostname></incomingServer>`, ""},
		{"login page", mail, `<webMail><loginPage url="https://stranger.net/"/></webMail>`, "", mail, ""},
		{"attribute of the root element", mail, "", "", mail, ""},
		{"rewritten", mail + `<documentation url="https://stranger.net/"/>`, "", "https://lab.test/", mail + `<documentation url="https://lab.test/"/>`, ""},
	} {
		d, err := readLab(t, `<clientConfig update="https://stranger.net/" version="1.1"><emailProvider id="x"><domain>x</domain><domain purpose="mx">y</domain>`+c.inner+`</emailProvider>`+c.rest+`</clientConfig>`)
		if err != nil {
			t.Fatal(err)
		}
		a, err := d.Edit(verdicts(d, "lab.test", c.now))
		attribute := ""
		if c.now != "" {
			attribute = ` update="` + c.now + `"`
		}
		want := `<?xml version="1.0" encoding="utf-8"?><clientConfig` + attribute + ` version="1.1"><emailProvider id="lab.test"><domain>lab.test</domain>` + c.want + `</emailProvider>` + c.wantRest + `</clientConfig>`
		if diff := cmp.Diff(want, string(a.Body)); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, diff)
		}
	}
}

func TestEditConfig_nothingLeft(t *testing.T) {
	for _, inner := range []string{
		`<emailProvider><incomingServer><hostname>stranger.net</hostname></incomingServer></emailProvider><calendar><url>https://lab.test/</url></calendar>`,
		`<emailProvider><incomingServer><username>u</username></incomingServer><documentation url="https://lab.test/"/></emailProvider><addressBook><url>https://stranger.net/</url></addressBook>`,
	} {
		d, err := readLab(t, `<clientConfig>`+inner+`</clientConfig>`)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := d.Edit(verdicts(d, "lab.test", "")); !errors.Is(err, ErrNothingLeft) {
			t.Errorf("%s: %v: %s", inner, err, a.Body)
		}
	}
}

func TestComposeConfig_golden(t *testing.T) {
	a, err := Compose(Inquiry{Dialect: Autoconfig}, Settings{Address: "user@lab.test", DisplayName: "Lab", Servers: []Server{
		{Protocol: "smtp", Host: "mail.lab.test", Encryption: "starttls", Username: "u"},
		{Protocol: "imap", Host: "mail.lab.test", Auth: "OAuth2"},
		{Protocol: "pop3", Host: "mail.lab.test", Encryption: "none", Port: 1110},
		{Protocol: "carddav", Host: "dav.lab.test"},
		{Protocol: "ews", Host: "ex.lab.test", Auth: "NTLM"},
		{Protocol: "ews", Host: "ews.lab.test"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := `<?xml version="1.0" encoding="utf-8"?><clientConfig version="1.1"><emailProvider id="lab.test"><domain>lab.test</domain><displayName>Lab</displayName>` +
		`<incomingServer type="imap"><hostname>mail.lab.test</hostname><port>993</port><socketType>SSL</socketType><authentication>OAuth2</authentication><username>%EMAILADDRESS%</username></incomingServer>` +
		`<incomingServer type="pop3"><hostname>mail.lab.test</hostname><port>1110</port><socketType>plain</socketType><authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></incomingServer>` +
		`<outgoingServer type="smtp"><hostname>mail.lab.test</hostname><port>587</port><socketType>STARTTLS</socketType><authentication>password-cleartext</authentication><username>u</username></outgoingServer>` +
		`<incomingServer type="ews"><url>https://ex.lab.test/EWS/Exchange.asmx</url><authentication>NTLM</authentication><username>%EMAILADDRESS%</username></incomingServer>` +
		`<incomingServer type="ews"><url>https://ews.lab.test/EWS/Exchange.asmx</url><authentication system="http">Basic</authentication>` +
		`<authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></incomingServer>` +
		`</emailProvider><addressbook type="carddav"><url>https://dav.lab.test/.well-known/carddav</url><authentication system="http">Basic</authentication><username>%EMAILADDRESS%</username></addressbook></clientConfig>`
	if diff := cmp.Diff(want, string(a.Body)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
