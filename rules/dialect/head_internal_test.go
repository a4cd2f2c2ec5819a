package dialect

import (
	"bytes"
	"compress/gzip"
	"net/url"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"golang.org/x/text/encoding/charmap"
)

const streamingEvents = `<?xml version="1.0" encoding="utf-8"?><soap11:Envelope xmlns:soap11="http://schemas.xmlsoap.org/soap/envelope/"><soap11:Header>` +
	`<ServerVersionInfo xmlns="http://schemas.microsoft.com/exchange/services/2006/types" MajorVersion="15"/></soap11:Header><soap11:Body>` +
	`<m:GetStreamingEventsResponse xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">`

func TestNotDiscovery(t *testing.T) {
	plain := Header{"Content-Type": {"text/xml; charset=utf-8"}}
	for name, c := range map[string]struct {
		head string
		h    Header
		want bool
	}{
		"notifications":             {streamingEvents, plain, true},
		"cut in the tag":            {strings.TrimSuffix(streamingEvents, ">"), plain, false},
		"before the Body":           {streamingEvents[:strings.Index(streamingEvents, "<soap11:Body>")], plain, false},
		"other SOAP":                {strings.ReplaceAll(streamingEvents, "exchange/services/2006", "other"), plain, false},
		"SOAP autodiscover":         {strings.ReplaceAll(streamingEvents, "exchange/services/2006/messages", "exchange/2010/Autodiscover"), plain, false},
		"a page":                    {"<html><body>", plain, true},
		"much before the first":     {strings.Repeat("<!-- x -->", 2*maxSniffed), plain, false},
		"much of nobody's":          {"<feed>" + strings.Repeat("<entry/>", maxSniffed), plain, true},
		"little of nobody's":        {"<feed><entry/>", plain, false},
		"settings":                  {"<Autodiscover><Response>", plain, false},
		"properties":                {`<D:multistatus xmlns:D="DAV:">` + strings.Repeat("<D:response/>", maxSniffed), plain, false},
		"settings, wrapped":         {"<wrapped><Autodiscover>" + strings.Repeat("<x/>", maxSniffed), plain, false},
		"an object":                 {`{"state":1}`, plain, false},
		"an object and a space":     {"{\"state\":1}\r\n", plain, false},
		"an object that goes on":    {`{"state":[1,2,3,{"a":`, plain, false},
		"objects, line by line":     {"{\"state\":1}\n{", plain, true},
		"an object and a mark":      {"{\"state\":1}\x00", plain, false},
		"an array":                  {`[{"protocols":[]`, plain, true},
		"an array in UTF-16":        {"[\x00{\x00", plain, false},
		"an array, UTF-7 by name":   {"[{", Header{"Content-Type": {"application/json; charset=utf-7"}}, false},
		"nothing":                   {"", plain, false},
		"text":                      {"imap.corp.net", plain, false},
		"text behind space":         {"\n\nimap.corp.net", plain, true},
		"settings behind space":     {"\n\n<Autodiscover>", plain, false},
		"coded":                     {streamingEvents, Header{"Content-Encoding": {"gzip"}}, false},
		"another charset":           {streamingEvents, Header{"Content-Type": {"text/xml; charset=utf-7"}}, false},
		"another declared one":      {strings.Replace(streamingEvents, "utf-8", "utf-16", 1), Header{}, false},
		"not quite UTF-8":           {streamingEvents + "\xff\xfe text", plain, false},
		"a character cut in two":    {streamingEvents + "<a>\xc3", plain, true},
		"UTF-16":                    {strings.ReplaceAll(streamingEvents, "", "\x00"), plain, false},
		"a mark and then the notes": {"\xef\xbb\xbf" + streamingEvents, plain, true},
	} {
		if got := NotDiscovery(c.h, []byte(c.head)); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}

func TestMayBeDiscovery(t *testing.T) {
	for name, c := range map[string]struct {
		head  string
		ended bool
		want  bool
	}{
		"nothing yet":                      {"", false, true},
		"nothing, and that is all":         {"", true, false},
		"a few bytes":                      {"\x1f", false, true},
		"gzip":                             {"\x1f\x8b\x08\x00 and so on and so on", false, true},
		"a property list":                  {"bplist00 and so on and so on", false, true},
		"something signed":                 {"\x30\x82 and so on and so on and on", false, true},
		"something else":                   {"\x03\x01\x6a and so on and so on", false, false},
		"an event":                         {"event: state\ndata: {}\n\n", false, false},
		"a short event":                    {": ping\n\n", false, true},
		"a short event, and that is all":   {": ping\n\n", true, false},
		"XML in EBCDIC":                    {"\x4c\x6f\xa7\x94\x93 and so on and on", false, true},
		"a document":                       {`{"protocols": [], "email"`, false, true},
		"space, and then perhaps one":      {strings.Repeat(" ", 100), false, true},
		"space, for longer than anybody's": {strings.Repeat(" ", SniffLength+1), false, true},
		"space, and something behind it":   {strings.Repeat("\n", 2*SniffLength) + "data", true, true},
		"a page in another namespace":      {"<html:html xmlns:html='a'>", false, true},
		"something called like a page":     {"<HTML:Autodiscover xmlns:HTML='a'>", false, true},
		"a page without more":              {"<html>", true, false},
		"the beginning of a page":          {"<html", true, false},
		"a page":                           {"<!DOCTYPE html><html>", false, false},
		"a page, with an old DOCTYPE":      {"<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\n \"http://www.w3.org/TR/html4/strict.dtd\">\n<!-- x -->\n<HTML lang=en>", false, false},
		"settings behind a page's DOCTYPE": {"<!DOCTYPE html><clientConfig>", false, true},
	} {
		if got := MayBeDiscovery(Header{}, []byte(c.head), c.ended); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}

// A profile that is no text is seen where nobody looks for one; a certificate, and an application's own list, are not taken for it.
func TestSniff_profilesThatAreNoText(t *testing.T) {
	list := bplist("PayloadType", "com.apple.mail.managed", "IncomingMailServerHostName", "imap.stranger.net")
	for name, c := range map[string]struct {
		body []byte
		want bool
	}{
		"binary":                {list, true},
		"signed":                {signed(t, list, oidSignedData), true},
		"signed text":           {signed(t, []byte(`<plist><dict><key>PayloadType</key></dict></plist>`+strings.Repeat(" ", 1000)), oidSignedData), true},
		"an application's list": {bplist("Host", "imap.stranger.net"), false},
		"a certificate":         {append([]byte{0x30, 0x82, 0x03, 0x01}, make([]byte, 0x301)...), false},
		"encrypted":             {signed(t, list, oidEnvelopedData), false},
	} {
		q, got := Sniff(Request{URL: &url.URL{Scheme: "https", Host: "example.com", Path: "/"}, Header: Header{}}, Answer{Status: 200, Header: Header{}, Body: c.body})
		if got != c.want || got && q.Dialect != MobileConfig {
			t.Errorf("%s: got %v, %t", name, q.Dialect, got)
		}
		if !Sniffable(Header{}, c.body[:16]) || !MayBeDiscovery(Header{}, c.body[:16], false) {
			t.Errorf("%s: is given up at its beginning", name)
		}
	}
}

// An iPhone takes for a profile what says so, in forms that are not read here, too: signed in BER, with a length of four bytes, or with keys in UTF-16.
func TestSniff_whatSaysThatItIsAProfile(t *testing.T) {
	forms := map[string]string{
		"BER": "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80 PayloadType", "four bytes": "\x30\x84\x00\x00\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
		"UTF-16": "bplist00\xd1\x01\x02\x6b\x00P\x00a\x00y\x00l\x00o\x00a\x00d\x00T\x00y\x00p\x00e", "a page": "<!DOCTYPE html><html>a page",
	}
	for name, body := range forms {
		for says, c := range map[string]struct {
			h    Header
			want ID
		}{
			"the type":    {Header{"Content-Type": {"application/X-Apple-Aspen-Config; charset=utf-8"}}, MobileConfig},
			"two types":   {Header{"Content-Type": {"text/html", "application/x-apple-aspen-config"}}, MobileConfig},
			"the name":    {Header{"Content-Type": {"application/octet-stream"}, "Content-Disposition": {`attachment; filename="Lab.MobileConfig"`}}, MobileConfig},
			"coded":       {Header{"Content-Type": {"application/x-apple-aspen-config"}, "Content-Encoding": {"gzip"}}, MobileConfig},
			"a signature": {Header{"Content-Type": {"application/pkcs7-mime"}, "Content-Disposition": {"attachment; filename=smime.p7m"}}, None},
		} {
			a := Answer{Status: 200, Header: c.h, Body: []byte(body)}
			if q, _ := Sniff(ask(t, "GET", "https://lab.test/settings.php", ""), a); q.Dialect != c.want || c.want != None && !MayBeDiscovery(c.h, a.Body, false) {
				t.Errorf("%s, by %s: got %v, want %v", name, says, q.Dialect, c.want)
			}
		}
	}
}

// An answer that no strict parser reads, or only beyond what is looked at, is the one that a lenient client takes its settings from all the same.
func TestSniff_whatLenientClientsRead(t *testing.T) {
	const config = `<clientConfig version="1.1"><emailProvider id="lab.test"><incomingServer type="imap"><hostname>imap.stranger.net</hostname></incomingServer></emailProvider></clientConfig>`
	packed := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(s)) // a Buffer takes everything
		_ = w.Close()
		return b.String()
	}
	var wide []byte
	for _, c := range []byte(config) {
		wide = append(wide, c, 0, 0, 0)
	}
	long := brotlied(t, config+strings.Repeat(" ", 64<<10))
	if long[0] != '[' {
		t.Fatalf("it begins with %q", long[0])
	}
	ebcdic, err := charmap.CodePage037.NewEncoder().String(`<?xml version="1.0" encoding="IBM037"?>` + config)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body string
		h    Header
		want ID
	}{
		"a byte of Latin 1":             {strings.Replace(config, "lab", "l\xe4b", 1), Header{}, Autoconfig},
		"a charset that nobody knows":   {config, Header{"Content-Type": {"text/xml; charset=x-nobody"}}, Autoconfig},
		"UTF-32":                        {"\xff\xfe\x00\x00" + string(wide), Header{}, Autoconfig},
		"XML 1.1":                       {`<?xml version="1.1"?>` + config, Header{}, Autoconfig},
		"a DOCTYPE of pages":            {"<!DOCTYPE html>" + config, Header{}, Autoconfig},
		"a hundred comments before":     {strings.Repeat("<!-- x -->", 100) + config, Header{}, Autoconfig},
		"gzip with something behind":    {packed(config) + "rest", Header{"Content-Encoding": {"gzip"}}, Autoconfig},
		"gzip without its end":          {strings.TrimSuffix(packed(config), packed(config)[len(packed(config))-8:]), Header{"Content-Encoding": {"gzip"}}, Autoconfig},
		"JSON of Mozilla's":             {`{"clientConfig":{"emailProvider":{"@id":"lab.test"}}}`, Header{}, Autoconfig},
		"a profile":                     {`<plist><dict><key>PayloadType</key><string>Configuration</string></dict></plist>`, Header{}, MobileConfig},
		"a profile with references":     {`<plist><dict><key>Payload&#84;ype</key><string>Configuration</string></dict></plist>`, Header{}, MobileConfig},
		"a manifest of apps":            {`<?xml version="1.0"?><plist version="1.0"><dict><key>items</key><array/></dict></plist>`, Header{}, None},
		"members that stand twice":      {`{"email":"u@lab.test","protocols":[],"protocols":[]}`, Header{}, Autodetect},
		"more values than are read":     {`{"Protocol":"EWS","x":[` + strings.Repeat("1,", maxNodes) + `1],"Url":"https://stranger.net/"}`, Header{}, V2},
		"a comma behind the last":       {`{"Protocol":"EWS","Url":"https://stranger.net/",}`, Header{}, V2},
		"a comment between members":     {`{"Protocol":"EWS","Url":"https://stranger.net/", /* x */ "more":1}`, Header{}, V2},
		"what is no number":             {`{"apiUrl":"https://stranger.net/","capabilities":{},"x":NaN}`, Header{}, JMAP},
		"a mistake in front of all":     {`{/* x */ "Protocol":"EWS","Url":"https://stranger.net/"}`, Header{}, None},
		"no number in front of all":     {`{"x":[NaN,-Infinity],"apiUrl":"https://stranger.net/","capabilities":{}}`, Header{}, JMAP},
		"called UTF-16LE":               {`{"apiUrl":"https://stranger.net/","capabilities":{}}`, Header{"Content-Type": {"application/json; charset=UTF-16LE"}}, JMAP},
		"calling itself UTF-16BE":       {`<?xml version="1.0" encoding="UTF-16BE"?>` + config, Header{}, Autoconfig},
		"control characters of SCSU":    {`<?xml version="1.0" encoding="SCSU"?>` + strings.Replace(config, "1.1", "1.\v1", 1), Header{}, Autoconfig},
		"EBCDIC":                        {ebcdic, Header{}, Autoconfig},
		"a page":                        {"<!DOCTYPE html><html><body>clientConfig</body></html>", Header{}, None},
		"an array":                      {`[{"email":"u@lab.test","protocols":[]}]`, Header{}, None},
		"something behind the object":   {`{"email":"u@lab.test","protocols":[]}{}`, Header{}, None},
		"an object that is cut off":     {`{"email":"u@lab.test","protocols":[],"x"`, Header{}, None},
		"an object of something else":   {`{"protocol":"https","urls":[]}`, Header{}, None},
		"members of an object in it":    {`{"a":{"email":"u@lab.test","protocols":[]}}`, Header{}, None},
		"bytes of something else":       {"\xff\xd8\xff\xe0<clientConfig>", Header{}, None},
		"in a coding that nobody knows": {config, Header{"Content-Encoding": {"x-nobody"}}, Autoconfig},
		"a charset for a coding":        {config, Header{"Content-Encoding": {"utf-8"}}, Autoconfig},
		"Brotli like an array":          {long, Header{"Content-Encoding": {"br"}}, Autoconfig},
		"not coded":                     {config, Header{"Content-Encoding": {"br"}}, Autoconfig},
	} {
		q, _ := Sniff(Request{URL: &url.URL{Scheme: "https", Host: "lab.test", Path: "/"}, Header: Header{}}, Answer{Status: 200, Header: c.h, Body: []byte(c.body)})
		if q.Dialect != c.want {
			t.Errorf("%s: got %v, want %v", name, q.Dialect, c.want)
		}
		if head := c.body[:min(len(c.body), 2000)]; c.want != None && (!MayBeDiscovery(c.h, []byte(head), false) || NotDiscovery(c.h, []byte(head))) {
			t.Errorf("%s: is given up at its beginning", name)
		}
	}
}

