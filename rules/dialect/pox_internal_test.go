package dialect

import "testing"

// TestReadPOX_noSchema: what the schema does not have is a URL where it has the form of one. What a question says of answers is none. A certificate may be for all hosts below a name.
func TestReadPOX_noSchema(t *testing.T) {
	for element, want := range map[string]string{
		"<x>//a.stranger.net/x</x>":                                     "a.stranger.net",
		"<x>imaps://a.stranger.net</x>":                                 "a.stranger.net",
		"<x>https:a.stranger.net</x>":                                   "",
		"<x>see a.stranger.net</x>":                                     "none",
		"<CertPrincipalName>msstd:a.stranger.net</CertPrincipalName>":   "a.stranger.net",
		"<CertPrincipalName>msstd:*.stranger.net</CertPrincipalName>":   "*.stranger.net",
		"<CertPrincipalName>msstd:*.*.stranger.net</CertPrincipalName>": "",
		"<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>": "none",
	} {
		d, err := Read(Inquiry{Dialect: POX}, Answer{Status: 200, Header: Header{"Content-Type": {"text/xml"}}, Body: []byte(
			`<Autodiscover><Response><Account><Protocol><Type>IMAP</Type><Server>mail.lab.test</Server>` + element + `</Protocol></Account></Response></Autodiscover>`)})
		got := "none"
		if len(d.Suggestions) > 1 {
			got = d.Suggestions[1].Host
		}
		if err != nil || got != want {
			t.Errorf("%s: got host %q, %v; want %q", element, got, err, want)
		}
	}
}

// Exchange takes the mailbox out of the path, too, where somebody logs on to another one.
func TestPOX_mailboxInPath(t *testing.T) {
	recognised(t, POX, "GET", map[string][]string{
		"https://outlook.office365.com/autodiscover/user%40lab.test/Autodiscover.xml": {"lab.test"},
		"https://shop.com/autodiscover/User@Lab.test/autodiscover.xml":                {"shop.com", "lab.test"},
	})
}
