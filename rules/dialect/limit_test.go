package dialect_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	quickgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"autodiscover-guard/rules/dialect"
)

// TestRead_refusesBombs: hostile documents are refused for their size, depth, number of parts or ratio, not by exhaustion.
func TestRead_refusesBombs(t *testing.T) {
	packed := map[string][]byte{"gzip": gzipBomb(t), "br": brotliBomb(t), "zstd": zstdBomb(t)}
	for name, a := range map[string]dialect.Answer{
		"ten thousand elements deep": xmlAnswer(strings.Repeat("<a>", 10_000)),
		"a million elements":         xmlAnswer("<Autodiscover>" + strings.Repeat("<a/>", 200_000) + "</Autodiscover>"),
		"long names":                 xmlAnswer("<Autodiscover><" + strings.Repeat("n", 300_000) + ">" + strings.Repeat("<Server>a.b</Server>", 4000) + "</" + strings.Repeat("n", 300_000) + "></Autodiscover>"),
		"a thousand attributes":      xmlAnswer("<Autodiscover " + attributes(1000) + "/>"),
		"entities in entities":       xmlAnswer(`<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Autodiscover>&b;</Autodiscover>`),
		"JSON of ten thousand levels": {
			Status: 200, Header: dialect.Header{"Content-Type": {"application/json"}}, Body: []byte(strings.Repeat("[", 10_000)),
		},
		"JSON of a hundred levels": {
			Status: 200, Header: dialect.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`),
		},
		"JSON of a hundred thousand values": {
			Status: 200, Header: dialect.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"a":[` + strings.Repeat("1,", 100_000) + `1]}`),
		},
		"gzip":         coded("gzip", packed["gzip"]),
		"br":           coded("br", packed["br"]),
		"zstd":         coded("zstd", packed["zstd"]),
		"gzip unnamed": coded("", packed["gzip"]),
		"five codings": coded("gzip, gzip, gzip, gzip, gzip", packed["gzip"]),
		"unknown":      coded("compress", []byte("x")),
	} {
		for _, id := range []dialect.ID{dialect.Autodetect, dialect.POX} {
			if strings.Contains(name, "JSON") != (id == dialect.Autodetect) && a.Header.Get("Content-Encoding") == "" {
				continue
			}
			_, err := dialect.Read(inquiry(t, id), a)
			if !errors.Is(err, dialect.ErrUnreadable) || packed[name] != nil && !strings.Contains(err.Error(), name+" expands beyond") {
				t.Errorf("%s as %v: got %v", name, id, err)
			}
		}
	}
}