func brotlied(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := brotli.NewWriter(&b)
	_, _ = w.Write([]byte(s)) // a Buffer takes everything
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is foreign stays so, whatever follows.
func TestNotDiscovery_staysSo(t *testing.T) {
	plain := Header{"Content-Type": {"application/octet-stream"}}
	r := Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: "corp.net", Path: "/settings", RawQuery: "email=user@corp.net"}}
	foreign := 0
	for _, body := range append(corpusBodies(t, "<"), corpusBodies(t, "{")...) {
		body = append(body, "\n{\"a\":1}\n["...) // no document of the corpus has anything behind it
		for cut := len(body); cut > 0; cut -= 1 + len(body)/16 {
			if !NotDiscovery(plain, body[:cut]) {
				continue
			}
			foreign++
			for _, rest := range []string{
				string(body[cut:]), `{"email":"user@corp.net","protocols":[]}`, `"protocols":[],"email":""}`, "]}", "<Autodiscover/>", "</a></Body></Envelope>",
			} {
				if q, ok := Sniff(r, Answer{Status: 200, Header: plain, Body: []byte(string(body[:cut]) + rest)}); ok && q.Dialect != Suspected {
					t.Errorf("%.60q… is given up after %d bytes, and %v with %.20q behind it", body, cut, q.Dialect, rest)
				}
			}
		}
	}
	if foreign < 100 {
		t.Errorf("%d beginnings are foreign, want more", foreign)
	}
}

