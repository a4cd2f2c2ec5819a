package dialect

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAddresses_everySpelling(t *testing.T) {
	for value, want := range map[string][]string{
		"user@example.com":                      {"example.com"},
		" <User.Name+tag@Example.COM> ":         {"example.com"},
		`"a@b"@example.com`:                     {"example.com"},
		`"unbalanced@example.com`:               {"example.com"},
		"user%40example.com":                    {"example.com"},
		"user%2540example.com":                  {"example.com"},
		"EVOLUTIONUSER%40example.com":           {"example.com"},
		"SMTP:user@example.com":                 {"example.com"},
		"UPN:user@example.com":                  {"example.com"},
		"MBX:0000-guid@example.com":             {"example.com"},
		"mailto:user@example.com?subject=x":     {"example.com"},
		"Jane Doe <jane@example.com>":           {"example.com"},
		"a@example.com; b@example.net,c@lab.te": {"example.com", "example.net", "lab.te"},
		"user@[192.0.2.1]":                      {"192.0.2.1"},
		"user@[IPv6:2001:DB8::1]":               {"2001:db8::1"},
		"user@ｅｘａｍｐｌｅ。com":                      {"example.com"},
		"user@exa\u00admple.com.":               {"example.com"},
		"user@test":                             {"test"},
		"no address":                            nil,
		"user@":                                 nil,
		"":                                      nil,
	} {
		var got []string
		for _, s := range addresses(value, "test") {
			got = append(got, s.Domain)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", value, diff)
		}
	}
}

func TestBasicUser_asServersDecodeIt(t *testing.T) {
	type result struct {
		User  string
		Colon bool
		OK    bool
	}
	for value, want := range map[string]result{
		"Basic dXNlckBleGFtcGxlLmNvbTpwYXNz": {"user@example.com", true, true},
		"basic   dXNlckBleGFtcGxlLmNvbQ==":   {"user@example.com", false, true},
		"BASIC dXNlckBleGFtcGxlLmNvbQ":       {"user@example.com", false, true},
		"Basic dTr_-g":                       {"u", true, true},
		"Basic !":                            {"", false, false},
		"Bearer dXNlcg==":                    {"", false, false},
		"":                                   {"", false, false},
	} {
		user, colon, ok := BasicUser(value)
		if got := (result{user, colon, ok}); got != want {
			t.Errorf("%q: got %+v, want %+v", value, got, want)
		}
	}
}

func TestSubjects_everyCarrierCounts(t *testing.T) {
	u, err := url.Parse("https://host%40user:secret@autodiscover.lab.test/autodiscover/autodiscover.xml?Email=q%40query.test&domain=domain.test&user=a%2Bb%40plus.test")
	if err != nil {
		t.Fatal(err)
	}
	q, ok := Recognise(Request{
		Method: "POST", URL: u,
		Header: Header{
			// {"upn":"t@token.test"}
			"Authorization":   {"Bearer e30.eyJ1cG4iOiJ0QHRva2VuLnRlc3QifQ.c2ln", `Digest username="d@digest.test", realm="x"`, "Basic ZnVsbC5kb21haW5cdXNlcjpwYXNz"},
			"X-Email":         {"x@email.test"},
			"X-Anchormailbox": {"SMTP:a@anchor.test"},
			"X-User-Identity": {"i@identity.test"},
			"From":            {"f@from.test"},
		},
		Body: []byte("<a:autodiscover xmlns:a='x'><REQUEST><eMailAddress>b@<!-- -->body.test</eMailAddress><LegacyDN>/o=Lab</LegacyDN></REQUEST></a:autodiscover>"),
	})
	if !ok {
		t.Fatal("not recognised")
	}
	got := map[string]string{}
	for _, s := range q.Subjects {
		got[s.Domain] = s.Carrier
	}
	want := map[string]string{
		"lab.test": "host", "query.test": "query:email", "domain.test": "query:domain", "plus.test": "query:user",
		"token.test": "header:Authorization", "digest.test": "header:Authorization", "full.domain": "header:Authorization",
		"email.test": "header:X-Email", "anchor.test": "header:X-Anchormailbox", "identity.test": "header:X-User-Identity",
		"from.test": "header:From", "user": "userinfo", "body.test": "body",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("subjects (-want +got):\n%s", diff)
	}
}

func TestRecognise_byPathAndHost(t *testing.T) {
	for raw, want := range map[string]ID{
		"https://autodiscover.example.com/autodiscover/autodiscover.xml":                    POX,
		"https://example.com/AutoDiscover/AutoDiscover.XML":                                 POX,
		"https://example.com//autodiscover/./autodiscover.xml/":                             POX,
		"https://example.com/autodiscover/autodiscover.xml;jsessionid=1":                    POX,
		"https://example.com/autodiscover%2Fautodiscover.xml":                               POX,
		"https://example.com/autodiscover":                                                  POX,
		"https://example.com/autodiscover/exchange/autodiscover.xml":                        POX,
		"https://example.com/x/../autodiscover/autodiscover.xml":                            POX,
		"https://example.com/autodiscover/autodiscover.svc":                                 SOAP,
		"https://example.com/myautodiscover/autodiscover.xml":                               None,
		"https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect?app=x":           Autodetect,
		"https://PROD.autodetect.outlook.cloud.microsoft./detect":                           Autodetect,
		"https://prod-autodetect.outlookmobile.com:443/detect":                              Autodetect,
		"https://prod.autodetect.outlook.cloud.microsoft/health":                            None,
		"https://autodetect.outlook.cloud.microsoft.evil.net/detect":                        None,
		"https://evil.net/autodetect/detect":                                                None,
		"https://notautodetect.outlook.cloud.microsoft/detect":                              None,
		"https://www.example.com/":                                                          None,
		"https://www.example.com/autodiscover/autodiscover.xmlx":                            None,
		"https://www.example.com/autodiscover/autodiscover.xml/../../../../etc/passwd":      None,
		"http://autodiscover.example.com/autodiscover/autodiscover.xml?Email=a@example.com": POX,
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		q, _ := Recognise(Request{Method: "GET", URL: u})
		if q.Dialect != want {
			t.Errorf("%s: got %v, want %v", raw, q.Dialect, want)
		}
		voices := 0
		for _, f := range table() {
			if f.recognise(Request{Method: "GET", URL: u}, Request{URL: u}.Host(), normalPath(u.Path)) {
				voices++
			}
		}
		if voices > 1 {
			t.Errorf("%s is claimed by %d dialects", raw, voices)
		}
	}
}
