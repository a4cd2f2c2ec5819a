package dialect

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const mobileRequest = `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006"><Request>` +
	`<EMailAddress>user@lab.test</EMailAddress></Request></Autodiscover>`

func mobilePost(t *testing.T, rawURL, body string) Request {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return Request{Method: "POST", URL: u, Header: Header{"Content-Type": {"text/xml"}}, Body: []byte(body)}
}

func mobileAnswer(action string) Answer {
	return Answer{Status: 200, Header: Header{"Content-Type": {"text/xml"}}, Body: []byte(
		`<Autodiscover xmlns="` + mobileFrame + `"><Response xmlns="` + mobileSchema + `"><Culture>en:us</Culture><User><EMailAddress>user@lab.test</EMailAddress></User>` +
			action + `</Response></Autodiscover>`,
	)}
}

func mobileSettings(hosts ...string) string {
	var out strings.Builder
	out.WriteString("<Action><Settings>")
	for _, h := range hosts {
		u := "https://" + h + "/Microsoft-Server-ActiveSync"
		out.WriteString("<Server><Type>MobileSync</Type><Url>" + u + "</Url><Name>" + u + "</Name></Server>")
	}
	return out.String() + "</Settings></Action>"
}

// TestMobileSync_recognisedByTheBody: the place is that of POX, and without a body the request is POX's, which asks for it.
func TestMobileSync_recognisedByTheBody(t *testing.T) {
	const place = "https://autodiscover.lab.test/autodiscover/autodiscover.xml"
	utf16 := []byte("\xff\xfe")
	for _, c := range []byte(mobileRequest) {
		utf16 = append(utf16, c, 0)
	}
	for name, c := range map[string]struct {
		url, body string
		want      ID
	}{
		"as published":     {place, mobileRequest, MobileSync},
		"upper case":       {"https://lab.test/AutoDiscover/AutoDiscover.XML", string(bytes.ToUpper([]byte(mobileRequest))), MobileSync},
		"UTF-16":           {place, string(utf16), MobileSync},
		"encoded path":     {"https://lab.test/autodiscover%2Fautodiscover.xml", mobileRequest, MobileSync},
		"no body yet":      {place, "", POX},
		"Outlook's schema": {place, "<Autodiscover xmlns='http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006'/>", POX},
		"another place":    {"https://lab.test/upload", mobileRequest, None},
		"the SOAP service": {"https://lab.test/autodiscover/autodiscover.svc", mobileRequest, SOAP},
	} {
		r := mobilePost(t, c.url, c.body)
		q, _ := Recognise(r)
		if q.Dialect != c.want {
			t.Errorf("%s: got %v, want %v", name, q.Dialect, c.want)
		}
		if c.want == MobileSync && !cmp.Equal(q.Subjects[len(q.Subjects)-1].Domain, "lab.test") {
			t.Errorf("%s: subjects %+v", name, q.Subjects)
		}
	}
	if !NeedsBody(mobilePost(t, place, "")) {
		t.Error("the body is not asked for")
	}
}

