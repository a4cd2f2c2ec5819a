package dialect

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

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
		"100%user%40example.com":                {"example.com"}, // a sign that nobody encoded
		"user@example.com<":                     {"example.com"},
		"user@example.com, ":                    {"example.com"},
		"user@example.com, nobody":              {"example.com"},
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
		`"a\"@b.net"@example.com`:               {"example.com"},
		`"a@b.net,c"@example.com`:               {"example.com"},
		`"a@b.net\",c"@example.com`:             {"example.com"},
		`user@example.com"@b.net"`:              {"example.com"},
		`"a\"b@c.org"@example.com`:              {"example.com"},
		`"a\\"@example.com, "b;c"@example.net`:  {"example.com", "example.net"},
		`CORP\user@example.com`:                 {"example.com"},
		"user@ example.com":                     {"example.com"},
		"+user+tag@example.com+":                {"example.com"}, // of a form, with spaces around it
		"user+@+example.com":                    {"example.com"},
		`"user@example.com"`:                    {"example.com"},
		"\u202auser@example.com\u202c":          {"example.com"},
		"<user@example.com\u200e>\u00a0":        {"example.com"},
		"user@example.com\x00":                  {"example.com"},
		"<SMTP:user@example.com>":               {"example.com"},
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

// What stands before the sign is the mailbox, without what clients put around an address.
func TestAddresses_mailbox(t *testing.T) {
	for value, want := range map[string]string{
		"user@example.com": "user", "SMTP:user@example.com": "user", "AAD-UPN:user@example.com": "user", "AAD-SMTP:user@example.com": "user", "Oid:0000-guid@example.com": "0000-guid", "PUID:0000@example.com": "0000", " <User.Name+tag@example.com> ": "User.Name+tag", "Jane Doe <jane@example.com>": "jane",
		`"a@b"@example.com`: `"a@b"`, "'user@example.com'": "user", "\u202auser@example.com": "user", "user%40example.com": "user", "100%user%40example.com": "100%user", "mailto:user@example.com": "user", "UPN:user@example.com": "user", "MBX:user@example.com": "user", "SIP:user@example.com": "user",
		" SMTP:user@example.com": "user", "üser@example.com": "üser", "\u00a0user@example.com": "user",
	} {
		if got := addresses(value, "test"); len(got) != 1 || got[0].LocalPart() != want {
			t.Errorf("%q: %+v, want %q", value, got, want)
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
		"Basic dXNlckBleGFtcGxlLmNvbTpwYXNz":  {"user@example.com", true, true},
		"basic   dXNlckBleGFtcGxlLmNvbQ==":    {"user@example.com", false, true},
		"BASIC dXNlckBleGFtcGxlLmNvbQ":        {"user@example.com", false, true},
		"Basic dTr_-g":                        {"u", true, true},
		"Basic dTr/+g":                        {"u", true, true},
		"Basic dXNlckBleGFt cGxlLmNvbTpwYXNz": {"user@example.com", true, true},
		"Basic !":                             {"", false, false},
		"Bearer dXNlcg==":                     {"", false, false},
		"":                                    {"", false, false},
	} {
		user, colon, ok := BasicUser(value)
		if got := (result{user, colon, ok}); got != want {
			t.Errorf("%q: got %+v, want %+v", value, got, want)
		}
	}
}

func TestSubjects_everyCarrierCounts(t *testing.T) {
	u, err := url.Parse("https://host%40user:secret@autodiscover.lab.test/autodiscover/autodiscover.xml?E%6Dail=q%40query.test&domain=d%6fmain.test&user=a%2Bb%40plus.test;x=1;login=100%l@odd.test&Domain=")
	if err != nil {
		t.Fatal(err)
	}
	q, ok := Recognise(Request{
		Method: "POST", URL: u,
		Header: Header{
			// {"upn":"t@token.test"}
			"Authorization":   {"Bearer  e30.eyJ1cG4iOiJ0QHRva2VuLnRlc3QifQ.c2ln", `Digest username="d@digest.test", realm="x"`, "Basic ZnVsbC5kb21haW5cdXNlcjpwYXNz"},
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
		"lab.test": "host", "query.test": "query:email", "domain.test": "query:domain", "plus.test": "query:user", "odd.test": "query:login",
		"token.test": "header:Authorization", "digest.test": "header:Authorization", "full.domain": "header:Authorization",
		"email.test": "header:X-Email", "anchor.test": "header:X-Anchormailbox", "identity.test": "header:X-User-Identity",
		"from.test": "header:From", "user": "userinfo", "body.test": "body",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("subjects (-want +got):\n%s", diff)
	}
}

// What cannot be read as it is labelled is read as it can be; a coding is undone.
func TestSubjects_bodiesInEveryCoating(t *testing.T) {
	packed := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(s)) // a Buffer takes everything
		_ = w.Close()
		return b.String()
	}
	wide := func(s string, zeros int) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			b.WriteByte(c)
			b.WriteString(strings.Repeat("\x00", zeros))
		}
		return b.String()
	}
	for place, body := range map[string]string{
		"https://outlook.com/autodiscover/autodiscover.xml":               `<Autodiscover><Request><EMailAddress>u@body.test</EMailAddress></Request></Autodiscover>`,
		"https://outlook.com/autodiscover/autodiscover.svc":               `<Envelope><Body><GetUserSettingsRequestMessage><Mailbox>u@body.test</Mailbox></GetUserSettingsRequestMessage></Body></Envelope>`,
		"https://login.microsoftonline.com/common/GetCredentialType#json": `{"username":"u@body.test"}`,
	} {
		for name, c := range map[string]struct {
			body string
			h    Header
		}{
			"as it is":         {body, Header{}},
			"gzip":             {packed(body), Header{"Content-Encoding": {"gzip"}}},
			"gzip, not named":  {packed(body), Header{}},
			"gzip, cut off":    {strings.TrimSuffix(packed(body), packed(body)[len(packed(body))-8:]), Header{"Content-Encoding": {"gzip"}}},
			"named, not coded": {body, Header{"Content-Encoding": {"br"}}},
			"UTF-16":           {"\xff\xfe" + wide(body, 1), Header{}},
			"UTF-32":           {"\xff\xfe\x00\x00" + wide(body, 3), Header{}},
			"no known charset": {body, Header{"Content-Type": {"text/xml; charset=x-nobody"}}},
			"a wrong byte":     {strings.Replace(body, "{", "{ ", 1) + "<!-- \xfc -->", Header{}},
		} {
			u, err := url.Parse(place)
			if err != nil {
				t.Fatal(err)
			}
			q, _ := Recognise(Request{Method: "POST", URL: u, Header: c.h, Body: []byte(c.body)})
			if !slices.ContainsFunc(q.Subjects, func(s Subject) bool { return s.Domain == "body.test" }) {
				t.Errorf("%s, %s: subjects %+v", place, name, q.Subjects)
			}
		}
	}
}

