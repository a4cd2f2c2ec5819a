package dialect_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/rules/dialect"
)

// What this package composes is read here by parsers that others wrote, where they are installed: `.ci/run packages` installs what is small.
// Scripts in testdata/parsers drive them and say what they found, in one form for all.

// parserDir, a variable of the environment, names the folder of what is not installed system-wide: node_modules, and Thunderbird's modules.
const parserDir = "AUTODISCOVER_GUARD_PARSERS"

// reading is what a parser made of a document.
type reading struct {
	Name, Address string
	Servers       []readServer
	// None says in the parser's words why there are no settings.
	None string
}

// readServer is a server as far as a parser tells of it.
type readServer struct {
	Protocol, Host string
	Port           uint16
	Encryption     string
	Username, URL  string
}

// document is what a driver is given.
type document struct {
	Address string `json:"address"`
	Text    string `json:"text"`
}

// parserSettings are what goes in; the names say what is special.
var parserSettings = []struct {
	name     string
	settings dialect.Settings
}{
	{"IMAP over TLS and submission with STARTTLS", dialect.Settings{
		Address: "user@lab.test", DisplayName: "Lab",
		Servers: []dialect.Server{
			{Protocol: "imap", Host: "imap.lab.test", Port: 993, Encryption: "ssl"},
			{Protocol: "smtp", Host: "smtp.lab.test", Port: 587, Encryption: "starttls"},
		},
	}},
	{"POP3 and submission over TLS, and a user name that is no address", dialect.Settings{
		Address: "user@lab.test", DisplayName: "Lab",
		Servers: []dialect.Server{
			{Protocol: "pop3", Host: "pop.lab.test", Port: 995, Encryption: "ssl", Username: "lab-user"},
			{Protocol: "smtp", Host: "smtp.lab.test", Port: 465, Encryption: "ssl", Username: "lab-user"},
		},
	}},
	{"a name with markup and letters of three scripts, a plus-address, a port of its own and no encryption", dialect.Settings{
		Address: "user+tag@lab.test", DisplayName: `Jörg & "Lab" <'Ω'> ]]> &amp; 東京`,
		Servers: []dialect.Server{
			{Protocol: "imap", Host: "mail.lab.test", Port: 10993, Encryption: "ssl", Username: `DOM\user & <son>`},
			{Protocol: "smtp", Host: "mail.lab.test", Port: 25, Encryption: "none"},
		},
	}},
	{"Exchange beside mail, with an ampersand in a URL", dialect.Settings{
		Address: "user@lab.test", DisplayName: "Lab",
		Servers: []dialect.Server{
			{Protocol: "imap", Host: "mail.lab.test", Port: 143, Encryption: "starttls"},
			{Protocol: "smtp", Host: "mail.lab.test", Port: 465, Encryption: "ssl"},
			{Protocol: "ews", Host: "ews.lab.test", URL: "https://ews.lab.test/EWS/Exchange.asmx?a=1&b=2"},
			{Protocol: "activesync", Host: "eas.lab.test", URL: "https://eas.lab.test/Microsoft-Server-ActiveSync?a=1&b=2"},
		},
	}},
}

// foreignParser is one parser as a reader of one dialect.
type foreignParser struct {
	name    string
	dialect dialect.ID
	// command starts the driver, and skips the test where something is missing.
	command func(t *testing.T) []string
	// sees gives what the parser tells of a server that a document holds; false where it has no eye for it.
	sees func(s dialect.Settings, v dialect.Server) (readServer, bool)
	// names and address say which of the display name and the address the parser hands on.
	names, address bool
	// refused is what it says to the refusal.
	refused string
	// blind is what it says to every composed document, where it looks for something that this package does not compose.
	blind string
}

// exam is one document to read.
type exam struct {
	name string
	document
	want reading
	// spoiled says that a strange host stands in the document, which the reading must not hide: a check that cannot fail proves nothing.
	spoiled bool
}

// TestParsers_findTheServersThatWentIn: what goes into Compose comes out of every parser, and Refuse ends all of them in words of their own.
func TestParsers_findTheServersThatWentIn(t *testing.T) {
	for _, p := range foreignParsers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			command := p.command(t)
			exams := p.exams(t)
			for i, got := range drive(t, command, exams) {
				diff := cmp.Diff(exams[i].want, got)
				switch {
				case exams[i].spoiled && diff == "":
					t.Errorf("%s: the stranger was not noticed: %+v", exams[i].name, got)
				case !exams[i].spoiled && diff != "":
					t.Errorf("%s (-want +got):\n%s\n%s", exams[i].name, diff, exams[i].Text)
				}
			}
		})
	}
}

// exams are the settings that the dialect can carry, each as it is and spoiled, and the refusal.
func (p foreignParser) exams(t *testing.T) []exam {
	t.Helper()
	var all []exam
	for _, c := range parserSettings {
		a, err := dialect.Compose(parserInquiry(t, p.dialect, c.settings.Address), c.settings)
		if errors.Is(err, dialect.ErrCannotCarry) && p.dialect == dialect.MobileSync {
			continue // there is no ActiveSync server
		} else if err != nil {
			t.Fatal(err)
		}
		e := exam{name: c.name, document: document{c.settings.Address, string(a.Body)}, want: p.expect(c.settings)}
		all = append(all, e)
		if p.blind == "" && len(e.want.Servers) > 0 {
			e.name, e.Text = c.name+", put into another's answer", p.putIn(t, c.settings)
			all = append(all, e)
			e.name, e.Text = c.name, all[len(all)-2].Text
		}
		if len(e.want.Servers) > 0 {
			host := e.want.Servers[0].Host
			if u, err := url.Parse(e.want.Servers[0].URL); err == nil && host == "" {
				host = u.Host
			}
			e.spoiled, e.Text = true, strings.ReplaceAll(e.Text, host, "mail.stranger.net")
			all = append(all, e)
		}
	}
	if p.refused != "" {
		refusal := dialect.Refuse(parserInquiry(t, p.dialect, "user@lab.test"))
		all = append(all, exam{name: "the refusal", document: document{"user@lab.test", string(refusal.Body)}, want: reading{None: p.refused}})
	}
	return all
}

