package dialect

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/rules/reserved"
)

// soapPost is a POST to a service that answers for several domains.
func soapPost(t *testing.T, body string) Request {
	t.Helper()
	u, err := url.Parse("https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc")
	if err != nil {
		t.Fatal(err)
	}
	return Request{Method: "POST", URL: u, Header: Header{"Content-Type": {"text/xml; charset=utf-8"}}, Body: []byte(body)}
}

// soapUsers asks for the settings of several mailboxes.
func soapUsers(mailboxes ...string) string {
	var users strings.Builder
	for _, m := range mailboxes {
		users.WriteString("<a:User><a:Mailbox>" + m + "</a:Mailbox></a:User>")
	}
	return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:a="http://schemas.microsoft.com/exchange/2010/Autodiscover">` +
		`<s:Body><a:GetUserSettingsRequestMessage><a:Request><a:Users>` + users.String() +
		`</a:Users></a:Request></a:GetUserSettingsRequestMessage></s:Body></s:Envelope>`
}

// soapAnswer is an answer with the given responses.
func soapAnswer(responses ...string) Answer {
	return Answer{Status: 200, Header: Header{"Content-Type": {"text/xml; charset=utf-8"}}, Body: []byte(
		`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetUserSettingsResponseMessage xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover"` +
			` xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><Response><ErrorCode>NoError</ErrorCode><ErrorMessage/><UserResponses>` +
			strings.Join(responses, "") + `</UserResponses></Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>`,
	)}
}

func soapUser(settings ...string) string {
	return `<UserResponse><ErrorCode>NoError</ErrorCode><ErrorMessage>No error.</ErrorMessage><RedirectTarget i:nil="true"/><UserSettingErrors/>` +
		`<UserSettings>` + strings.Join(settings, "") + `</UserSettings></UserResponse>`
}

func soapValue(name, value string) string {
	return `<UserSetting i:type="StringSetting"><Name>` + name + `</Name><Value>` + value + `</Value></UserSetting>`
}

func TestSOAP_recognisedByPath(t *testing.T) {
	for raw, want := range map[string]ID{
		"https://lab.test/autodiscover/autodiscover.svc":                                     SOAP,
		"https://lab.test/Autodiscover/Autodiscover.SVC?wsdl":                                SOAP,
		"https://lab.test/autodiscover/autodiscover.svc/":                                    SOAP,
		"https://lab.test//autodiscover/%61utodiscover.svc":                                  SOAP,
		"https://lab.test/autodiscover%2Fautodiscover.svc":                                   SOAP,
		"https://lab.test/autodiscover/autodiscover.svc;v=1/WSSecurity":                      SOAP,
		"https://lab.test/autodiscover/autodiscover.svc/wssecurity/symmetrickey":             SOAP,
		"https://lab.test/autodiscover/autodiscover.svc/wssecurity/x509cert":                 SOAP,
		"https://lab.test/x/../autodiscover/autodiscover.svc":                                SOAP,
		"https://lab.test/autodiscover/autodiscover.svc/wssecurity/kerberos":                 None,
		"https://lab.test/autodiscover/autodiscover.svcx":                                    None,
		"https://lab.test/autodiscover.svc":                                                  None,
		"https://lab.test/autodiscover/autodiscover.xml?next=/autodiscover/autodiscover.svc": POX,
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			if q, _ := Recognise(Request{Method: method, URL: u}); q.Dialect != want {
				t.Errorf("%s %s: got %v, want %v", method, raw, q.Dialect, want)
			}
		}
	}
	if !NeedsBody(soapPost(t, "")) {
		t.Error("the body is not asked for, but it is where the subjects are")
	}
}

