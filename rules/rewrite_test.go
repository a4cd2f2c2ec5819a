package rules_test

import (
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// replacing puts its own servers in the place of strangers, each with a way to log in.
var replacing = rules.Rule{
	Name: "corp", Domains: []string{"corp.example.net", "*.corp.example.net"}, Allow: []string{"*.corp.example.net"}, Otherwise: rules.Rewrite,
	Servers: []dialect.Server{
		{Protocol: "imap", Host: "mail.corp.example.net", Username: "%EMAILLOCALPART%", Auth: "NTLM"},
		{Protocol: "smtp", Host: "mail.corp.example.net", Encryption: "starttls", Auth: "client-IP-address"},
		{Protocol: "pop3", Host: "mail.corp.example.net", Auth: "OAuth2", Username: "%EMAILLOCALPART%@ad.corp.example.net"},
		{Protocol: "ews", Host: "ews.corp.example.net"},
		{Protocol: "caldav", Host: "dav.corp.example.net", Username: "%EMAILLOCALPART%"},
		{Protocol: "activesync", Host: "eas.corp.example.net", Auth: "OAuth2"},
	},
}

// TestRewrite_putsServersInWhole: with a server that is put in comes all that belongs to it, and nothing of the stranger's is left beside it. The decision has each of its ports, and whom to log in as.
func TestRewrite_putsServersInWhole(t *testing.T) {
	const (
		config  = "https://autoconfig.corp.example.net/mail/config-v1.1.xml?emailaddress=jane%40corp.example.net"
		profile = "https://mail.corp.example.net/email.mobileconfig?email=jane%40corp.example.net"
		detect  = "https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect"
	)
	autoconfig := func(server string) string {
		return `<clientConfig version="1.1"><emailProvider id="corp.example.net"><domain>corp.example.net</domain>` + server + `</emailProvider></clientConfig>`
	}
	account := func(protocol string) string {
		return `<Autodiscover><Response><Account><Protocol>` + protocol + `</Protocol></Account></Response></Autodiscover>`
	}
	payloads := func(payload string) string {
		return `<plist version="1.0"><dict><key>PayloadContent</key><array><dict>` + payload + `</dict></array></dict></plist>`
	}
	for _, c := range []struct{ name, asked, mediaType, answer, want string }{
		{
			"clientConfig: another's way to log in", config, "text/xml",
			autoconfig(`<incomingServer type="imap"><hostname>imap.stranger.net</hostname><port>993</port><socketType>SSL</socketType><socketType>plain</socketType>` +
				`<username>%EMAILADDRESS%</username><password>theirs</password><authentication system="http">OAuth2</authentication><authentication>password-cleartext</authentication></incomingServer>`),
			autoconfig(`<incomingServer type="imap"><hostname>mail.corp.example.net</hostname><port>993</port><socketType>SSL</socketType><authentication>NTLM</authentication><username>%EMAILLOCALPART%</username></incomingServer>`),
		},
		{
			"clientConfig: no port, and values in pieces", config, "text/xml",
			autoconfig(`<outgoingServer type="smtp"><hostname>smtp.<!-- -->stranger.net</hostname><port>4<!-- -->65</port></outgoingServer><incomingServer type="imap"><hostname>x.stranger.net</hostname></incomingServer>`),
			autoconfig(`<outgoingServer type="smtp"><hostname>mail.corp.example.net</hostname><port>587</port><socketType>STARTTLS</socketType><authentication>client-IP-address</authentication><username>%EMAILADDRESS%</username></outgoingServer>` +
				`<incomingServer type="imap"><hostname>mail.corp.example.net</hostname><port>993</port><socketType>SSL</socketType><authentication>NTLM</authentication><username>%EMAILLOCALPART%</username></incomingServer>`),
		},
		{
			"clientConfig: two hosts, of which one is a stranger's", config, "text/xml",
			autoconfig(`<incomingServer type="imap"><hostname>imap.stranger.net</hostname></incomingServer><outgoingServer type="smtp"><hostname>a.corp.example.net</hostname><port>143</port><hostname>smtp.stranger.net</hostname></outgoingServer>` +
				`<incomingServer type="imap"><port>993</port><hostname>b.corp.example.net</hostname></incomingServer>`),
			autoconfig(`<incomingServer type="imap"><hostname>mail.corp.example.net</hostname><port>993</port><socketType>SSL</socketType><authentication>NTLM</authentication><username>%EMAILLOCALPART%</username></incomingServer>` +
				`<outgoingServer type="smtp"><hostname>a.corp.example.net</hostname><port>587</port><hostname>mail.corp.example.net</hostname><socketType>STARTTLS</socketType><authentication>client-IP-address</authentication><username>%EMAILADDRESS%</username></outgoingServer>` +
				`<incomingServer type="imap"><port>993</port><hostname>b.corp.example.net</hostname></incomingServer>`),
		},
		{
			"clientConfig: another's log-in in front of an own server", config, "text/xml",
			autoconfig(`<incomingServer type="imap"><hostname>imap.stranger.net</hostname><username>web@mail.corp.example.net</username></incomingServer><outgoingServer type="smtp"><hostname>a.corp.example.net</hostname><port>25</port></outgoingServer>`),
			autoconfig(`<incomingServer type="imap"><hostname>mail.corp.example.net</hostname><port>993</port><socketType>SSL</socketType><authentication>NTLM</authentication><username>%EMAILLOCALPART%</username></incomingServer>` +
				`<outgoingServer type="smtp"><hostname>a.corp.example.net</hostname><port>25</port></outgoingServer>`),
		},
		{
			"clientConfig: a URL", config, "text/xml",
			autoconfig(`<incomingServer type="ews"><url>https://stranger.net/ews</url><authentication>OAuth2</authentication><username>u</username></incomingServer>`),
			autoconfig(`<incomingServer type="ews"><url>https://ews.corp.example.net/EWS/Exchange.asmx</url><authentication system="http">Basic</authentication><authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></incomingServer>`),
		},
		{
			"POX: the stranger's domain and package", "", "text/xml",
			account(`<Type>IMAP</Type><Server>stranger.net</Server><Port>143</Port><DomainName>THEIRS</DomainName><LoginName>web12p3</LoginName><AuthPackage>kerb</AuthPackage><Encryption>None</Encryption><SSL>off</SSL>`),
			account(`<Type>IMAP</Type><Server>mail.corp.example.net</Server><Port>993</Port><LoginName>jane</LoginName><DomainRequired>off</DomainRequired><SPA>on</SPA><Encryption>SSL</Encryption><AuthRequired>on</AuthRequired><SSL>on</SSL>`),
		},
		{
			"POX: another's log-in in front of an own server", "", "text/xml",
			account(`<Type>IMAP</Type><Server>stranger.net</Server><LoginName>web@mail.corp.example.net</LoginName></Protocol><Protocol><Type>SMTP</Type><Server>a.corp.example.net</Server><Port>25</Port>`),
			account(`<Type>IMAP</Type><Server>mail.corp.example.net</Server><Port>993</Port><LoginName>jane</LoginName><DomainRequired>off</DomainRequired><SPA>on</SPA><SSL>on</SSL><Encryption>SSL</Encryption><AuthRequired>on</AuthRequired>` +
				`</Protocol><Protocol><Type>SMTP</Type><Server>a.corp.example.net</Server><Port>25</Port>`),
		},
		{
			"POX: a log-in at a domain", "", "text/xml",
			account(`<Type>POP3</Type><LoginName>web12p3</LoginName><Server>stranger.net</Server></Protocol><Protocol><Type>POP3</Type><Server>b.stranger.net</Server><LoginName>web@mail.corp.example.net</LoginName></Protocol>` +
				`<Protocol><Type>SMTP</Type><Server>a.corp.example.net</Server><Port>25</Port>`),
			account(`<Type>POP3</Type><LoginName>jane@ad.corp.example.net</LoginName><DomainRequired>off</DomainRequired><SPA>off</SPA><SSL>on</SSL><Encryption>SSL</Encryption><AuthRequired>on</AuthRequired><Server>mail.corp.example.net</Server><Port>995</Port></Protocol>` +
				`<Protocol><Type>POP3</Type><Server>mail.corp.example.net</Server><Port>995</Port><LoginName>jane@ad.corp.example.net</LoginName><DomainRequired>off</DomainRequired><SPA>off</SPA><SSL>on</SSL><Encryption>SSL</Encryption><AuthRequired>on</AuthRequired></Protocol>` +
				`<Protocol><Type>SMTP</Type><Server>a.corp.example.net</Server><Port>25</Port>`),
		},
		{
			"POX: nobody logs in", "", "text/xml",
			account(`<Type>SMTP</Type><Server>stranger.net</Server>`),
			account(`<Type>SMTP</Type><Server>mail.corp.example.net</Server><Port>587</Port><LoginName>jane@corp.example.net</LoginName><DomainRequired>off</DomainRequired><SPA>off</SPA><SSL>on</SSL><Encryption>TLS</Encryption>` +
				`<AuthRequired>off</AuthRequired><UsePOPAuth>off</UsePOPAuth><SMTPLast>off</SMTPLast>`),
		},
		{
			"POX: a URL", "", "text/xml",
			account(`<Type>CalDAV</Type><Server>https://cal.stranger.net/</Server><LoginName>web12p3</LoginName>`),
			account(`<Type>CalDAV</Type><Server>https://dav.corp.example.net/.well-known/caldav</Server><LoginName>jane</LoginName>`),
		},
		{
			"AutoDetect: who checks passwords for the stranger", detect, "application/json",
			`{"email":"jane@corp.example.net","services":[{"service":"x","protocol":"ews","hostname":"ews.stranger.net","aad":"login.stranger.net","onprem":"old.stranger.net"}],` +
				`"protocols":[{"protocol":"imap","hostname":"imap.stranger.net","username":"web12p3"}]}`,
			`{"email":"jane@corp.example.net","services":[{"service":"x","protocol":"ews","hostname":"ews.corp.example.net"}],` +
				`"protocols":[{"protocol":"imap","hostname":"mail.corp.example.net","username":"jane","port":993,"encryption":"ssl"}]}`,
		},
		{
			"AutoDetect: another account, and protocols by their other names", detect, "application/json",
			`{"email":"fred@corp.example.net","services":[{"service":"x","protocol":"eas","hostname":"eas.stranger.net"}],"protocols":[{"protocol":"imap","hostname":"imap.stranger.net"},{"protocol":"pop","hostname":"pop.stranger.net"}]}`,
			`{"email":"fred@corp.example.net","services":[{"service":"x","protocol":"eas","hostname":"eas.corp.example.net"}],` +
				`"protocols":[{"protocol":"imap","hostname":"mail.corp.example.net","port":993,"encryption":"ssl","username":"jane"},{"protocol":"pop","hostname":"mail.corp.example.net","port":995,"encryption":"ssl","username":"jane@ad.corp.example.net"}]}`,
		},
		{
			"AutoDetect: nothing but who checks passwords", detect, "application/json",
			`{"email":"jane@corp.example.net","services":[{"service":"x","protocol":"ews","aad":"login.stranger.net"}],"protocols":[{"protocol":"imap","hostname":"mail.corp.example.net"}]}`,
			`{"email":"jane@corp.example.net","services":[],"protocols":[{"protocol":"imap","hostname":"mail.corp.example.net"}]}`,
		},
		{
			"a profile: another's password", profile, "application/x-apple-aspen-config",
			payloads(`<key>EmailAccountType</key><string>EmailTypeIMAP</string><key>IncomingMailServerHostName</key><string>imap.stranger.net</string><key>IncomingMailServerUseSSL</key><false/>` +
				`<key>IncomingMailServerAuthentication</key><string>EmailAuthPassword</string><key>IncomingMailServerUsername</key><string>web12p3</string><key>IncomingPassword</key><string>theirs</string>` +
				`<key>OutgoingMailServerHostName</key><string>smtp.stranger.net</string><key>OutgoingMailServerUsername</key><string>web12p3</string>`),
			payloads(`<key>EmailAccountType</key><string>EmailTypeIMAP</string><key>IncomingMailServerHostName</key><string>mail.corp.example.net</string><key>IncomingMailServerUseSSL</key><true/>` +
				`<key>IncomingMailServerAuthentication</key><string>EmailAuthNTLM</string><key>IncomingMailServerUsername</key><string>jane</string>` +
				`<key>OutgoingMailServerHostName</key><string>mail.corp.example.net</string><key>IncomingMailServerPortNumber</key><integer>993</integer>` +
				`<key>OutgoingMailServerAuthentication</key><string>EmailAuthNone</string><key>OutgoingMailServerPortNumber</key><integer>587</integer><key>OutgoingMailServerUseSSL</key><true/>`),
		},
		{
			"a profile that cannot say how to log in", profile, "application/x-apple-aspen-config",
			payloads(`<key>EmailAccountType</key><string>EmailTypePOP</string><key>IncomingMailServerHostName</key><string>pop.stranger.net</string></dict><dict>` +
				`<key>PayloadType</key><string>com.apple.ews.account</string><key>Host</key><string>ews.stranger.net</string><key>Port</key><real>8443</real><key>Password</key><string>theirs</string>`),
			payloads(`<key>PayloadType</key><string>com.apple.ews.account</string><key>Host</key><string>ews.corp.example.net</string><key>Port</key><integer>443</integer><key>SSL</key><true/><key>UserName</key><string>jane@corp.example.net</string>`),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := poxQuestion("corp.example.net")
			r.Body = []byte(strings.ReplaceAll(string(r.Body), "user@", "jane@"))
			if c.asked != "" {
				r = question(c.asked)
				r.Header["X-Email"] = []string{"jane@corp.example.net"}
			}
			p := withRules(t, replacing)
			plan, d := decide(p, r, dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {c.mediaType}}, Body: []byte(c.answer)})
			if err := truthful(p, plan, d, d.Answer); err != nil {
				t.Error(err)
			}
			if got := strings.TrimPrefix(string(d.Answer.Body), `<?xml version="1.0" encoding="utf-8"?>`); d.Action != rules.ActionEdit || got != c.want {
				t.Errorf("%v, %s\n got %s\nwant %s", d.Action, d.Reason, got, c.want)
			}
		})
	}
}