// putIn is an answer of somebody else, with ways of his own to speak and to log in to his servers, into which these are put.
func (p foreignParser) putIn(t *testing.T, s dialect.Settings) string {
	t.Helper()
	theirs := s
	theirs.Servers = nil
	for _, v := range s.Servers {
		theirs.Servers = append(theirs.Servers, dialect.Server{Protocol: v.Protocol, Host: "mail.stranger.net", Port: 1025, Encryption: "none", Username: "web12p3", Auth: "NTLM"})
	}
	q := parserInquiry(t, p.dialect, s.Address)
	a, err := dialect.Compose(q, theirs)
	if err != nil {
		t.Fatal(err)
	}
	d, err := dialect.Read(q, a)
	if err != nil {
		t.Fatal(err)
	}
	judged := d.Suggestions
	for i := range judged {
		judged[i].Verdict, judged[i].Now = dialect.Keep, judged[i].Was
		for _, v := range s.Servers {
			if word := judged[i].Protocol; word != "" && strings.HasPrefix(v.Protocol, word) { // a profile says pop
				if v.Username == "" {
					v.Username = s.Address
				}
				judged[i].Replace(v)
			}
		}
	}
	if a, err = d.Edit(judged); err != nil || strings.Contains(string(a.Body), "stranger") {
		t.Fatalf("%v: %s", err, a.Body)
	}
	return string(a.Body)
}

// expect is what the parser should make of a document with these settings.
func (p foreignParser) expect(s dialect.Settings) reading {
	if p.blind != "" {
		return reading{None: p.blind}
	}
	var r reading
	if p.names {
		r.Name = s.DisplayName
	}
	if p.address {
		r.Address = s.Address
	}
	for _, v := range s.Servers {
		if seen, ok := p.sees(s, v); ok {
			r.Servers = append(r.Servers, seen)
		}
	}
	return r.sorted()
}

// sorted orders servers by protocol: where they stand in a document is the dialect's matter.
func (r reading) sorted() reading {
	slices.SortFunc(r.Servers, func(a, b readServer) int { return strings.Compare(a.Protocol, b.Protocol) })
	if len(r.Servers) == 0 {
		r.Servers = nil
	}
	return r
}

// drive runs a driver over the exams and returns a reading for each. A driver that fails is a parser that crashed.
func drive(t *testing.T, command []string, exams []exam) []reading {
	t.Helper()
	documents := make([]document, 0, len(exams))
	for _, e := range exams {
		documents = append(documents, e.document)
	}
	input, err := json.Marshal(documents)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(parserFolder(), "node_modules"), "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the parser crashed: %v\n%s", err, stderr.Bytes())
	}
	var readings []reading
	if err := json.Unmarshal(out, &readings); err != nil || len(readings) != len(documents) {
		t.Fatalf("%d readings of %d documents, %v: %s\n%s", len(readings), len(documents), err, out, stderr.Bytes())
	}
	for i := range readings {
		readings[i] = readings[i].sorted()
	}
	return readings
}

// parserInquiry is what a client asks, as it is recognised.
func parserInquiry(t *testing.T, id dialect.ID, address string) dialect.Inquiry {
	t.Helper()
	q, ok := dialect.Recognise(parserRequest(id, address))
	if !ok || q.Dialect != id {
		t.Fatalf("the request was taken for %v, want %v", q.Dialect, id)
	}
	return q
}

func parserRequest(id dialect.ID, address string) dialect.Request {
	const schemas = "http://schemas.microsoft.com/exchange/"
	r := dialect.Request{Method: "POST", URL: &url.URL{Scheme: "https", Host: "autodiscover.lab.test", Path: "/autodiscover/autodiscover.xml"}, Header: dialect.Header{"Content-Type": {"text/xml; charset=utf-8"}}}
	phone := func(schema string) []byte {
		return fmt.Appendf(nil, `<Autodiscover xmlns="%sautodiscover/%s"><Request><EMailAddress>%s</EMailAddress></Request></Autodiscover>`, schemas, schema, address)
	}
	switch id {
	case dialect.POX:
		r.Body = phone("outlook/requestschema/2006")
	case dialect.MobileSync:
		r.Body = phone("mobilesync/requestschema/2006")
	case dialect.SOAP:
		r.URL.Path = "/autodiscover/autodiscover.svc"
		r.Body = fmt.Appendf(nil, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns="%s2010/Autodiscover"><s:Body><GetUserSettingsRequestMessage>`+
			`<Request><Users><User><Mailbox>%s</Mailbox></User></Users></Request></GetUserSettingsRequestMessage></s:Body></s:Envelope>`, schemas, address)
	case dialect.MobileConfig:
		r.Method, r.URL.Path, r.URL.RawQuery = "GET", "/email.mobileconfig", "email="+url.QueryEscape(address)
	default:
		r.Method, r.URL.Path, r.URL.RawQuery = "GET", "/mail/config-v1.1.xml", "emailaddress="+url.QueryEscape(address)
	}
	return r
}

// parserFolder is where what is not installed system-wide lies.
func parserFolder() string {
	if dir := os.Getenv(parserDir); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "autodiscover-guard-tests")
}
