package dialect

import (
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"
)

// bplist builds a binary property list of one dict in one array in one dict: {PayloadContent: [{key: value…}]}.
func bplist(pairs ...string) []byte {
	var objects [][]byte
	add := func(b []byte) byte { objects = append(objects, b); return byte(len(objects) - 1) }
	str := func(s string) byte {
		if len(s) < 15 {
			return add(append([]byte{0x50 | byte(len(s))}, s...))
		}
		return add(append([]byte{0x5f, 0x10, byte(len(s))}, s...))
	}
	add(nil) // the top, written last
	inner := []byte{0xd0 | byte(len(pairs)/2)}
	var keys, values []byte
	for i := 0; i < len(pairs); i += 2 {
		keys = append(keys, str(pairs[i]))
		values = append(values, str(pairs[i+1]))
	}
	dict := add(append(append(inner, keys...), values...))
	array := add([]byte{0xa1, dict})
	objects[0] = []byte{0xd1, str("PayloadContent"), array}
	out := []byte("bplist00")
	var offsets []byte
	for _, o := range objects {
		offsets = append(offsets, byte(len(out)))
		out = append(out, o...)
	}
	table := len(out)
	out = append(out, offsets...)
	trailer := make([]byte, 32)
	trailer[6], trailer[7] = 1, 1
	binary.BigEndian.PutUint64(trailer[8:], uint64(len(objects)))
	binary.BigEndian.PutUint64(trailer[24:], uint64(table))
	return append(out, trailer...)
}

var (
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidEnvelopedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}
)

// inPieces is signed content as macOS and NSS write it: no element says how long it is, and the content is in pieces of that many bytes.
func inPieces(content string, size int) string {
	const begin, end = "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80\x06\x01\x2a\xa0\x80\x24\x80", "\x00\x00"
	var pieces strings.Builder
	for piece := range slices.Chunk([]byte(content), size) {
		pieces.WriteString("\x04" + string(rune(len(piece))) + string(piece))
	}
	return begin + pieces.String() + strings.Repeat(end, 3) + "\x31\x80" + strings.Repeat(end, 4)
}

// signed wraps content as a signer does; nobody here looks at the signature.
func signed(t *testing.T, content []byte, oid asn1.ObjectIdentifier) []byte {
	t.Helper()
	explicit := func(v any) asn1.RawValue {
		inner, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: inner}
	}
	type encapsulated struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}
	type data struct {
		Version int
		Digests []asn1.ObjectIdentifier `asn1:"set"`
		Inside  encapsulated
	}
	out, err := asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{oid, explicit(data{1, nil, encapsulated{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, explicit(content)}})})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func profileInquiry() Inquiry {
	return Inquiry{Dialect: MobileConfig, Request: Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: "mail.lab.test", Path: "/a.mobileconfig"}}}
}

// Every hoster has a form of his own.
func TestProfile_asksInAnyForm(t *testing.T) {
	for place, want := range map[string]string{
		"https://hoster.net/mobileconfig.php?mail=u%40lab.test&pw=x": "lab.test", "https://hoster.net/a.mobileconfig?q=x&u=u@lab.test": "lab.test",
		"https://hoster.net/u@lab.test.MobileConfig": "lab.test", "https://hoster.net/mail/u%40lab.test/email.mobileconfig": "lab.test",
		"https://hoster.net/email.mobileconfig?email=u%40lab.test": "lab.test", "https://hoster.net/email.mobileconfig?x=1": "hoster.net",
	} {
		q, ok := Recognise(ask(t, "GET", place, ""))
		if !ok || q.Dialect != MobileConfig || q.Subjects[len(q.Subjects)-1].Domain != want {
			t.Errorf("%s: %v, %+v; want %s", place, q.Dialect, q.Subjects, want)
		}
	}
}

