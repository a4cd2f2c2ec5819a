package dialect

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIdentity_recognise(t *testing.T) {
	const host = "https://login.microsoftonline.com"
	recognised(t, Identity, "GET", map[string][]string{
		host + "/getuserrealm.srf?login=user%40example.com&json=1":                         {"example.com"},
		host + "/GetUserRealm.srf?LOGIN=example.com&xml=1":                                 {"example.com"},
		host + "/common/userrealm/user%40example.com?api-version=1.0":                      {"example.com"},
		host + "/Common/UserRealm/User@Example.COM":                                        {"example.com"},
		host + "/common/userrealm/example.com":                                             {"example.com"},
		host + "/example.com/.well-known/openid-configuration":                             {"example.com"},
		host + "/Example%2Ecom/V2.0/.well-known/OpenID-configuration/":                     {"example.com"},
		host + "/example。com/.well-known/openid-configuration":                             {"example.com"},
		"https://odc.officeapps.live.com/odc/v2.1/federationProvider?domain=a.test":        {"a.test"},
		"https://login.partner.microsoftonline.cn/getuserrealm.srf?login=a@b.test":         {"b.test"},
		"https://odc.officeapps.live.com/odc/EmailHrd/GetIdp?hm=0&emailAddress=a%40b.test": {"b.test"},
		host + "/common/.well-known/openid-configuration":                                  nil,
		host + "/common/v2.0/.well-known/openid-configuration":                             nil,
		host + "/8d3f2b1c-0000-4000-8000-000000000000/.well-known/openid-configuration":    nil,
		host + "/a/b.test/.well-known/openid-configuration":                                nil,
		host + "/common/oauth2/v2.0/token":                                                 nil,
		host + "/common/userrealm":                                                         nil,
		host + "/common/userrealm/?user=a@b.test&api-version=2.1":                          {"b.test"},
		host + "/organizations/UserRealm/a@b.test":                                         {"b.test"},
		"https://accounts.hoster.net/example.com/.well-known/openid-configuration":         nil,
	})
}