func TestSOAPBodySubjects_everySpelling(t *testing.T) {
	for body, want := range map[string][]string{
		soapUsers("user@lab.test"):                                                                        {"lab.test"},
		soapUsers("a@lab.test", "SMTP:b@Example.COM", "c@[192.0.2.1]"):                                    {"lab.test", "example.com", "192.0.2.1"},
		"<Request><Domains><Domain>lab.test</Domain><Domain> @EXAMPLE.net. </Domain></Domains></Request>": {"lab.test", "example.net"},
		"<Request><Domain>lab<!-- -->.test</Domain></Request>":                                            {"lab.test"},
		"<X:USER><x:mailbox><![CDATA[user@]]>lab.test</x:mailbox>":                                        {"lab.test"},
		"<Mailbox>user&#64;lab.test":                                                                      {"lab.test"},
		"<a<b Mailbox=user@lab.test <Domain>example.com<":                                                 {"lab.test", "example.com"},
		"<Mailbox>\xff</Mailbox> user@lab.test":                                                           {"lab.test"},
		"<Mailbox>nobody</Mailbox><Domain></Domain>":                                                      nil,
		"<Autodiscover><Request><EMailAddress>user@lab.test</EMailAddress></Request></Autodiscover>":      {"lab.test"},
	} {
		var got []string
		for _, s := range soapBodySubjects(soapPost(t, body)) {
			if s.Carrier != "body" {
				t.Errorf("%s: carrier %q", body, s.Carrier)
			}
			if len(got) == 0 || got[len(got)-1] != s.Domain {
				got = append(got, s.Domain)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

// TestSOAPBodySubjects_whomItLogsInAs: the password beside that name is for its own domain's server, whoever is asked about; and it takes no user's place.
func TestSOAPBodySubjects_whomItLogsInAs(t *testing.T) {
	r := soapPost(t, `<s:Envelope><s:Header><o:Security><o:UsernameToken><o:Username>admin@lab.test</o:Username><o:Password>secret</o:Password></o:UsernameToken></o:Security></s:Header>`+
		`<s:Body>`+soapUsers("a@shop.com", "b@shop.com")+`</s:Body></s:Envelope>`)
	want := []Subject{{"shop.com", "a@shop.com", "body"}, {"shop.com", "b@shop.com", "body"}, {"lab.test", "admin@lab.test", CarrierLogin}}
	if diff := cmp.Diff(want, soapBodySubjects(r)); diff != "" {
		t.Errorf("subjects (-want +got):\n%s", diff)
	}
	if q := readSOAPQuestion(r); len(q.asked) != 2 {
		t.Errorf("%d users, want 2", len(q.asked))
	}
}

// TestSOAPBodySubjects_whereItGoes: a question that reached another host, a central service for instance, may say at whose place it was meant for.
func TestSOAPBodySubjects_whereItGoes(t *testing.T) {
	for to, want := range map[string]string{
		"https://autodiscover.Lab.test:443/autodiscover/autodiscover.svc":        "lab.test",
		"https://lab.test/autodiscover/autodiscover.svc":                         "lab.test",
		"https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc":       "",
		"http://www.w3.org/2005/08/addressing/anonymous":                         "www.w3.org",
		"https://192.0.2.1/autodiscover/autodiscover.svc":                        "",
		"autodiscover.lab.test":                                                  "",
		"https://autodiscover.lab.test\\@shop.com/autodiscover/autodiscover.svc": "",
	} {
		r := soapPost(t, `<s:Envelope><s:Header><a:To s:mustUnderstand="1">`+to+`</a:To></s:Header><s:Body>`+soapUsers("a@shop.com")+`</s:Body></s:Envelope>`)
		all, got := soapBodySubjects(r), ""
		if len(all) > 1 {
			got = all[1].Domain
		}
		if len(all) == 0 || all[0].Domain != "shop.com" || got != want || len(readSOAPQuestion(r).asked) != 1 {
			t.Errorf("%s: about %+v, want %q beside shop.com", to, all, want)
		}
	}
}

// TestSOAPRead_eachUserIsJudgedAlone: the n-th response is for the n-th user, and with one user for everybody.
func TestSOAPRead_eachUserIsJudgedAlone(t *testing.T) {
	one, two := soapUser(soapValue("ExternalEwsUrl", "https://a.stranger.net/EWS")), soapUser(soapValue("InternalRpcClientServer", "b.stranger.net"))
	outsideBody := soapAnswer(two, one)
	outsideBody.Body = []byte(strings.ReplaceAll(string(outsideBody.Body), "Body>", "Other>"))
	for name, c := range map[string]struct {
		request string
		answer  Answer
		want    []string
		err     error
	}{
		"two":                         {soapUsers("x@lab.test", "y@example.com"), soapAnswer(one, two), []string{"lab.test a.stranger.net", "example.com b.stranger.net"}, nil},
		"two of one domain":           {soapUsers("x@lab.test", "y@lab.test"), soapAnswer(one, two), []string{"lab.test a.stranger.net", "lab.test b.stranger.net"}, nil},
		"one":                         {soapUsers("x@lab.test"), soapAnswer(one), []string{" a.stranger.net"}, nil},
		"no address":                  {soapUsers("x@lab.test", "y"), soapAnswer(one, two), []string{"lab.test a.stranger.net", " b.stranger.net"}, nil},
		"two addresses in one":        {soapUsers("x@lab.test,z@other.net", "y@example.com"), soapAnswer(one, two), []string{" a.stranger.net", "example.com b.stranger.net"}, nil},
		"too few":                     {soapUsers("x@lab.test", "y@example.com"), soapAnswer(one), nil, ErrUnreadable},
		"too many":                    {soapUsers("x@lab.test"), soapAnswer(one, two), nil, ErrUnreadable},
		"nested":                      {soapUsers("x@lab.test", "y@example.com"), soapAnswer(strings.Replace(one, "</UserResponse>", two+"</UserResponse>", 1)), nil, ErrUnreadable},
		"nested, request not at hand": {"", soapAnswer(strings.Replace(one, "</UserResponse>", two+"</UserResponse>", 1)), nil, ErrUnreadable},
		"text beside settings":        {"", soapAnswer(strings.Replace(one, "<UserSettings>", "<UserSettings>https://b.stranger.net/", 1)), nil, ErrUnreadable},
		"URLs by no schema":           {"", soapAnswer(soapUser(soapValue("EwsUrl", "b.stranger.net:443/EWS"), soapValue("X", `\\b.stranger.net\EWS`), soapValue("X", "https:b.stranger.net"))), []string{" b.stranger.net", " ", " "}, nil},
		// A response that some clients pass over moves those behind it to somebody else.
		"one of another namespace":        {soapUsers("x@lab.test", "y@shop.com"), soapAnswer(strings.Replace(two, "<UserResponse>", `<UserResponse xmlns="urn:x">`, 1), one), nil, ErrUnreadable},
		"one in other letters":            {soapUsers("x@lab.test", "y@shop.com"), soapAnswer(strings.ReplaceAll(two, "UserResponse>", "userresponse>"), one), nil, ErrUnreadable},
		"one in another list":             {soapUsers("x@lab.test", "y@shop.com"), soapAnswer("<x>"+two+"</x>", one), nil, ErrUnreadable},
		"the second of another namespace": {soapUsers("x@lab.test", "y@shop.com"), soapAnswer(one, strings.Replace(two, "<UserResponse>", `<UserResponse xmlns="urn:x">`, 1)), nil, ErrUnreadable},
		"the second in other letters":     {soapUsers("x@lab.test", "y@shop.com"), soapAnswer(one, strings.ReplaceAll(two, "UserResponse>", "userresponse>")), nil, ErrUnreadable},
		"the second in another list":      {soapUsers("x@lab.test", "y@shop.com"), soapAnswer(one, "<x>"+two+"</x>"), nil, ErrUnreadable},
		"text and elements mixed":         {soapUsers("x@lab.test"), soapAnswer(strings.Replace(one, "<Value>", "<Value>b.stranger.net<x/>", 1)), nil, ErrUnreadable},
		"something else between":          {soapUsers("x@lab.test", "y@shop.com"), soapAnswer(two, "<x/>", one), nil, ErrUnreadable},
		"all outside of the Body":         {soapUsers("x@lab.test", "y@shop.com"), outsideBody, nil, ErrUnreadable},
		"redirects no address for an @":   {"", soapAnswer(`<RedirectTarget>\\134744072#@mail.lab.test</RedirectTarget><RedirectTarget>https:134744072#@mail.lab.test</RedirectTarget><RedirectTarget>x@lab.test</RedirectTarget>`), []string{" ", " ", " lab.test"}, nil},
		"request not at hand":             {"", soapAnswer(one, two), []string{" a.stranger.net", " b.stranger.net"}, nil},
		"request broken":                  {"<Mailbox>x@lab.test</Mailbox><a<", soapAnswer(one, two), []string{" a.stranger.net", " b.stranger.net"}, nil},
	} {
		doc, err := Read(Inquiry{Dialect: SOAP, Request: soapPost(t, c.request)}, c.answer)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: error %v, want %v", name, err, c.err)
		}
		if c.err != nil {
			continue
		}
		var got []string
		for _, s := range doc.Suggestions {
			got = append(got, s.Subject+" "+s.Host)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestSOAPEdit_keepsTheOrder: who lost everything becomes unknown at his place, everybody else stays.
func TestSOAPEdit_keepsTheOrder(t *testing.T) {
	lost := soapUser(soapValue("AutoDiscoverSMTPAddress", "x@lab.test"), soapValue("ExternalEwsUrl", "https://a.stranger.net/EWS"))
	kept := soapUser(soapValue("ExternalEwsUrl", "https://mail.lab.test/EWS"), soapValue("CasVersion", "15.1"))
	redirected := `<UserResponse><ErrorCode>RedirectUrl</ErrorCode><RedirectTarget>https://c.stranger.net/</RedirectTarget><UserSettings>` +
		soapValue("ExternalEwsUrl", "https://mail.lab.test/") + `</UserSettings></UserResponse>`
	unknown := `<UserResponse><ErrorCode>InvalidUser</ErrorCode><ErrorMessage>Invalid user.</ErrorMessage>` +
		`<RedirectTarget xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/><UserSettingErrors/><UserSettings/></UserResponse>`

	doc, err := Read(Inquiry{Dialect: SOAP, Request: soapPost(t, soapUsers("x@lab.test", "y@lab.test", "z@lab.test"))}, soapAnswer(lost, kept, redirected))
	if err != nil {
		t.Fatal(err)
	}
	a, err := doc.Edit(judgeLab(doc))
	if err != nil {
		t.Fatal(err)
	}
	want := `<?xml version="1.0" encoding="utf-8"?>` + string(soapAnswer(unknown, kept, unknown).Body)
	if diff := cmp.Diff(want, string(a.Body)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	doc, err = Read(Inquiry{Dialect: SOAP, Request: soapPost(t, soapUsers("x@lab.test", "z@lab.test"))}, soapAnswer(lost, redirected))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := doc.Edit(judgeLab(doc)); !errors.Is(err, ErrNothingLeft) {
		t.Errorf("everybody lost everything: %v", err)
	}
}

// judgeLab keeps what lies below lab.test.
func judgeLab(doc *Document) []Suggestion {
	judged := append([]Suggestion(nil), doc.Suggestions...)
	for i := range judged {
		judged[i].Verdict = Remove
		if reserved.Below(judged[i].Host, "lab.test") {
			judged[i].Verdict, judged[i].Now = Keep, judged[i].Was
		}
	}
	return judged
}

func TestSOAPRefuse_words(t *testing.T) {
	const head = `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:a="http://www.w3.org/2005/08/addressing">` +
		`<s:Header><a:Action s:mustUnderstand="1">http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/%[1]sResponse</a:Action>` +
		`<h:ServerVersionInfo xmlns:h="http://schemas.microsoft.com/exchange/2010/Autodiscover"><h:MajorVersion>15</h:MajorVersion><h:MinorVersion>0</h:MinorVersion>` +
		`<h:MajorBuildNumber>0</h:MajorBuildNumber><h:MinorBuildNumber>0</h:MinorBuildNumber><h:Version>Exchange2013</h:Version></h:ServerVersionInfo></s:Header><s:Body>` +
		`<%[1]sResponseMessage xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover"><Response><ErrorCode>%[2]s</ErrorCode>`
	const foot = `</Response></%[1]sResponseMessage></s:Body></s:Envelope>`
	const user = `<UserResponse><ErrorCode>InvalidUser</ErrorCode><ErrorMessage>Invalid user%s.</ErrorMessage>` +
		`<RedirectTarget xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/><UserSettingErrors/><UserSettings/></UserResponse>`
	const domain = `<DomainResponse><ErrorCode>InvalidDomain</ErrorCode><ErrorMessage>Invalid domain%s.</ErrorMessage><DomainSettingErrors/><DomainSettings/>` +
		`<RedirectTarget xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/></DomainResponse>`
	const notFederated = `<ErrorMessage>The organization is not federated.</ErrorMessage>`

	for name, c := range map[string]struct{ body, operation, code, want string }{
		"one user": {
			soapUsers("user@example.com"), soapUserSettings, "NoError",
			`<ErrorMessage/><UserResponses>` + fmt.Sprintf(user, ": 'user@example.com'") + `</UserResponses>`,
		},
		"two users, one to be escaped": {
			soapUsers("a@example.com", "&lt;b&amp;&apos;@example.net"), soapUserSettings, "NoError",
			`<ErrorMessage/><UserResponses>` + fmt.Sprintf(user, ": 'a@example.com'") + fmt.Sprintf(user, ": '&lt;b&amp;'@example.net'") + `</UserResponses>`,
		},
		"nobody": {
			"not XML", soapUserSettings, "NoError", `<ErrorMessage/><UserResponses>` + fmt.Sprintf(user, "") + `</UserResponses>`,
		},
		"far too many": {
			soapUsers(make([]string, maxAsked+1)...), soapUserSettings, "InvalidRequest", `<ErrorMessage>Too many were asked about.</ErrorMessage>`,
		},
		"domains": {
			"<getdomainsettingsREQUESTMESSAGE><Domains><Domain>example.com</Domain><Domain>b.test</Domain></Domains></getdomainsettingsREQUESTMESSAGE>",
			soapDomainSettings, "NoError",
			`<ErrorMessage/><DomainResponses>` + fmt.Sprintf(domain, ": 'example.com'") + fmt.Sprintf(domain, ": 'b.test'") + `</DomainResponses>`,
		},
		"federation":    {"<GetFederationInformationRequestMessage/>", soapFederation, "NotFederated", notFederated},
		"relationships": {"<GetOrganizationRelationshipSettingsRequestMessage/>", soapRelationships, "NotFederated", notFederated},
	} {
		a := Refuse(Inquiry{Dialect: SOAP, Request: soapPost(t, c.body)})
		want := fmt.Sprintf(head, c.operation, c.code) + c.want + fmt.Sprintf(foot, c.operation)
		if diff := cmp.Diff(want, string(a.Body)); diff != "" || a.Status != 200 {
			t.Errorf("%s: status %d (-want +got):\n%s", name, a.Status, diff)
		}
	}
}

func TestSOAPRefuse_operationAndMethod(t *testing.T) {
	r := soapPost(t, "")
	r.Header["Soapaction"] = []string{`"http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetFederationInformation"`}
	if a := Refuse(Inquiry{Dialect: SOAP, Request: r}); !strings.Contains(string(a.Body), "GetFederationInformationResponseMessage") {
		t.Errorf("the operation in SOAPAction is not heard: %s", a.Body)
	}
	for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
		r.Method = method
		if a := Refuse(Inquiry{Dialect: SOAP, Request: r}); a.Status != 404 || len(a.Body) > 0 {
			t.Errorf("%s: %d %q", method, a.Status, a.Body)
		}
	}
}

func TestSOAPCompose_words(t *testing.T) {
	q := Inquiry{Dialect: SOAP, Request: soapPost(t, soapUsers("user@lab.test"))}
	a, err := Compose(q, Settings{Address: "user@lab.test", Servers: []Server{
		{Protocol: "smtp", Host: "mail.lab.test", Encryption: "starttls"}, {Protocol: "ews", Host: "ews.lab.test"}, {Protocol: "imap", Host: "mail.lab.test"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	connection := func(name, encryption, port string) string {
		return `<UserSetting i:type="ProtocolConnectionCollectionSetting"><Name>` + name + `</Name><ProtocolConnections><ProtocolConnection><Hostname>mail.lab.test</Hostname><Port>` +
			port + `</Port><EncryptionMethod>` + encryption + `</EncryptionMethod></ProtocolConnection></ProtocolConnections></UserSetting>`
	}
	want := `<UserSettings>` + soapValue("UserDisplayName", "user@lab.test") + soapValue("AutoDiscoverSMTPAddress", "user@lab.test") +
		soapValue("ExternalEwsUrl", "https://ews.lab.test/EWS/Exchange.asmx") +
		connection("ExternalImap4Connections", "SSL", "993") + connection("ExternalSmtpConnections", "TLS", "587") + `</UserSettings>`
	_, got, _ := strings.Cut(string(a.Body), "<UserSettingErrors/>")
	got, _, _ = strings.Cut(got, "</UserResponse>")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	doc, err := Read(q, a)
	if err != nil || !doc.Plain || len(doc.Suggestions) != 6 { // the address, the URL, and two hosts with their ports
		t.Errorf("read back: %+v, %v", doc, err)
	}
}

func TestSOAPCompose_whatItCannotCarry(t *testing.T) {
	imap := Settings{Address: "user@lab.test", Servers: []Server{{Protocol: "imap", Host: "mail.lab.test"}}}
	for name, c := range map[string]struct {
		body     string
		settings Settings
	}{
		"phones":      {soapUsers("user@lab.test"), Settings{Servers: []Server{{Protocol: "activesync", Host: "eas.lab.test"}}}},
		"two users":   {soapUsers("user@lab.test", "b@lab.test"), imap},
		"federation":  {"<GetFederationInformationRequestMessage/>", imap},
		"for domains": {"<GetDomainSettingsRequestMessage/>", imap},
	} {
		if _, err := Compose(Inquiry{Dialect: SOAP, Request: soapPost(t, c.body)}, c.settings); !errors.Is(err, ErrCannotCarry) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