// A page asks by a form; what else is sent to such a place is a profile that somebody puts there, about whomever, and as long as it likes.
func TestProfile_asksByForm(t *testing.T) {
	form := ask(t, "POST", "https://hoster.net/mobileconfig", "_mobileconfig=true&cn=U&emailaddress=u%40lab.test&password=x")
	form.Header = Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	if q, ok := Recognise(form); !ok || !NeedsBody(form) || q.Subjects[len(q.Subjects)-1].Domain != "lab.test" || q.SecretFree() {
		t.Errorf("a form: its body is needed: %v, bare: %v, %+v", NeedsBody(form), q.SecretFree(), q.Subjects)
	}
	for method, want := range map[string]bool{"HEAD": true, "POST": true, "PUT": false, "DELETE": false, "MOVE": false} {
		file := ask(t, method, "https://hoster.net/files/a.mobileconfig", "")
		file.Header = Header{"Content-Type": {"application/x-apple-aspen-config"}}
		if _, ok := Recognise(file); NeedsBody(file) || ok != want {
			t.Errorf("%s of a profile: recognised: %v, its body is needed: %v", method, ok, NeedsBody(file))
		}
	}
}

// A profile may bring more than mail, and an address need not have dots.
func TestProfile_serversOfOtherPayloads(t *testing.T) {
	for key, hosts := range map[string][]string{
		"ProxyServer": {"134744072", ""}, "RemoteAddress": {"2001:db8::1"}, "JabberHostName": {"chat"}, "HostName": {"files.lab.test"}, "CalDAVPrincipalURL": {`\\134744072`, "ftp:134744072"}, "ProxyAutoConfigServer": {"https://lab.test/pac"},
		"ProxyServerPort": nil, "PayloadDisplayName": nil, "IncomingMailServerAuthentication": nil, "hostname": nil,
	} {
		for _, value := range append(hosts, "x") {
			doc, _ := Read(profileInquiry(), Answer{Status: 200, Header: Header{}, Body: bplist("Host", "eas.lab.test", key, value)})
			if want := len(hosts) > 0 && value != ""; want != (len(doc.Suggestions) == 2) {
				t.Errorf("%s %q: %+v", key, value, doc.Suggestions)
			}
		}
	}
}

func TestProfile_binaryAndSignedAreReadAndNeverEdited(t *testing.T) {
	list := bplist("EmailAddress", "user@lab.test", "IncomingMailServerHostName", "imap.stranger.net", "IncomingPassword", "https://secret")
	xmlList := []byte(`<?xml version="1.0"?><plist version="1.0"><dict><key>Host</key><string>imap.stranger.net</string></dict></plist>`)
	der := signed(t, xmlList, oidSignedData)
	for name, body := range map[string][]byte{
		"binary":        list,
		"signed binary": signed(t, list, oidSignedData),
		"signed XML":    der,
		"signed, PEM":   pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: der}),
	} {
		doc, err := Read(profileInquiry(), Answer{Status: 200, Header: Header{"Content-Type": {"application/x-apple-aspen-config"}}, Body: body})
		if err != nil || len(doc.Suggestions) != 1 || doc.Suggestions[0].Host != "imap.stranger.net" {
			t.Errorf("%s: got %+v, %v", name, doc, err)
			continue
		}
		if _, err := doc.Edit(doc.Suggestions); !errors.Is(err, ErrFixed) {
			t.Errorf("%s: edited: %v", name, err)
		}
	}
}

