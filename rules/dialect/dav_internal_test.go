package dialect

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDAV_recognise(t *testing.T) {
	for _, method := range []string{"GET", "PROPFIND", "OPTIONS"} {
		recognised(t, DAV, method, map[string][]string{
			"https://lab.test/.well-known/caldav":         {"lab.test"},
			"https://lab.test/.WELL-KNOWN/CardDAV/":       {"lab.test"},
			"http://lab.test:8080/%2Ewell-known//carddav": {"lab.test"},
			"https://lab.test/.well-known/caldav/x":       nil,
			"https://lab.test/.well-known/webdav":         nil,
		})
	}
}

func TestDAV_edit(t *testing.T) {
	q := Inquiry{Dialect: DAV, Request: ask(t, "PROPFIND", "https://lab.test/.well-known/caldav", "")}
	const head, tail = `<?xml version="1.0" encoding="utf-8"?><multistatus xmlns="DAV:">`, `</multistatus>`
	const body = head + `<response><href>/a/</href><propstat><prop><x><href>https://a.test/</href></x><y><href>https://b.test/</href></y></prop></propstat></response>` +
		`<response><href>/b/</href></response>` + tail
	got, err := edited(t, q, "application/xml", body, map[string]Suggestion{
		"/multistatus/response[1]/propstat/prop/x/href": {Verdict: Remove},
		"/multistatus/response[1]/propstat/prop/y/href": {Verdict: Rewrite, Now: "https://c.test/"},
		"/multistatus/response[2]/href":                 {Verdict: Remove},
	})
	want := head + `<response><href>/a/</href><propstat><prop><y><href>https://c.test/</href></y></prop></propstat></response>` + tail
	if err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	if got, err := edited(t, q, "application/xml", body, map[string]Suggestion{
		"/multistatus/response[1]/href": {Verdict: Remove}, "/multistatus/response[2]/href": {Verdict: Remove},
	}); !errors.Is(err, ErrNothingLeft) {
		t.Errorf("without any resource: %s, %v", got, err)
	}
}

// TestDAV_foreignNamespaces: whatever belongs to them goes, declarations and attributes included, whoever judges.
func TestDAV_foreignNamespaces(t *testing.T) {
	q := Inquiry{Dialect: DAV, Request: ask(t, "PROPFIND", "https://lab.test/.well-known/caldav", "")}
	got, err := edited(t, q, "application/xml", `<d:multistatus xmlns:d="DAV:" xmlns:s="http://ns.vendor.net/dav"><d:response s:k="1"><d:href>/</d:href>`+
		`<s:x><d:href>https://a.test/</d:href></s:x><z xmlns="http://b.test/"><y/></z><d:w xmlns:q="https://c.test/" q:r="1"/></d:response></d:multistatus>`, nil)
	want := `<?xml version="1.0" encoding="utf-8"?><d:multistatus xmlns:d="DAV:"><d:response><d:href>/</d:href><d:w/></d:response></d:multistatus>`
	if err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	_, err = Read(q, Answer{Status: 207, Header: Header{"Content-Type": {"text/xml"}}, Body: []byte(`<multistatus xmlns="http://a.test/"><response><href>/</href></response></multistatus>`)})
	if !errors.Is(err, ErrNoSettings) {
		t.Errorf("a foreign root: %v", err)
	}
}

// TestDAV_knownNamespaces: what belongs to those of servers that everybody knows stays, and is judged like the rest.
func TestDAV_knownNamespaces(t *testing.T) {
	q := Inquiry{Dialect: DAV, Request: ask(t, "PROPFIND", "https://lab.test/dav/", "")}
	const body = `<?xml version="1.0" encoding="utf-8"?><d:multistatus xmlns:d="DAV:" xmlns:s='http://sabredav.org/ns'><d:response s:k="1"><d:href>/</d:href>` +
		`<d:propstat><d:prop><s:x><d:href>https://a.test/</d:href></s:x><s:y/></d:prop></d:propstat></d:response></d:multistatus>`
	d, err := Read(q, Answer{Status: 207, Header: Header{"Content-Type": {"text/xml"}}, Body: []byte(body)})
	if err != nil || !d.Plain || len(d.Suggestions) != 2 || d.Suggestions[1].Host != "a.test" {
		t.Errorf("got %+v, %v; want it plain, with the property's host", d, err)
	}
	d.Free()
	got, err := edited(t, q, "application/xml", body, map[string]Suggestion{"/multistatus/response/propstat/prop/x/href": {Verdict: Remove}})
	want := `<?xml version="1.0" encoding="utf-8"?><d:multistatus xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><d:response s:k="1"><d:href>/</d:href>` +
		`<d:propstat><d:prop><s:y/></d:prop></d:propstat></d:response></d:multistatus>`
	if err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	if got := string(WithoutIdentifierURIs(DAV, []byte(`<a xmlns:s="http://sabredav.org/ns" xmlns:q='http://groupdav.org/' x="http://sabredav.org/nsx">http://sabredav.org/ns</a>`))); got !=
		`<a xmlns:s="" xmlns:q='' x="http://sabredav.org/nsx">http://sabredav.org/ns</a>` {
		t.Errorf("without namespaces: %s", got)
	}
}

