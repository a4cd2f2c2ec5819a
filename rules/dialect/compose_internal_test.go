package dialect

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// labSettings are what a lab would want to be told, in every protocol.
var labSettings = Settings{
	Address: "jörg+tag@lab.test", DisplayName: "Jörg & <Lab>",
	Servers: []Server{
		{Protocol: "imap", Host: "mail.lab.test", Encryption: "ssl"},
		{Protocol: "smtp", Host: "mail.lab.test", Encryption: "starttls"},
		{Protocol: "activesync", Host: "eas.lab.test"},
		{Protocol: "ews", Host: "ews.lab.test"},
		{Protocol: "jmap", Host: "jmap.lab.test"},
		{Protocol: "caldav", Host: "dav.lab.test"},
		{Protocol: "carddav", Host: "dav.lab.test", URL: "https://dav.lab.test/contacts/"},
	},
}

// TestCompose_isReadBack: what a dialect composes, its own reader reads, names nothing but the given hosts, and is plain.
func TestCompose_isReadBack(t *testing.T) {
	allowed := map[string]bool{"mail.lab.test": true, "eas.lab.test": true, "ews.lab.test": true, "jmap.lab.test": true, "dav.lab.test": true, "lab.test": true}
	for _, f := range table() {
		if f.compose == nil {
			continue
		}
		t.Run(f.info.Name, func(t *testing.T) {
			q := Inquiry{Dialect: f.info.ID, Subjects: []Subject{{Domain: "lab.test", Address: labSettings.Address}}, Request: Request{
				Method: "POST", URL: &url.URL{Scheme: "https", Host: "lab.test", Path: composePaths[f.info.ID], RawQuery: "Protocol=ActiveSync"}, Header: Header{},
			}}
			a, err := Compose(q, labSettings)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := Read(q, a)
			if err != nil || !doc.Plain && !doc.fixed || len(doc.Suggestions) == 0 {
				t.Fatalf("read back: plain %v, %d suggestions, %v: %s", doc.Plain, len(doc.Suggestions), err, a.Body)
			}
			for _, s := range doc.Suggestions {
				if !allowed[s.Host] {
					t.Errorf("%s names %q (%q)", s.Path, s.Host, s.Was)
				}
			}
			if _, err := Compose(q, Settings{Address: "user@lab.test", Servers: []Server{{Protocol: "nntp", Host: "news.lab.test"}}}); !errors.Is(err, ErrCannotCarry) {
				t.Errorf("a server that no dialect knows: %v", err)
			}
		})
	}
}

// composePaths are the places at which dialects tell by the path what is asked.
var composePaths = map[ID]string{
	V2: "/autodiscover/autodiscover.json", JMAP: "/.well-known/jmap", DAV: "/.well-known/caldav", SOAP: "/autodiscover/autodiscover.svc",
}

