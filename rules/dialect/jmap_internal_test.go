package dialect

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJMAP_recognise(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST"} {
		recognised(t, JMAP, method, map[string][]string{
			"https://lab.test/.well-known/jmap":                    {"lab.test"},
			"https://lab.test/.Well-Known/JMAP/":                   {"lab.test"},
			"https://lab.test//%2ewell-known/./jmap;x":             {"lab.test"},
			"https://user%40example.com@lab.test/.well-known/jmap": {"lab.test", "example.com"},
			"https://lab.test/.well-known/jmap/session":            nil,
			"https://lab.test/jmap":                                nil,
		})
	}
}

const jmapBody = `{"capabilities":{"urn:ietf:params:jmap:core":{},"urn:ietf:params:jmap:websocket":{"url":"wss://ws.test/","supportsPush":true},` +
	`"urn:x":{"docs":["https://docs.test/"]},"urn:y":{"url":"https://y.test/"}},"apiUrl":"https://a.test/api/","downloadUrl":"https://a.test/{name}","uploadUrl":"/up/","eventSourceUrl":"e/"}`

func TestJMAP_edit(t *testing.T) {
	q := Inquiry{Dialect: JMAP, Request: ask(t, "GET", "https://lab.test/.well-known/jmap", "")}
	got, err := edited(t, q, "application/json", jmapBody, map[string]Suggestion{
		"/capabilities/urn:ietf:params:jmap:websocket/url": {Verdict: Remove},
		"/capabilities/urn:x/docs/0":                       {Verdict: Remove},
		"/capabilities/urn:y/url":                          {Verdict: Rewrite, Now: "https://b.test/y/"},
		"/apiUrl":                                          {Verdict: Rewrite, Now: "https://b.test/api/"},
	})
	want := `{"capabilities":{"urn:ietf:params:jmap:core":{},"urn:y":{"url":"https://b.test/y/"}},"apiUrl":"https://b.test/api/","downloadUrl":"https://a.test/{name}","uploadUrl":"/up/","eventSourceUrl":"e/"}`
	if err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	for _, path := range []string{"/apiUrl", "/downloadUrl", "/uploadUrl", "/eventSourceUrl"} {
		if got, err := edited(t, q, "application/json", jmapBody, map[string]Suggestion{path: {Verdict: Remove}}); !errors.Is(err, ErrNothingLeft) {
			t.Errorf("without %s: %s, %v", path, got, err)
		}
	}
}