// A signed text is passed as it stands, so it must be as plain as any other; and what is in a body that is no text is there to be looked at.
func TestProfile_whatIsInside(t *testing.T) {
	xmlList := func(head, host string) []byte {
		return []byte(head + `<plist version="1.0"><dict><key>Host</key><string>` + host + `</string></dict></plist>`)
	}
	sixteen, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().Bytes(xmlList("", "eas.lab.test"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content []byte
		plain   bool
	}{
		"plain":                  {xmlList(`<?xml version="1.0" encoding="UTF-8"?>`, "eas.lab.test"), true},
		"a comment":              {xmlList("", "eas.<!-- x -->lab.test"), false},
		"CDATA":                  {xmlList("", "<![CDATA[eas.lab.test]]>"), false},
		"an instruction":         {xmlList("<?x?>", "eas.lab.test"), false},
		"another charset":        {sixteen, false},
		"contradicting charsets": {xmlList(`<?xml version="1.0" encoding="utf-7"?>`, "eas.lab.test"), false},
		"binary":                 {bplist("Host", "eas.lab.test", "Nobody knows", strings.Repeat("x", 99)), true},
	} {
		for _, body := range [][]byte{signed(t, c.content, oidSignedData), []byte(inPieces(string(c.content), 100))} {
			doc, err := Read(profileInquiry(), Answer{Status: 200, Header: Header{}, Body: body})
			if c.plain && (err != nil || !doc.Plain || !doc.Sealed || !strings.Contains(string(doc.Inside), "<string>eas.lab.test</string>")) || doc.Plain && !c.plain {
				t.Errorf("%s: plain %v, sealed %v, inside %q, %v; want plain %v", name, doc.Plain, doc.Sealed, doc.Inside, err, c.plain)
			}
		}
	}
	doc, err := Read(profileInquiry(), Answer{Status: 200, Header: Header{}, Body: bplist("Host", "eas.lab.test", "Nobody knows", "a.net")})
	if want := "<key>PayloadContent</key><key>Host</key><string>eas.lab.test</string><key>Nobody knows</key><string>a.net</string>"; err != nil || string(doc.Inside) != want {
		t.Errorf("inside: %q, want %q (%v)", doc.Inside, want, err)
	}
}

func TestProfile_hostileBytesAreRefused(t *testing.T) {
	good := bplist("Host", "eas.lab.test")
	long := bplist("Host", "eas.lab.test", "Nobody knows", strings.Repeat("x", 99)) // shorter ones do not begin as CMS does
	circle := append([]byte(nil), good...)
	for i := range circle { // the array refers to the top dict, which holds it
		if circle[i] == 0xa1 {
			circle[i+1] = 0
		}
	}
	huge := append([]byte(nil), good...)
	binary.BigEndian.PutUint64(huge[len(huge)-24:], 1<<62)
	far := append([]byte(nil), good...)
	binary.BigEndian.PutUint64(far[len(far)-8:], 1<<63)
	pieces := inPieces(string(good), 30)
	ends := strings.Repeat("\x00\x00", 3)
	block := pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: signed(t, long, oidSignedData)})
	for name, body := range map[string][]byte{
		"circle": circle, "huge count": huge, "table beyond the end": far, "cut": good[:len(good)-5], "nothing": []byte("bplist00"),
		"encrypted": signed(t, long, oidEnvelopedData), "DER cut": signed(t, long, oidSignedData)[:40], "indefinite length": {0x30, 0x80, 0, 0},
		"pieces cut": []byte(pieces[:100]), "pieces without an end": []byte(pieces[:len(pieces)-2]), "a piece that is a number": []byte(strings.Replace(pieces, "\x24\x80\x04", "\x24\x80\x02", 1)),
		"octets without a length": []byte(strings.Replace(pieces, "\x24\x80\x04", "\x04\x80\x04", 1)), "two contents": []byte(strings.Replace(pieces, "\x24\x80\x04", "\x04\x00\x24\x80\x04", 1)),
		"elements in elements": []byte(strings.Repeat("\x30\x80", maxDepth+9)), "a length of five bytes": []byte("\x30\x80\x06\x85\x00\x00\x00\x00\x01*"),
		"PEM of nothing": []byte("-----BEGIN PKCS7-----\n"), "PEM of two": slices.Concat(block, block),
		"a content more": []byte(strings.Replace(pieces, ends+"\x31\x80", "\x00\x00\x04\x01x\x00\x00\x00\x00\x31\x80", 1)), "something behind the content": []byte(strings.Replace(pieces, ends+"\x31\x80", "\x00\x00\x00\x00\x04\x01x\x00\x00\x31\x80", 1)),
		"no signature": signed(t, long, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 5}), "a length cut": {0x30, 0x82, 1}, "an element of one byte": {0x30, 0x81, 1, 6},
		"signed, in no charset": signed(t, []byte(`<?xml version="1.0" encoding="utf-7"?><plist version="1.0"><dict><key>Host</key><string>eas.lab.test</string></dict></plist>`), oidSignedData),
	} {
		_, err := Read(profileInquiry(), Answer{Status: 200, Header: Header{}, Body: body})
		if !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What parsers of property lists read in different ways is not read at all.
func TestProfile_notBeyondDoubt(t *testing.T) {
	const host = "<key>Host</key><string>eas.lab.test</string>"
	for name, list := range map[string]string{
		"plain":                 "<dict>" + host + "<key>a</key><false/><key>b</key><real>1</real><key>c</key><date>2026-01-01T00:00:00Z</date></dict>",
		"two lists":             "<dict>" + host + "</dict><dict/>",
		"a key twice":           "<dict>" + host + host + "</dict>",
		"a key without a value": "<dict>" + host + "<key>a</key></dict>",
		"a value without a key": "<dict>" + host + "<string>a</string><string>b</string></dict>",
		"an unknown type":       "<dict>" + host + "<key>a</key><host>b</host></dict>",
		"elements in a key":     "<dict>" + host + "<key>a<c/></key><string>b</string></dict>",
		"elements in a string":  "<dict>" + host + "<key>a</key><string>b<c/></string></dict>",
	} {
		body := `<plist version="1.0">` + list + "</plist>"
		_, err := Read(profileInquiry(), Answer{Status: 200, Header: Header{}, Body: []byte(body)})
		if (name == "plain") != (err == nil) || err != nil && !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(profileInquiry(), Answer{Status: 200, Header: Header{}, Body: bplist("Host", "eas.lab.test", "Host", "imap.stranger.net")}); !errors.Is(err, ErrUnreadable) {
		t.Errorf("a key twice, binary: %v", err)
	}
}

func FuzzBinaryPlist(f *testing.F) {
	f.Add(bplist("Host", "eas.lab.test", "EmailAddress", strings.Repeat("x", 20)))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := parseBinaryPlist(data)
		if (root == nil) == (err == nil) {
			t.Errorf("got %v and %v", root, err)
		}
	})
}