func TestComposeAutodetect_words(t *testing.T) {
	a, err := Compose(Inquiry{Dialect: Autodetect}, Settings{Address: "user@lab.test", Servers: []Server{
		{Protocol: "imap", Host: "mail.lab.test"}, {Protocol: "smtp", Host: "mail.lab.test", Encryption: "starttls", Username: "user"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"email":"user@lab.test","services":[],"protocols":[` +
		`{"protocol":"imap","hostname":"mail.lab.test","port":993,"encryption":"ssl","username":"user@lab.test","validated":false},` +
		`{"protocol":"smtp","hostname":"mail.lab.test","port":587,"encryption":"tls","username":"user","validated":false}]}`
	if diff := cmp.Diff(want, string(a.Body)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestComposePOX_words(t *testing.T) {
	a, err := Compose(Inquiry{Dialect: POX}, Settings{Address: "user@lab.test", Servers: []Server{{Protocol: "imap", Host: "mail.lab.test"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">` +
		`<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"><User><DisplayName>user@lab.test</DisplayName></User>` +
		`<Account><AccountType>email</AccountType><Action>settings</Action><Protocol><Type>IMAP</Type><Server>mail.lab.test</Server><Port>993</Port>` +
		`<LoginName>user@lab.test</LoginName><DomainRequired>off</DomainRequired><SPA>off</SPA><SSL>on</SSL><Encryption>SSL</Encryption>` +
		`<AuthRequired>on</AuthRequired></Protocol></Account></Response></Autodiscover>`
	if diff := cmp.Diff(want, string(a.Body)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCompose_auth: what a rule says of logging in stands in each format that has words for it, and a server is left out of those in which clients would fail at it.
func TestCompose_auth(t *testing.T) {
	pox := func(spa, required string) []string {
		return []string{"<SPA>" + spa + "</SPA>", "<AuthRequired>" + required + "</AuthRequired>", "<Type>SMTP</Type>"}
	}
	profile := func(word string) []string {
		return []string{"<key>IncomingMailServerAuthentication</key><string>" + word + "</string>", "<key>OutgoingMailServerAuthentication</key><string>" + word + "</string>"}
	}
	for _, c := range []struct {
		auth string
		id   ID
		want []string // nil: no place
	}{
		{"", POX, pox("off", "on")},
		{"NTLM", POX, pox("on", "on")},
		{"GSSAPI", POX, pox("on", "on")},
		{"client-IP-address", POX, pox("off", "off")},
		{"OAuth2", POX, pox("off", "on")},
		{"", MobileConfig, profile("EmailAuthPassword")},
		{"password-encrypted", MobileConfig, profile("EmailAuthCRAMMD5")},
		{"NTLM", MobileConfig, profile("EmailAuthNTLM")},
		{"none", MobileConfig, profile("EmailAuthNone")},
		{"OAuth2", MobileConfig, nil},
		{"TLS-client-cert", MobileConfig, nil},
		{"password-cleartext", PACC, []string{`"imap":{"host":"mail.lab.test"}`, `"password":true`}},
		{"NTLM", PACC, []string{`"imap":{"host":"mail.lab.test"}`, `"password":true`}},
		{"password-encrypted", PACC, []string{`"imap":{"host":"mail.lab.test"}`, `"password":true`}},
		{"GSSAPI", PACC, nil},
		{"none", PACC, nil},
	} {
		var servers []Server
		for _, protocol := range [...]string{"imap", "smtp"} {
			servers = append(servers, Server{Protocol: protocol, Host: "mail.lab.test", Auth: c.auth})
		}
		a, err := Compose(Inquiry{Dialect: c.id}, Settings{Address: "user@lab.test", Servers: servers})
		if errors.Is(err, ErrCannotCarry) != (c.want == nil) {
			t.Errorf("%v, %q: %v", c.id, c.auth, err)
		}
		for _, want := range c.want {
			if !strings.Contains(string(a.Body), want) {
				t.Errorf("%v, %q: no %s in %s", c.id, c.auth, want, a.Body)
			}
		}
		if c.auth == "none" && strings.Contains(string(a.Body), "Username") {
			t.Errorf("%v, %q: somebody logs in: %s", c.id, c.auth, a.Body)
		}
	}
	imap, smtp := Server{Protocol: "imap", Host: "mail.lab.test"}, Server{Protocol: "smtp", Host: "mail.lab.test"}
	byToken := func(s Server) Server { s.Auth = "OAuth2"; return s }
	for _, servers := range [][]Server{{imap}, {smtp}, {byToken(imap), smtp}, {imap, byToken(smtp)}} { // a device wants both
		if a, err := Compose(Inquiry{Dialect: MobileConfig}, Settings{Address: "user@lab.test", Servers: servers}); !errors.Is(err, ErrCannotCarry) {
			t.Errorf("%+v: %v: %s", servers, err, a.Body)
		}
	}
	for auth, want := range map[string]bool{"OAuth2": true, "": false} {
		a, err := Compose(Inquiry{Dialect: MobileConfig}, Settings{Address: "user@lab.test", Servers: []Server{{Protocol: "activesync", Host: "eas.lab.test", Auth: auth}}})
		if got := strings.Contains(string(a.Body), "<key>OAuth</key><true/>"); err != nil || got != want {
			t.Errorf("ActiveSync, %q: %v, %s", auth, err, a.Body)
		}
	}
}

// A device asks for the address that a profile does not have.
func TestComposeProfile_forNobody(t *testing.T) {
	a, err := Compose(Inquiry{Dialect: MobileConfig}, Settings{Servers: labSettings.Servers})
	if body := string(a.Body); err != nil || strings.Contains(body, "<string/>") || strings.Contains(body, "EmailAddress") || strings.Contains(body, "Username") {
		t.Errorf("%v: %s", err, body)
	}
}