// TestRead_notBeyondDoubt: what parsers read in different ways is not read, whatever settings it holds.
func TestRead_notBeyondDoubt(t *testing.T) {
	const settings = "<Response><Account><Protocol><Type>IMAP</Type><Server>imap.lab.test</Server></Protocol></Account></Response>"
	long := strings.Repeat("n", 129)
	for name, c := range map[string]struct{ front, behind string }{
		"plain":                           {"<Autodiscover>", "</Autodiscover>"},
		"an attribute twice":              {`<Autodiscover a="1" a="2">`, "</Autodiscover>"},
		"an attribute with a long name":   {`<Autodiscover ` + long + `="1">`, "</Autodiscover>"},
		"an element with a long name":     {"<Autodiscover><" + long + "/>", "</Autodiscover>"},
		"a declaration inside":            {"<Autodiscover><!DOCTYPE x>", "</Autodiscover>"},
		"a declaration of an entity":      {"<Autodiscover><!ENTITY x 'y'>", "</Autodiscover>"},
		"elements in a redirect":          {"<Autodiscover><Response><Account><RedirectUrl><u>134744072</u></RedirectUrl></Account></Response>", "</Autodiscover>"},
		"elements in a URL":               {"<Autodiscover><Response><EwsUrl><u>134744072</u></EwsUrl></Response>", "</Autodiscover>"},
		"two roots":                       {"<Autodiscover>", "</Autodiscover><Autodiscover/>"},
		"text behind the root":            {"<Autodiscover>", "</Autodiscover>imap"},
		"nothing but a comment around it": {"<!-- ", " -->"},
		"bytes that are no UTF-8":         {"<Autodiscover a='\xff'>", "</Autodiscover>"},
		"those behind a byte order mark":  {"\ufeff<Autodiscover a='\xff'>", "</Autodiscover>"},
		"bytes that are no Shift JIS":     {"<?xml version='1.0' encoding='shift_jis'?><Autodiscover a='\x81\x20'>", "</Autodiscover>"},
		"UTF-16 that is none":             {"<?xml version='1.0' encoding='utf-16'?><Autodiscover>", "</Autodiscover>"},
		"a charset never to be decoded":   {"<?xml version='1.0' encoding='iso-2022-kr'?><Autodiscover>", "</Autodiscover>"},
	} {
		_, err := dialect.Read(inquiry(t, dialect.POX), xmlAnswer(c.front+settings+c.behind))
		if (name == "plain") != (err == nil) || err != nil && !errors.Is(err, dialect.ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, body := range []string{`{"\u0070rotocols":[{"protocol":"imap","hostname":"imap.lab.test"}],"` + long + `":1}`, `{"protocols":[],"\u0070rotocols":[{"protocol":"imap","hostname":"imap.lab.test"}]}`} {
		a := dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
		if _, err := dialect.Read(inquiry(t, dialect.Autodetect), a); !errors.Is(err, dialect.ErrUnreadable) {
			t.Errorf("%.40s…: %v", body, err)
		}
	}
}

// TestRead_undoesEveryCoding: named, misnamed, unnamed and stacked.
func TestRead_undoesEveryCoding(t *testing.T) {
	plain := []byte(`<?xml version="1.0"?><Autodiscover><Response><Account><Protocol><Type>IMAP</Type><Server>imap.stranger.net</Server></Protocol></Account></Response></Autodiscover>`)
	gz := gzipped(t, plain)
	for name, a := range map[string]dialect.Answer{
		"identity":         coded("identity", plain),
		"gzip":             coded("gzip", gz),
		"x-gzip":           coded("X-GZip", gz),
		"br":               coded("br", brotlied(t, plain)),
		"zstd":             coded("zstd", zstded(t, plain)),
		"twice":            coded("br, gzip", gzipped(t, brotlied(t, plain))),
		"not named":        coded("", gz),
		"named, not coded": coded("gzip", plain),
		"twice, once told": coded("gzip", gzipped(t, gz)),
		"two members":      coded("gzip", append(gzipped(t, plain[:50]), gzipped(t, plain[50:])...)),
	} {
		doc, err := dialect.Read(inquiry(t, dialect.POX), a)
		if err != nil || len(doc.Suggestions) != 1 || doc.Suggestions[0].Host != "imap.stranger.net" {
			t.Errorf("%s: %+v, %v", name, doc, err)
		}
	}
}

func inquiry(t *testing.T, id dialect.ID) dialect.Inquiry {
	t.Helper()
	return dialect.Inquiry{Dialect: id, Request: dialect.Request{Method: "POST", URL: &url.URL{Scheme: "https", Host: "lab.test"}}}
}

func xmlAnswer(body string) dialect.Answer {
	return dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: []byte(body)}
}

func coded(coding string, body []byte) dialect.Answer {
	a := dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: body}
	if coding != "" {
		a.Header["Content-Encoding"] = []string{coding}
	}
	return a
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("a" + strings.Repeat("b", i) + `="" `)
	}
	return b.String()
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	finish(t, w, b)
	return out.Bytes()
}

// bombMebibytes are how much white space a bomb is.
const bombMebibytes = 64

// gzipBomb does not take the standard library's packer: under the race detector, that is seven times as slow.
func gzipBomb(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := quickgzip.NewWriter(&out)
	for range bombMebibytes {
		whiteSpace(t, w, w.Flush)
	}
	finish(t, w, nil)
	return out.Bytes()
}

func zstdBomb(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	for range bombMebibytes {
		whiteSpace(t, w, w.Flush)
	}
	finish(t, w, nil)
	return out.Bytes()
}

// brotliBomb packs two mebibytes, and repeats what the second has become: Brotli has no checksum, and packing is dear.
func brotliBomb(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := brotli.NewWriter(&out)
	whiteSpace(t, w, w.Flush)
	first := out.Len()
	whiteSpace(t, w, w.Flush)
	second := out.Len()
	finish(t, w, nil)
	b := out.Bytes()
	return slices.Concat(b[:first], bytes.Repeat(b[first:second], bombMebibytes-1), b[second:])
}