func TestIdentity_asks(t *testing.T) {
	for body, want := range map[string]string{
		`{"username":"user@example.com"}`:               "user@example.com",
		`{"x":1,"UserName":"User@Example.com"}`:         "User@Example.com",
		`{"username":"user\u0040example.com"}`:          "user@example.com",
		`{"username":"a@b.test","username":"c@b.test"}`: "a@b.test",
		`username=user@example.com&x=1`:                 "user@example.com&x",
		`{"username":"nobody"}`:                         "",
	} {
		r := ask(t, "POST", "https://login.microsoftonline.com/common/GetCredentialType", body)
		if !NeedsBody(r) {
			t.Fatal("the body is not read")
		}
		q, _ := Recognise(r)
		if got := q.AskedAddress(); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}

// A host is one without a dot, too: of https://3221226017 node makes 192.0.2.33. A cloud may be called by a word.
func TestSuggestIdentity_bare(t *testing.T) {
	for name, want := range map[string]bool{"authority_host": true, "cloud_instance_name": true, "environment": false} {
		if _, got := suggestIdentity(name, "/"+name, "", "3221226017"); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestIdentity_edit(t *testing.T) {
	q := Inquiry{Dialect: Identity}
	const jsonBody = `{"NameSpaceType":"Federated","AuthURL":"https://a.test/","MEXUrl":"https://b.test/","CloudInstanceName":"cloud.test","environment":"Global"}`
	const xmlHead = `<?xml version="1.0" encoding="utf-8"?>`
	const xmlBody = `<RealmInfo Success="true"><AuthURL>https://a.test/</AuthURL><MEXURL>https://b.test/</MEXURL><CloudInstanceName>cloud.test</CloudInstanceName></RealmInfo>`
	got, err := edited(t, q, "application/json", jsonBody, map[string]Suggestion{
		"/AuthURL": {Verdict: Rewrite, Now: "https://c.test/"}, "/MEXUrl": {Verdict: Remove}, "/CloudInstanceName": {Verdict: Remove},
	})
	if want := `{"NameSpaceType":"Federated","AuthURL":"https://c.test/","environment":"Global"}`; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	got, err = edited(t, q, "text/xml", xmlBody, map[string]Suggestion{
		"/RealmInfo/AuthURL": {Verdict: Rewrite, Now: "https://c.test/"}, "/RealmInfo/MEXURL": {Verdict: Remove}, "/RealmInfo/CloudInstanceName": {Verdict: Remove},
	})
	if want := xmlHead + `<RealmInfo Success="true"><AuthURL>https://c.test/</AuthURL></RealmInfo>`; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	for path, body := range map[string][2]string{"/AuthURL": {"application/json", jsonBody}, "/RealmInfo/AuthURL": {"text/xml", xmlBody}} {
		if got, err := edited(t, q, body[0], body[1], map[string]Suggestion{path: {Verdict: Remove}}); !errors.Is(err, ErrNothingLeft) {
			t.Errorf("without %s: %s, %v", path, got, err)
		}
	}
}

func TestIdentity_refuse(t *testing.T) {
	const host = "https://login.microsoftonline.com"
	answer := func(mediaType, body string) Answer {
		return Answer{Status: 200, Header: Header{"Content-Type": {mediaType + "; charset=utf-8"}, "Cache-Control": {"no-store"}}, Body: []byte(body)}
	}
	quiet := Answer{Status: 404, Header: Header{"Cache-Control": {"no-store"}}}
	for _, c := range []struct {
		method, url, body string
		want              Answer
	}{
		{"GET", host + "/getuserrealm.srf?login=user@example.com&json=1", "", answer("application/json", `{"NameSpaceType":"Unknown"}`)},
		{
			"GET", host + "/getuserrealm.srf?login=user@example.com&xml=1", "",
			answer("text/xml", `<?xml version="1.0" encoding="utf-8"?><RealmInfo Success="true"><NameSpaceType>Unknown</NameSpaceType></RealmInfo>`),
		},
		{"GET", host + "/common/userrealm/user@example.com?api-version=1.0", "", answer("application/json", `{"NameSpaceType":"Unknown"}`)},
		{
			"POST", host + "/common/GetCredentialType", `{"username":"\"a\\b\"@example.com"}`,
			answer("application/json", `{"Username":"\"a\\b\"@example.com","IfExistsResult":1}`),
		},
		{"GET", host + "/example.com/.well-known/openid-configuration", "", quiet},
		{"GET", "https://odc.officeapps.live.com/odc/v2.1/federationprovider?domain=example.com", "", quiet},
		{"GET", "https://odc.officeapps.live.com/odc/emailhrd/getidp?hm=1&emailAddress=user@example.com", "", answer("text/plain", "Neither")},
	} {
		q, ok := Recognise(ask(t, c.method, c.url, c.body))
		if !ok || q.Dialect != Identity {
			t.Fatalf("%s: claimed by %v", c.url, q.Dialect)
		}
		if diff := cmp.Diff(c.want, Refuse(q)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.url, diff)
		}
		if d, err := Read(q, c.want); !errors.Is(err, ErrNoSettings) || len(d.Suggestions) > 0 {
			t.Errorf("%s: the refusal reads as %+v, %v", c.url, d, err)
		}
	}
}

// The words of an answer name the hosts of the directories that they stand for.
func TestIdentity_accountHome(t *testing.T) {
	q, _ := Recognise(ask(t, "GET", "https://odc.officeapps.live.com/odc/emailhrd/getidp?hm=1&emailAddress=user@lab.test", ""))
	for body, want := range map[string]string{
		"OrgId": "login.microsoftonline.com", "MSAccount\r\n": "login.live.com", `"Both"`: "login.microsoftonline.com login.live.com", "OrgId,Placeholder": "login.microsoftonline.com",
		`{"authURL":"https://login.stranger.net/x"}`: "login.stranger.net",
		"Neither": "answer holds no settings: an account of nobody's", "Somewhere": "answer cannot be read beyond doubt: an unknown word", "OrgId, x": "answer cannot be read beyond doubt: an unknown word",
	} {
		d, err := Read(q, Answer{Status: 200, Header: Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte(body)})
		var hosts []string
		for _, s := range d.Suggestions {
			hosts = append(hosts, s.Host)
		}
		got := strings.Join(hosts, " ")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", body, got, want)
		}
	}
}