// TestJMAP_relative: a relative URL, and a template in its path, lead to the asked host.
func TestJMAP_relative(t *testing.T) {
	q := Inquiry{Dialect: JMAP, Request: ask(t, "GET", "https://LAB.test:8443/.well-known/jmap", "")}
	d, err := Read(q, Answer{Status: 200, Header: Header{"Content-Type": {"application/json"}}, Body: []byte(jmapBody)})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range d.Suggestions {
		got[s.Path] = s.Host
	}
	want := map[string]string{
		"/capabilities/urn:ietf:params:jmap:websocket/url": "ws.test", "/capabilities/urn:x/docs/0": "docs.test", "/capabilities/urn:y/url": "y.test",
		"/apiUrl": "a.test", "/downloadUrl": "a.test", "/uploadUrl": "lab.test", "/eventSourceUrl": "lab.test",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestJMAP_templateBeforeTheHost: where the first thing is a variable that stands for nothing, what follows is another host.
func TestJMAP_templateBeforeTheHost(t *testing.T) {
	q := Inquiry{Dialect: JMAP, Request: ask(t, "GET", "https://lab.test/.well-known/jmap", "")}
	for value, want := range map[string]string{
		"/{x}/134744072/d": "", "{x}//134744072/d": "", "{+x}/d": "", "/{/x}/134744072": "", "/d/{x}//{y}": "lab.test", "d/{x}": "lab.test",
		" //stranger.net/d": "stranger.net", " {x}/d": "",
	} {
		d, err := Read(q, Answer{Status: 200, Header: Header{"Content-Type": {"application/json"}}, Body: []byte(`{"apiUrl":"/api/","downloadUrl":"` + value + `"}`)})
		if err != nil || len(d.Suggestions) != 2 || d.Suggestions[1].Host != want {
			t.Errorf("%s: %+v, %v; want host %q", value, d.Suggestions, err, want)
		}
	}
}

// TestJSON_namesInAnArray: a script that puts ["mail.lab.test"] where a text belongs gets the text.
// TestJMAP_knownVendors: a known vendor's name is no address where it names a capability, and is one wherever clients take it for an address.
func TestJMAP_knownVendors(t *testing.T) {
	const sieve, longer = `"https://cyrusimap.org/ns/jmap/sieve"`, `"https://cyrusimap.org/ns/jmap/sieve/":{}`
	body := `{"capabilities":{` + sieve + `:{},` + longer + `},"apiUrl":` + sieve + `}`
	d, err := Read(Inquiry{Dialect: JMAP}, Answer{Header: Header{"Content-Type": {"application/json"}}, Body: []byte(body)})
	if err != nil || d.Plain || len(d.Suggestions) != 1 || d.Suggestions[0].Host != "cyrusimap.org" {
		t.Errorf("got %+v, %v; want apiUrl's host, and another vendor's name taken for an address", d, err)
	}
	d.Free()
	d, err = Read(Inquiry{Dialect: JMAP}, Answer{Header: Header{"Content-Type": {"application/json"}}, Body: []byte(`{"apiUrl":"/","x":[{` + longer + `},{}]}`)})
	if err != nil || d.Plain {
		t.Errorf("got %+v, %v; want another vendor's name found in a list", d, err)
	}
	if got, want := string(WithoutIdentifierURIs(JMAP, []byte(body))), `{"capabilities":{"":{},`+longer+`},"apiUrl":`+sieve+`}`; got != want {
		t.Errorf("without capabilities: got %s, want %s", got, want)
	}
}

func TestJSON_namesInAnArray(t *testing.T) {
	for id, c := range map[ID]struct{ body, path string }{
		Autodetect: {`{"email":"u@lab.test","protocols":[{"protocol":"imap","hostname":["134744072"]}],"services":[]}`, "/protocols/0/hostname/0"},
		V2:         {`{"Protocol":"EWS","Url":["134744072"]}`, "/Url/0"},
		PACC:       {`{"protocols":{"imap":{"host":["134744072"]}}}`, "/protocols/imap/host/0"},
		JMAP:       {`{"apiUrl":"/","uploadUrl":[["https:134744072"]]}`, "/uploadUrl/0/0"},
	} {
		q := Inquiry{Dialect: id, Request: ask(t, "GET", "https://lab.test/", "")}
		d, err := Read(q, Answer{Status: 200, Header: Header{"Content-Type": {"application/json"}}, Body: []byte(c.body)})
		if err != nil || len(d.Suggestions) == 0 || d.Suggestions[len(d.Suggestions)-1].Path != c.path {
			t.Errorf("%v: %+v, %v; want a suggestion at %s", id, d.Suggestions, err, c.path)
		}
	}
}

func TestJMAP_refuseAndCompose(t *testing.T) {
	q := Inquiry{Dialect: JMAP, Request: ask(t, "GET", "https://lab.test/.well-known/jmap", "")}
	if diff := cmp.Diff(Answer{Status: 404, Header: Header{"Cache-Control": {"no-store"}}}, Refuse(q)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	a, err := Compose(q, labSettings)
	want := Answer{Status: 307, Header: Header{"Location": {"https://jmap.lab.test/.well-known/jmap"}, "Cache-Control": {"no-store"}}}
	if diff := cmp.Diff(want, a); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, itself := range []Server{
		{Protocol: "jmap", Host: "lab.test"}, {Protocol: "jmap", URL: "https://lab.test/.well-known/jmap/"}, {Protocol: "jmap", URL: "https://lab.test/.well-known/jmap"}, {Protocol: "jmap", URL: "https://lab.test:443/.well-known/jmap"},
	} {
		if a, err := Compose(q, Settings{Servers: []Server{itself}}); !errors.Is(err, ErrOwnPlace) || !errors.Is(err, ErrCannotCarry) {
			t.Errorf("a redirect to itself: %v, %v", a, err)
		}
	}
	for _, target := range []string{"https://lab.test:8443/.well-known/jmap", "https://lab.test/jmap/session"} {
		if a, err := Compose(q, Settings{Servers: []Server{{Protocol: "jmap", URL: target}}}); err != nil || a.Header.Get("Location") != target {
			t.Errorf("elsewhere on the same host: %+v, %v", a, err)
		}
	}
	inTheClear := Inquiry{Dialect: JMAP, Request: ask(t, "GET", "http://lab.test/.well-known/jmap", "")}
	if a, err := Compose(inTheClear, Settings{Servers: []Server{{Protocol: "jmap", Host: "lab.test"}}}); err != nil || a.Header.Get("Location") != "https://lab.test/.well-known/jmap" {
		t.Errorf("asked in the clear: %+v, %v", a, err)
	}
	if a, err := Compose(Inquiry{Dialect: JMAP}, Settings{Servers: []Server{{Protocol: "jmap", URL: "https://lab.test:443/.well-known/jmap"}}}); err != nil {
		t.Errorf("nothing was asked for: %+v, %v", a, err)
	}
}