func whiteSpace(t *testing.T, w io.Writer, flush func() error) {
	t.Helper()
	_, err := w.Write(bytes.Repeat([]byte(" "), 1<<20))
	if err == nil {
		err = flush()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func brotlied(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := brotli.NewWriter(&out)
	finish(t, w, b)
	return out.Bytes()
}

func zstded(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	finish(t, w, b)
	return out.Bytes()
}

func finish(t *testing.T, w interface {
	Write(b []byte) (int, error)
	Close() error
}, b []byte,
) {
	t.Helper()
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRead_plainMeansOneReading: what labels or codings let one client read differently from the next is not plain.
func TestRead_plainMeansOneReading(t *testing.T) {
	const body = `<clientConfig><emailProvider><incomingServer type="imap"><hostname>imap.stranger.net.lab.test</hostname></incomingServer></emailProvider></clientConfig>`
	cut := strings.Index(body, ".lab.test")
	members := append(gzipped(t, []byte(body[:cut])), gzipped(t, []byte(body[cut:]))...)
	frames := append(zstded(t, []byte(body[:cut])), zstded(t, []byte(body[cut:]))...)
	skipped := append([]byte{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, '<'}, zstded(t, []byte(body))...) // RFC 8878, section 3.1.2
	var sixteen []byte                                                                             // big-endian, and nothing says so
	for _, c := range []byte(body) {
		sixteen = append(sixteen, 0, c)
	}
	for name, c := range map[string]struct {
		header dialect.Header
		body   []byte
		plain  bool
	}{
		"a type":                         {dialect.Header{"Content-Type": {"text/xml; charset=utf-8"}}, []byte(body), true},
		"another way to write it":        {dialect.Header{"Content-Type": {`application/autoconfig+xml ;charset="UTF-8";`}}, []byte(body), true},
		"two types":                      {dialect.Header{"Content-Type": {"text/xml", "text/xml; charset=utf-7"}}, []byte(body), false},
		"a charset without end":          {dialect.Header{"Content-Type": {`text/xml; charset="utf-7`}}, []byte(body), false},
		"two charsets":                   {dialect.Header{"Content-Type": {"text/xml; charset=utf-8; charset=utf-7"}}, []byte(body), false},
		"gzip":                           {dialect.Header{"Content-Type": {"text/xml"}, "Content-Encoding": {"gzip"}}, gzipped(t, []byte(body)), true},
		"zstd":                           {dialect.Header{"Content-Type": {"text/xml"}, "Content-Encoding": {"zstd"}}, zstded(t, []byte(body)), true},
		"zstd whose first frame is cut":  {dialect.Header{"Content-Type": {"text/xml"}, "Content-Encoding": {"zstd"}}, frames, false},
		"zstd behind what is skipped":    {dialect.Header{"Content-Type": {"text/xml"}, "Content-Encoding": {"zstd"}}, skipped, false},
		"x-gzip":                         {dialect.Header{"Content-Type": {"text/xml"}, "Content-Encoding": {"x-gzip"}}, gzipped(t, []byte(body)), true},
		"two codings":                    {dialect.Header{"Content-Type": {"text/xml"}, "Content-Encoding": {"br, ", "gzip"}}, gzipped(t, brotlied(t, []byte(body))), true},
		"gzip whose first member is cut": {dialect.Header{"Content-Type": {"text/xml"}, "Content-Encoding": {"gzip"}}, members, false},
		"x-gzip, its first member cut":   {dialect.Header{"Content-Type": {"text/xml"}, "Content-Encoding": {"x-gzip"}}, members, false},
		"gzip that is not named":         {dialect.Header{"Content-Type": {"text/xml"}}, gzipped(t, []byte(body)), false},
		"gzip that is only named":        {dialect.Header{"Content-Type": {"text/xml"}, "Content-Encoding": {"gzip"}}, []byte(body), false},
		"gzip twice, named once":         {dialect.Header{"Content-Type": {"text/xml"}, "Content-Encoding": {"gzip"}}, gzipped(t, gzipped(t, []byte(body))), false},
		"a byte order mark":              {dialect.Header{"Content-Type": {"text/xml"}}, []byte("\ufeff" + body), false},
		"UTF-16":                         {dialect.Header{"Content-Type": {"text/xml"}}, sixteen, false},
		"a declaration beside a charset": {dialect.Header{"Content-Type": {"text/xml; charset=utf-8"}}, []byte(`<?xml version="1.0" encoding="iso-2022-kr"?>` + body), false},
		"one that means the same":        {dialect.Header{"Content-Type": {"text/xml; charset=utf-8"}}, []byte(`<?xml version="1.0" encoding="iso-8859-1"?>` + body), true},
		"one that means another letter":  {dialect.Header{"Content-Type": {"text/xml; charset=utf-8"}}, []byte(`<?xml version="1.0" encoding="iso-8859-1"?>` + strings.Replace(body, "<emailP", "<displayName>é</displayName><emailP", 1)), false},
	} {
		d, err := dialect.Read(inquiry(t, dialect.Autoconfig), dialect.Answer{Status: 200, Header: c.header, Body: c.body})
		if err != nil || len(d.Suggestions) != 1 || d.Plain != c.plain {
			t.Errorf("%s: plain %v, %d suggestions, %v; want plain %v", name, d.Plain, len(d.Suggestions), err, c.plain)
		}
	}
}