func TestDAV_sniff(t *testing.T) {
	const head, tail = `<multistatus xmlns="DAV:"><response><href>/</href><propstat><prop>`, `</prop></propstat></response></multistatus>`
	calendar := func(href string) string {
		return `<d:multistatus xmlns:d="DAV:"><d:response><d:href>` + href + `</d:href><propstat><prop><resourcetype/></prop></propstat></d:response></d:multistatus>`
	}
	for name, c := range map[string]struct {
		method string
		status int
		body   string
		want   ID
	}{
		"a home set":                {"PROPFIND", 207, head + `<c:Calendar-Home-Set xmlns:c="urn:ietf:params:xml:ns:caldav"/>` + tail, DAV},
		"a principal, found":        {"REPORT", 207, head + "<principal-URL><href>/p/</href></principal-URL>" + tail, DAV},
		"events":                    {"REPORT", 207, head + "<getetag>1</getetag>" + tail, None},
		"calendars elsewhere":       {"PROPFIND", 207, calendar("https://dav.stranger.net/c/"), DAV},
		"in a CDATA section":        {"PROPFIND", 207, calendar("https:<![CDATA[//dav.stranger.net/c/]]>"), DAV},
		"without a scheme":          {"PROPFIND", 207, calendar(" //dav.stranger.net/c/"), DAV},
		"a control character":       {"PROPFIND", 207, calendar("https://dav.stran\x01ger.net/c/"), DAV},
		"an element behind it":      {"PROPFIND", 207, calendar("https://dav.stranger.net/c/<x/>"), DAV},
		"a comment in it":           {"PROPFIND", 207, calendar("https://lab<!-- -->.test/c/"), DAV},
		"an instruction in it":      {"PROPFIND", 207, calendar("https://lab<?x?>.test/c/"), DAV},
		"an entity":                 {"PROPFIND", 207, `<!DOCTYPE d:multistatus [<!ENTITY e "https://dav.stranger.net/">]>` + calendar("&e;c/"), DAV},
		"a control character, here": {"PROPFIND", 207, strings.Replace(calendar("/c/"), "<resourcetype/>", "<resourcetype/><displayname>\x01</displayname>", 1), None},
		"calendars here":            {"PROPFIND", 207, calendar("https://LAB.test:443/c/") + "<!-- -->", None},
		"at a path":                 {"PROPFIND", 207, calendar("/c/https://stranger.net/"), None},
		"a subscription":            {"PROPFIND", 207, strings.Replace(calendar("/c/"), "<resourcetype/>", "<resourcetype/><source><href>https://stranger.net/c.ics</href></source>", 1), None},
		"events elsewhere":          {"REPORT", 207, strings.Replace(calendar("https://dav.stranger.net/c/"), "resourcetype", "getetag", 1), None},
		"sent on":                   {"PROPFIND", 302, "", DAV},
		"sent on, by method":        {"PROPFIND", 308, "<html>there</html>", DAV},
		"a page that has moved":     {"GET", 302, "", None},
	} {
		a := Answer{Status: c.status, Header: Header{"Content-Type": {"application/xml"}, "Location": {"https://a.test/"}}, Body: []byte(c.body)}
		if q, ok := Sniff(ask(t, c.method, "https://lab.test/dav/", ""), a); q.Dialect != c.want || ok != (c.want != None) {
			t.Errorf("%s: got %v, %t; want %v", name, q.Dialect, ok, c.want)
		}
	}
}

// Whoever asks for files and events, at whatever host, asks for no settings.
func TestRecognisePropfind(t *testing.T) {
	const home, event = `<propfind xmlns="DAV:"><prop><C:calendar-home-set xmlns:C="urn:ietf:params:xml:ns:caldav"/></prop></propfind>`, `<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`
	for _, c := range []struct {
		method, body string
		want         bool
	}{{"PROPFIND", home, true}, {"PROPFIND", event, false}, {"PROPFIND", "", false}, {"REPORT", home, false}, {"PUT", home, false}} {
		if _, ok := RecognisePropfind(ask(t, c.method, "https://files.hoster.net/u/", c.body)); ok != c.want {
			t.Errorf("%s %s: recognised: %t", c.method, c.body, ok)
		}
	}
}

func TestDAV_refuseAndCompose(t *testing.T) {
	for path, location := range map[string]string{
		"/.well-known/caldav": "https://dav.lab.test/.well-known/caldav", "/.Well-Known/carddav/": "https://dav.lab.test/contacts/",
	} {
		q := Inquiry{Dialect: DAV, Request: ask(t, "PROPFIND", "https://lab.test"+path, "")}
		if diff := cmp.Diff(Answer{Status: 404, Header: Header{"Cache-Control": {"no-store"}}}, Refuse(q)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		a, err := Compose(q, labSettings)
		want := Answer{Status: 301, Header: Header{"Location": {location}, "Cache-Control": {"no-store"}}}
		if diff := cmp.Diff(want, a); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", path, err, diff)
		}
		if a, err := Compose(q, Settings{Servers: []Server{{Protocol: "imap", Host: "mail.lab.test"}}}); !errors.Is(err, ErrCannotCarry) {
			t.Errorf("%s without a calendar: %v, %v", path, a, err)
		}
	}
}
