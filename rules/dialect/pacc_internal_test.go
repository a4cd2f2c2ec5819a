package dialect

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPACC_recognise(t *testing.T) {
	for address, want := range map[string]bool{
		"https://ua-auto-config.lab.test/.well-known/user-agent-configuration.json":          true,
		"https://lab.test/.Well-Known/User-Agent-Configuration.JSON":                         true,
		"https://ua-auto-config.lab.test//.well-known/x/../user-agent%2dconfiguration.json/": true,
		"https://ua-auto-config.lab.test/user-agent-configuration.json":                      false,
		"https://ua-auto-config.lab.test/.well-known/user-agent-configuration":               false,
		"https://ua-auto-config.lab.test/.well-known/user-agent-configuration.json/x":        false,
	} {
		q, ok := Recognise(asks(t, address))
		if got := ok && q.Dialect == PACC; got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
		if want && (len(q.Subjects) != 1 || q.Subjects[0].Domain != "lab.test") {
			t.Errorf("%s: %+v", address, q.Subjects)
		}
	}
}

func readPACCBody(body string) (*Document, error) {
	return Read(Inquiry{Dialect: PACC}, Answer{Status: 200, Header: Header{"Content-Type": {"application/json"}}, Body: []byte(body)})
}

func TestReadPACC_suggestions(t *testing.T) {
	d, err := readPACCBody(`{"Protocols":{"IMAP":{"Host":"imap\u002elab.test"},"jmap":{"url":"https://jmap.lab.test/"},"smtp":{"hostname":"134744072"}},
		"authentication":{"oauth-public":{"issuer":"login.lab.test"}},
		"info":{"help":{"contact":["MAILTO:help@lab.test","https://lab.test/"," mailto:a@lab.test","mailto:"]},"x/y":"see https://lab.test/"}}`)
	if err != nil || !d.Plain {
		t.Fatal(d.Plain, err)
	}
	want := []Suggestion{
		{Path: "/Protocols/IMAP/Host", Kind: KindHostname, Protocol: "imap", Host: "imap.lab.test", Was: "imap.lab.test"},
		{Path: "/Protocols/jmap/url", Kind: KindURL, Protocol: "jmap", Host: "jmap.lab.test", Was: "https://jmap.lab.test/"},
		{Path: "/Protocols/smtp/hostname", Kind: KindHostname, Protocol: "smtp", Host: "134744072", Was: "134744072"},
		{Path: "/authentication/oauth-public/issuer", Kind: KindHostname, Host: "login.lab.test", Was: "login.lab.test"},
		{Path: "/info/help/contact/0", Kind: KindAddress, Host: "lab.test", Was: "MAILTO:help@lab.test"},
		{Path: "/info/help/contact/1", Kind: KindURL, Host: "lab.test", Was: "https://lab.test/"},
		{Path: "/info/help/contact/2", Kind: KindAddress, Host: "lab.test", Was: "mailto:a@lab.test"},
		{Path: "/info/x~1y", Kind: KindURL, Was: "see https://lab.test/"},
	}
	if diff := cmp.Diff(want, d.Suggestions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadPACC_isNeverEdited(t *testing.T) {
	d, err := readPACCBody(`{"protocols":{"imap":{"host":"imap.lab.test"}}}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Edit(verdicts(d, "lab.test", "")); !errors.Is(err, ErrFixed) {
		t.Error(err)
	}
}

func TestReadPACC_errors(t *testing.T) {
	for body, want := range map[string]error{
		`{"protocols":{}}`: ErrNoSettings,
		`[]`:               ErrNoSettings,
		``:                 ErrNoSettings,
		`{"protocols":{"imap":{"host":"a.b","HOST":"c.d"}}}`: ErrUnreadable,
		`{"protocols":{"imap":{"host":"a.b"}}} {}`:           ErrUnreadable,
		`{"protocols":{"imap":{"host":"a.b"}},}`:             ErrUnreadable,
	} {
		if _, err := readPACCBody(body); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", body, err, want)
		}
	}
}

func TestRefusePACC(t *testing.T) {
	if a := Refuse(Inquiry{Dialect: PACC, Request: Request{Method: "GET"}}); a.Status != 404 || len(a.Body) != 0 {
		t.Errorf("%d %q", a.Status, a.Body)
	}
}

func TestComposePACC_golden(t *testing.T) {
	a, err := Compose(Inquiry{Dialect: PACC}, Settings{Address: "user@lab.test", DisplayName: "Lab", Servers: []Server{
		{Protocol: "imap", Host: "mail.lab.test"},
		{Protocol: "pop3", Host: "mail.lab.test", Port: 1995},
		{Protocol: "smtp", Host: "mail.lab.test", Encryption: "starttls"},
		{Protocol: "caldav", Host: "dav.lab.test"},
	}})
	want := `{"protocols":{"imap":{"host":"mail.lab.test"},"caldav":{"url":"https://dav.lab.test/.well-known/caldav"}},` +
		`"authentication":{"password":true},"info":{"provider":{"name":"Lab"}}}`
	if diff := cmp.Diff(want, string(a.Body)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, s := range []Server{
		{Protocol: "smtp", Host: "mail.lab.test", Encryption: "starttls", Port: 465}, {Protocol: "imap", Host: "mail.lab.test", Encryption: "none", Port: 993}, {Protocol: "imap", Host: "mail.lab.test", Auth: "OAuth2"},
	} {
		if _, err := Compose(Inquiry{Dialect: PACC}, Settings{Servers: []Server{s}}); !errors.Is(err, ErrCannotCarry) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