// A password that reads like an address is nobody whom the question is about: what stands behind its @ would be in the log, and P@home.test would be guarded.
func TestRecognise_passwordIsNobody(t *testing.T) {
	for name, c := range map[string]struct{ place, body string }{
		"a form":            {"mobileconfig", "cn=U&_password=P%40ssw0rd&_mailaddress=u%40shop.com"},
		"a form, the other": {"mobileconfig", "mail=u@shop.com&pw=P@home.test&pwd=P@home.test&user_pass=P@home.test&passwort=P@home.test"},
		"a link":            {"mobileconfig?email=u@shop.com&Password=P@ssw0rd&passwd=P@home.test", ""},
		"WS-Security": {"autodiscover/autodiscover.svc", `<o:Username>SHOP\u</o:Username><o:Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText">P@ssw0rd` +
			`</o:Password><a>u@shop.com</a>`},
		"POX":                {"autodiscover/autodiscover.xml", "<Autodiscover><Request><Password>P@ssw0rd</Password><LoginName>u@shop.com</LoginName></Request></Autodiscover>"},
		"JSON":               {"autodiscover/autodiscover.xml", `{"imapPassword" : "P@ssw0rd", "email":"u@shop.com"}`},
		"empty, in XML":      {"autodiscover/autodiscover.xml", "<a><Password></Password><Mail>u@shop.com</Mail><Password/><Mail>u@shop.com</Mail></a>"},
		"empty, and bare":    {"autodiscover/autodiscover.xml", "<a><Password></Password>u@shop.com</a>"},
		"empty, in a form":   {"mobileconfig", "password=&mail=u%40shop.com"},
		"somebody called so": {"autodiscover/autodiscover.xml", "<a>Ann Compass &lt;u@shop.com&gt;, pass@shop.com, u@shop.com</a>"},
	} {
		r := ask(t, "POST", "https://hoster.net/"+c.place, c.body)
		r.Header = Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		q, ok := Recognise(r)
		var domains []string
		for _, s := range q.Subjects {
			if s.Carrier != CarrierHost {
				domains = append(domains, s.Domain)
			}
		}
		if domains = slices.Compact(domains); !ok || !slices.Equal(domains, []string{"shop.com"}) {
			t.Errorf("%s: recognised: %v, about %q", name, ok, domains)
		}
	}
}
