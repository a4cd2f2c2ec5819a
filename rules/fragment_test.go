package rules_test

import (
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// TestFragments_goOnWhereTheHostEnds: Outlook appends EcpUrl-um to EcpUrl as it stands, and m/ecp to https://mail.corp.co is at mail.corp.com.
func TestFragments_goOnWhereTheHostEnds(t *testing.T) {
	corp := rules.Rule{Name: "corp", Domains: []string{"corp.co"}, Allow: []string{"*.corp.co"}}
	soap := question("https://autodiscover.corp.co/autodiscover/autodiscover.svc")
	soap.Method = "POST"
	soap.Body = []byte(`<Envelope><Body><GetUserSettingsRequestMessage><Request><Users><User><Mailbox>user@corp.co</Mailbox></User></Users></Request></GetUserSettingsRequestMessage></Body></Envelope>`)
	setting := func(name, value string) string {
		return `<UserSetting><Name>` + name + `</Name><Value>` + value + `</Value></UserSetting>`
	}
	for _, c := range []struct {
		url, fragment string
		want          rules.Action
	}{
		{"https://mail.corp.co/ecp/", "PersonalSettings/DeliveryReport.aspx?exsvurl=1", rules.ActionPass},
		{"https://mail.corp.co/owa", "?path=/options/callanswering", rules.ActionPass},
		{"https://mail.corp.co", "?path=/options/callanswering", rules.ActionPass},
		{"https://mail.corp.co", "/ecp/?p=1", rules.ActionPass},
		{"https://mail.corp.co", "m/ecp", rules.ActionRefuse},
		{"https://mail.corp.co", "@intranet/ecp", rules.ActionRefuse},
		{"https://mail.corp.co:4", "43/ecp", rules.ActionRefuse},
		// One among others.
		{"https://mail.corp.co</EcpUrl><EcpUrl>https://mail.corp.co/ecp/", "m/ecp</EcpUrl-um><EcpUrl-mt>/ecp</EcpUrl-mt><EcpUrl-um>", rules.ActionRefuse},
	} {
		for body, r := range map[string]dialect.Request{
			`<Autodiscover><Response><Account><Protocol><Type>EXCH</Type><EcpUrl>` + c.url + `</EcpUrl><EcpUrl-um>` + c.fragment + `</EcpUrl-um></Protocol></Account></Response></Autodiscover>`: poxQuestion("corp.co"),
			`<Envelope><Body><GetUserSettingsResponseMessage><Response><UserResponses><UserResponse><ErrorCode>NoError</ErrorCode><UserSettings>` + setting("EcpVoicemailUrlFragment", c.fragment) +
				setting("ExternalEcpUrl", c.url) + `</UserSettings></UserResponse></UserResponses></Response></GetUserSettingsResponseMessage></Body></Envelope>`: soap,
		} {
			a := dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(body)}
			if d := judged(withRules(t, corp), r, a); d.Action != c.want {
				t.Errorf("%s and %s, %v: %v, want %v: %s", c.url, c.fragment, d.Dialect, d.Action, c.want, d.Reason)
			}
		}
	}
}