// Where nobody stands in the place for it, whoever stands anywhere counts.
func TestSubjects_bodiesInAnyForm(t *testing.T) {
	const pox, detect = "https://outlook.com/autodiscover/autodiscover.xml", "https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect"
	for body, place := range map[string]string{
		"email=u%40body.test&x=1": pox, `<Autodiscover><Request EMailAddress="u@body.test"/></Autodiscover>`: pox, `<Request><Mail>u@body.test</Mail></Request>`: pox,
		"<!-- --><Request><Mail>u@body.test</Mail></Request>": pox,
		`{"email":"u@body.test"}`:                             detect, "email=u@body.test": detect,
	} {
		r := ask(t, "POST", place, "")
		if !NeedsBody(r) {
			t.Errorf("%s: the body is not asked for", place)
		}
		r.Body = []byte(body)
		q, _ := Recognise(r)
		if len(q.Subjects) != 1 || q.Subjects[0].Domain != "body.test" {
			t.Errorf("%s to %s: subjects %+v", body, place, q.Subjects)
		}
	}
	r := ask(t, "POST", pox, "<Request><EMailAddress>u@body.test</EMailAddress><Note>v@other.test</Note></Request>")
	if q, _ := Recognise(r); len(q.Subjects) != 1 || q.Subjects[0].Domain != "body.test" {
		t.Errorf("beside the place for it: %+v", q.Subjects)
	}
	r.Header["Content-Encoding"] = []string{"unheard-of"}
	if q, _ := Recognise(r); len(q.Subjects) != 2 {
		t.Errorf("in a body that is not read for certain: %+v", q.Subjects)
	}
}

func TestSubjects_namesInTokens(t *testing.T) {
	message := func(flags byte, domain, user string) string {
		m := append(bytes.Clone(ntlmAuthenticate), make([]byte, 88-len(ntlmAuthenticate))...)
		for at, name := range map[int]string{ntlmDomain: domain, ntlmUser: user} {
			text := []byte(name)
			if flags&ntlmUnicode != 0 {
				text = nil
				for _, c := range utf16.Encode([]rune(name)) {
					text = binary.LittleEndian.AppendUint16(text, c)
				}
			}
			binary.LittleEndian.PutUint16(m[at:], uint16(len(text)))
			binary.LittleEndian.PutUint32(m[at+4:], uint32(len(m)))
			m = append(m, text...)
		}
		m[ntlmFlags] = flags
		return string(m)
	}
	far := []byte(message(ntlmUnicode, "", "u@far.test"))
	binary.LittleEndian.PutUint32(far[ntlmUser+4:], 1<<32-1)
	std := base64.StdEncoding.EncodeToString
	for value, want := range map[string]string{
		"NTLM " + std([]byte(message(ntlmUnicode, "", "u@name.test"))):                      "name.test",
		"NTLM  " + std([]byte(message(0, "LAB", "u@oem.test"))):                             "oem.test",
		"ntlm " + std([]byte(message(0, "LAB", "u@oem.test"))):                              "oem.test",
		"NTLM " + std([]byte(message(ntlmUnicode, "corp.lab.test", "user"))):                "corp.lab.test",
		"Negotiate " + std([]byte("\x60\x82\x01\x00"+message(ntlmUnicode, "", "u@s.test"))): "s.test",
		"NTLM " + std([]byte(message(ntlmUnicode, "LAB", "user"))):                          "",
		"NTLM " + std(far): "", "NTLM " + std(ntlmAuthenticate): "", "NTLM " + std([]byte("NTLMSSP\x00\x01\x00\x00\x00")): "", "NTLM !": "",
		"Negotiate YIIGhgYG": "",
		"Bearer e30." + std([]byte(`{"iss":"i@issuer.test","ver":"v@version.test"}`)) + ".c2ln": "",
		"Basic " + std([]byte(`.\user:secret`)):                                                 "",
		`Digest realm="x", username*=UTF-8''u%40star.test, uri="/"`:                             "star.test", `Digest realm="x"`: "",
	} {
		got := ""
		all := headerSubjects(Header{"Authorization": {value}})
		for _, s := range all {
			got = s.Domain
		}
		if got != want || want == "" && len(all) > 0 {
			t.Errorf("%.40s: got %q, want %q", value, got, want)
		}
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
