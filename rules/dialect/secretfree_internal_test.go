package dialect

import (
	"strings"
	"testing"
)

// A body goes to a stranger only if everything in it is known to be the question.
func TestInquiry_SecretFree(t *testing.T) {
	const (
		pox   = `<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>u@lab.test</EMailAddress><AcceptableResponseSchema>x</AcceptableResponseSchema></Request></Autodiscover>`
		users = `<s:Body><GetUserSettingsRequestMessage><Request><Users><User><Mailbox>u@lab.test</Mailbox></User></Users></Request></GetUserSettingsRequestMessage></s:Body></s:Envelope>`
		login = "https://login.microsoftonline.com/common/GetCredentialType"
	)
	for name, c := range map[string]struct {
		id   ID
		url  string
		body string
		want bool
	}{
		"POX":                      {POX, "https://outlook.com/autodiscover/autodiscover.xml", pox, true},
		"POX with more in it":      {POX, "https://outlook.com/autodiscover/autodiscover.xml", pox[:len(pox)-len("</Autodiscover>")] + "<Password>x</Password></Autodiscover>", false},
		"POX with a comment":       {POX, "https://outlook.com/autodiscover/autodiscover.xml", "<!-- secret -->" + pox, false},
		"POX behind a form's part": {POX, "https://outlook.com/autodiscover/autodiscover.xml", "--b\r\nContent-Disposition: form-data; name=p\r\n\r\nsecret\r\n--b--" + pox, false},
		"no XML":                   {POX, "https://outlook.com/autodiscover/autodiscover.xml", "u@lab.test secret", false},
		"POX and a text behind it": {POX, "https://outlook.com/autodiscover/autodiscover.xml", pox + "\r\nsecret", false},
		"POX and an instruction":   {POX, "https://outlook.com/autodiscover/autodiscover.xml", "<?x secret?>" + pox, false},
		"POX on several lines":     {POX, "https://outlook.com/autodiscover/autodiscover.xml", "\r\n" + strings.ReplaceAll(pox, "><", ">\r\n\t<") + "\r\n", true},
		"POX that is cut":          {POX, "https://outlook.com/autodiscover/autodiscover.xml", pox + "<x", false},
		"POX in UTF-7":             {POX, "https://outlook.com/autodiscover/autodiscover.xml", "<?xml version='1.0' encoding='utf-7'?>" + pox[21:], false},
		"SOAP":                     {SOAP, "https://outlook.com/autodiscover/autodiscover.svc", `<s:Envelope><s:Header><a:To>x</a:To><a:ReplyTo><a:Address>y</a:Address></a:ReplyTo></s:Header>` + users, true},
		"SOAP with a token":        {SOAP, "https://outlook.com/autodiscover/autodiscover.svc", `<s:Envelope><s:Header><o:Security/></s:Header>` + users, false},
		"SOAP, anything else":      {SOAP, "https://outlook.com/autodiscover/autodiscover.svc", `<s:Envelope><s:Header><x:BinarySecret>x</x:BinarySecret></s:Header>` + users, false},
		"GetCredentialType":        {Identity, login, `{"username":"u@lab.test","isOtherIdpSupported":true,"checkPhones":false,"country":"DE","flowToken":"x","federationFlags":0}`, true},
		"with a password":          {Identity, login, `{"username":"u@lab.test","passwd":"x"}`, false},
		"with an object":           {Identity, login, `{"username":"u@lab.test","more":{"passwd":"x"}}`, false},
		"a list":                   {Identity, login, `["u@lab.test","secret"]`, false},
		"a text":                   {Identity, login, `"secret"`, false},
		"no JSON":                  {Identity, login, `login=u@lab.test&passwd=x`, false},
		"nothing":                  {SOAP, "https://outlook.com/autodiscover/autodiscover.svc", "", true},
		"of a dialect without one": {V2, "https://outlook.com/autodiscover/autodiscover.json", "x", false},
	} {
		if got := (Inquiry{Dialect: c.id, Request: ask(t, "POST", c.url, c.body)}).SecretFree(); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