func TestMobileSyncEdit_serverGoesAsAWhole(t *testing.T) {
	q := Inquiry{Dialect: MobileSync, Request: mobilePost(t, "https://lab.test/autodiscover/autodiscover.xml", mobileRequest)}
	account := "<Account><AccountType>email</AccountType><Action>settings</Action><Protocol><Type>IMAP</Type><Server>%</Server></Protocol></Account>"
	with := func(host string) string { return string(bytes.ReplaceAll([]byte(account), []byte("%"), []byte(host))) }
	for name, c := range map[string]struct{ action, want string }{
		"one of two":                  {mobileSettings("mail.stranger.net", "mail.lab.test"), mobileSettings("mail.lab.test")},
		"the only one":                {mobileSettings("mail.stranger.net"), ""},
		"to another account":          {"<Action><Redirect>user@stranger.net</Redirect></Action>", ""},
		"to an account of its own":    {"<Action>\n<Redirect> jane@lab.test\n</Redirect></Action>", "<Action><Redirect>jane@lab.test</Redirect></Action>"},
		"own, and a redirect":         {"<Action><Redirect>user@stranger.net</Redirect><Settings><Server><Url>https://mail.lab.test/</Url></Server></Settings></Action>", "<Action><Settings><Server><Url>https://mail.lab.test/</Url></Server></Settings></Action>"},
		"strange name, own URL":       {"<Action><Settings><Server><Type>MobileSync</Type><Url>https://mail.lab.test/</Url><Name>https://mail.stranger.net/</Name></Server></Settings></Action>", ""},
		"mixed, the Account strange":  {with("imap.stranger.net") + mobileSettings("mail.lab.test"), mobileSettings("mail.lab.test")},
		"mixed, the Action strange":   {with("imap.lab.test") + mobileSettings("mail.stranger.net"), with("imap.lab.test")},
		"mixed, everything strange":   {with("imap.stranger.net") + mobileSettings("mail.stranger.net"), ""},
		"a certificate service, too":  {"<Action><Settings><Server><Type>CertEnroll</Type><Url>https://ca.stranger.net/</Url><Name/><ServerData>T</ServerData></Server></Settings></Action>", ""},
		"a place outside any Setting": {"<Action><Server><Url>//mail.stranger.net/x</Url></Server></Action>" + mobileSettings("mail.lab.test"), mobileSettings("mail.lab.test")},
	} {
		doc, err := Read(q, mobileAnswer(c.action))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a, err := doc.Edit(judgeLab(doc))
		if c.want == "" {
			if !errors.Is(err, ErrNothingLeft) {
				t.Errorf("%s: %v: %s", name, err, a.Body)
			}
			continue
		}
		want := `<?xml version="1.0" encoding="utf-8"?>` + string(mobileAnswer(c.want).Body)
		if diff := cmp.Diff(want, string(a.Body)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestMobileSyncRefuse_words(t *testing.T) {
	want := `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">` +
		`<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"><Error Time="00:00:00.0000000" Id="1000000000">` +
		`<ErrorCode>601</ErrorCode><Message>Provider is not available</Message><DebugData /></Error></Response></Autodiscover>`
	a := Refuse(Inquiry{Dialect: MobileSync, Request: mobilePost(t, "https://lab.test/autodiscover/autodiscover.xml", mobileRequest)})
	if diff := cmp.Diff(want, string(a.Body)); diff != "" || a.Status != 200 {
		t.Errorf("status %d (-want +got):\n%s", a.Status, diff)
	}
	get := mobilePost(t, "https://lab.test/autodiscover/autodiscover.xml", "")
	get.Method = "GET"
	for _, r := range []Request{get, mobilePost(t, "https://lab.test/Microsoft-Server-ActiveSync?Cmd=Sync&User=user@lab.test", "\x03\x01")} {
		if a := Refuse(Inquiry{Dialect: MobileSync, Request: r}); a.Status != 404 || len(a.Body) > 0 {
			t.Errorf("%s %s: %d %q", r.Method, r.URL, a.Status, a.Body)
		}
	}
}

// TestMobileSyncRead_sessionIsMoved: 451 with X-MS-Location moves an account that runs already (MS-ASHTTP 3.1.5.2.2).
func TestMobileSyncRead_sessionIsMoved(t *testing.T) {
	r := mobilePost(t, "https://lab.test/Microsoft-Server-ActiveSync?Cmd=Sync&User=user@lab.test", "\x03\x01")
	a := Answer{Status: 451, Header: Header{"X-Ms-Location": {"https://mail.stranger.net/Microsoft-Server-ActiveSync"}}}
	q, ok := Sniff(r, a)
	if !ok || q.Dialect != MobileSync {
		t.Fatalf("sniffed as %v", q.Dialect)
	}
	doc, err := Read(q, a)
	if err != nil || len(doc.Suggestions) != 1 || doc.Suggestions[0].Host != "mail.stranger.net" {
		t.Fatalf("%+v, %v", doc, err)
	}
	if _, err := doc.Edit(judgeLab(doc)); !errors.Is(err, ErrNothingLeft) {
		t.Errorf("edit: %v", err)
	}
}

func TestMobileSyncCompose_words(t *testing.T) {
	a, err := Compose(Inquiry{Dialect: MobileSync}, Settings{Address: "user@lab.test", Servers: []Server{{Protocol: "activesync", Host: "eas.lab.test"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="` + mobileFrame + `"><Response xmlns="` + mobileSchema + `"><Culture>en:us</Culture>` +
		`<User><DisplayName>user@lab.test</DisplayName><EMailAddress>user@lab.test</EMailAddress></User>` + mobileSettings("eas.lab.test") + `</Response></Autodiscover>`
	if diff := cmp.Diff(want, string(a.Body)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := Compose(Inquiry{Dialect: MobileSync}, Settings{Servers: []Server{{Protocol: "imap", Host: "mail.lab.test"}}}); !errors.Is(err, ErrCannotCarry) {
		t.Errorf("IMAP for a phone: %v", err)
	}
}

func TestContainsFold(t *testing.T) {
	const word = "/mobilesync/requestschema"
	for text, want := range map[string]bool{
		word: true, "x" + word: true, word + "x": true, strings.ToUpper(word): true, "//MobileSync/RequestSchema/2006": true,
		"/mobilesync/mobilesync/requestschema": true, word[1:]: false, word[:len(word)-1]: false, "": false, "/": false,
		"\x0fmobilesync/requestschema": false, "/mobilesync\x0frequestschema": false, "/mobilesync/requeſtschema": false,
		strings.Repeat("/", 100): false, strings.Repeat("/", 100) + word[1:]: true,
	} {
		if got := containsFold([]byte(text), word); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