// The beginning of what is coded is what its client reads, as far as it is there.
func TestDecodedHead(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte("<html>" + strings.Repeat("x", 100))) // a Buffer takes everything
	_ = w.Flush()
	whole := packed.String()
	coded := Header{"Content-Encoding": {"gzip"}, "Content-Type": {"text/html"}}
	for name, c := range map[string]struct {
		h     Header
		head  string
		want  string
		coded bool
	}{
		"cut off":            {coded, whole, "<html>" + strings.Repeat("x", 100), true},
		"by its first bytes": {Header{}, whole, "<html>" + strings.Repeat("x", 100), true},
		"nothing yet":        {coded, whole[:8], whole[:8], true},
		"not coded":          {Header{}, "<html>", "<html>", false},
		"labelled alone":     {coded, "<html>", "<html>", true},
		"one byte":           {Header{"Content-Encoding": {"br"}}, "[", "[", true},
		"an unknown coding":  {Header{"Content-Encoding": {"x"}}, whole, whole, false},
	} {
		h, text, coded := DecodedHead(c.h, []byte(c.head))
		if string(text) != c.want || coded != c.coded {
			t.Errorf("%s: got %q, %t", name, text, coded)
		}
		if undone := len(h["Content-Encoding"]) == 0; name == "cut off" && !undone || (name == "nothing yet" || name == "one byte") && undone {
			t.Errorf("%s: %v", name, h)
		}
	}
	if h, _, _ := DecodedHead(coded, []byte(whole)); h.Get("Content-Type") != "text/html" || coded.Get("Content-Encoding") != "gzip" {
		t.Errorf("%v; the caller's: %v", h, coded)
	}
}