// TestRewrite_byWhoseRule: who has a rule is given that one's servers, and where an answer is for several at once, the server is that of the rule which the stranger is against.
func TestRewrite_byWhoseRule(t *testing.T) {
	rule := func(name string, otherwise rules.Otherwise, allow ...string) rules.Rule {
		r := rules.Rule{Name: name, Domains: []string{name + ".net"}, Allow: append(allow, "*.hoster.net"), Otherwise: otherwise}
		if otherwise == rules.Rewrite {
			r.Servers = []dialect.Server{{Protocol: "ews", Host: name + ".hoster.net"}, {Protocol: "imap", Host: name + ".hoster.net"}}
		}
		return r
	}
	each := question("https://autodiscover.hoster.net/autodiscover/autodiscover.svc")
	each.Method = "POST"
	each.Body = []byte(`<Envelope><Body><GetUserSettingsRequestMessage><Request><Users><User><Mailbox>user@one.net</Mailbox></User><User><Mailbox>user@two.net</Mailbox></User></Users></Request></GetUserSettingsRequestMessage></Body></Envelope>`)
	settings := func(host string) string {
		return `<UserResponse><ErrorCode>NoError</ErrorCode><UserSettings><UserSetting><Name>ExternalEwsUrl</Name><Value>https://` + host + `/EWS/Exchange.asmx</Value></UserSetting></UserSettings></UserResponse>`
	}
	soap := func(first, second string) string {
		return `<Envelope><Body><GetUserSettingsResponseMessage><Response><UserResponses>` + settings(first) + settings(second) + `</UserResponses></Response></GetUserSettingsResponseMessage></Body></Envelope>`
	}
	both := detectQuestion("")
	both.Header["X-Email"] = []string{"user@one.net", "user@two.net"}
	onlyOnes := rule("one", rules.Rewrite, "only.one.net")
	onlyOnes.Servers = []dialect.Server{{Protocol: "imap", Host: "only.one.net"}}
	detect := func(host string) string { return `{"protocols":[{"protocol":"imap","hostname":"` + host + `"` }
	for name, c := range map[string]struct {
		p            *rules.Policy
		asked        dialect.Request
		mediaType    string
		answer, want string
	}{
		"each":            {withRules(t, rule("one", rules.Rewrite), rule("two", rules.Rewrite)), each, "text/xml", soap("ews.stranger.net", "ews.stranger.net"), soap("one.hoster.net", "two.hoster.net")},
		"the first is it": {withRules(t, rule("one", rules.Rewrite), rule("two", rules.Block, "shared.net")), both, "application/json", detect("shared.net") + `}]}`, detect("one.hoster.net")},
		"the other does not know it": {
			withRules(t, onlyOnes, rule("two", rules.RemoveStrangers)), both, "application/json", detect("stranger.net") + `},{"protocol":"smtp","hostname":"smtp.hoster.net"}]}`,
			`"protocols":[{"protocol":"smtp","hostname":"smtp.hoster.net"}]`,
		},
		"the other is it": {withRules(t, rule("one", rules.Block, "shared.net"), rule("two", rules.Rewrite)), both, "application/json", detect("shared.net") + `}]}`, detect("two.hoster.net")},
	} {
		d := judged(c.p, c.asked, dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {c.mediaType}}, Body: []byte(c.answer)})
		if d.Action != rules.ActionEdit || !strings.Contains(string(d.Answer.Body), c.want) {
			t.Errorf("%s: %v, %s\n got %s\nwant %s", name, d.Action, d.Reason, d.Answer.Body, c.want)
		}
	}
}
