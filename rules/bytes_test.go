package rules_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// coating is a way to put a document into bytes. What it makes is committed below testdata/bytes, one file per document, so that another
// version of a compressor does not quietly change what is tested; go test ./rules -run Bytes -update writes the files anew.
type coating struct {
	name            string
	charset, coding string // as the header names them
	declared        string // as the XML declaration does
	make            func(tb testing.TB, text string) []byte
	want            rules.Action // for a lab to which one own server and one stranger are suggested
}

var coatings = []coating{
	{"utf-8", "utf-8", "", "utf-8", plain, rules.ActionEdit},
	{"utf-8-bom", "utf-8", "", "utf-8", func(_ testing.TB, s string) []byte { return []byte("\xef\xbb\xbf" + s) }, rules.ActionEdit},
	{"utf-16le-bom", "", "", "utf-16", in(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)), rules.ActionEdit},
	{"utf-16be-bom", "", "", "utf-16", in(unicode.UTF16(unicode.BigEndian, unicode.UseBOM)), rules.ActionEdit},
	{"utf-16le", "utf-16le", "", "utf-16le", in(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)), rules.ActionEdit},
	{"utf-16be", "utf-16be", "", "utf-16be", in(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)), rules.ActionEdit},
	{"utf-16le-labelled-utf-8", "utf-8", "", "utf-8", in(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)), rules.ActionEdit},
	{"utf-8-labelled-utf-16", "utf-16", "", "utf-16", plain, rules.ActionRefuse},
	{"iso-8859-1", "iso-8859-1", "", "iso-8859-1", in(charmap.ISO8859_1), rules.ActionEdit},
	{"iso-8859-1-declared-only", "", "", "iso-8859-1", in(charmap.ISO8859_1), rules.ActionEdit},
	{"iso-8859-1-labelled-utf-8", "utf-8", "", "iso-8859-1", in(charmap.ISO8859_1), rules.ActionRefuse},
	{"windows-1252", "windows-1252", "", "windows-1252", in(charmap.Windows1252), rules.ActionEdit},
	{"utf-7", "utf-7", "", "utf-7", utf7, rules.ActionRefuse},
	{"utf-7-declared-only", "", "", "utf-7", utf7, rules.ActionRefuse},
	{"gzip", "utf-8", "gzip", "utf-8", with(gzipped), rules.ActionEdit},
	{"x-gzip", "utf-8", "x-gzip", "utf-8", with(gzipped), rules.ActionEdit},
	{"deflate-zlib", "utf-8", "deflate", "utf-8", with(zlibbed), rules.ActionEdit},
	{"deflate-raw", "utf-8", "deflate", "utf-8", with(deflated), rules.ActionEdit},
	{"br", "utf-8", "br", "utf-8", with(brotlied), rules.ActionEdit},
	{"zstd", "utf-8", "zstd", "utf-8", with(zstded), rules.ActionEdit},
	{"stacked", "utf-8", "br, gzip", "utf-8", with(brotlied, gzipped), rules.ActionEdit},
	{"stacked-in-the-other-order", "utf-8", "gzip, br", "utf-8", with(brotlied, gzipped), rules.ActionRefuse},
	{"four-times", "utf-8", "gzip, gzip, gzip, gzip", "utf-8", with(gzipped, gzipped, gzipped, gzipped), rules.ActionRefuse},
	{"multi-member", "utf-8", "gzip", "utf-8", members, rules.ActionEdit},
	{"gzip-not-named", "utf-8", "", "utf-8", with(gzipped), rules.ActionEdit},
	{"zstd-not-named", "utf-8", "", "utf-8", with(zstded), rules.ActionEdit},
	{"br-not-named", "utf-8", "", "utf-8", with(brotlied), rules.ActionRefuse},
	{"gzip-named-br", "utf-8", "br", "utf-8", with(gzipped), rules.ActionRefuse},
	{"gzip-named-deflate", "utf-8", "deflate", "utf-8", with(gzipped), rules.ActionRefuse},
	{"named-not-coded", "utf-8", "gzip", "utf-8", plain, rules.ActionEdit},
	{"unknown-coding", "utf-8", "compress", "utf-8", plain, rules.ActionRefuse},
	{"charset-named-as-coding", "utf-8", "UTF-8", "utf-8", plain, rules.ActionEdit},
	{"mail-named-as-coding", "utf-8", "binary", "utf-8", plain, rules.ActionEdit},
	{"charset-in-single-quotes", "'utf-8'", "", "utf-8", plain, rules.ActionEdit},
	{"cut-off", "utf-8", "gzip", "utf-8", func(tb testing.TB, s string) []byte { b := with(gzipped)(tb, s); return b[:len(b)-12] }, rules.ActionRefuse},
	{"utf-16le-in-gzip", "", "gzip", "utf-16", func(tb testing.TB, s string) []byte {
		return gzipped(tb, in(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM))(tb, s))
	}, rules.ActionEdit},
}

// documents are a small answer of POX and one of Autoconfig, with letters beyond ASCII, for the domain in the place of DOMAIN.
var documents = []struct {
	name, text string
	question   func(domain string) dialect.Request
}{
	{"pox", `<?xml version="1.0" encoding="CHARSET"?><Autodiscover><Response><User><DisplayName>Jürgen</DisplayName></User><Account><Action>settings</Action>` +
		`<Protocol><Type>IMAP</Type><Server>imap.stranger.net</Server></Protocol><Protocol><Type>SMTP</Type><Server>smtp.lab.test</Server></Protocol>` +
		`</Account></Response></Autodiscover>`, poxQuestion},
	{"autoconfig", `<?xml version="1.0" encoding="CHARSET"?><clientConfig version="1.1"><emailProvider id="lab.test"><domain>lab.test</domain><displayName>Büro</displayName>` +
		`<incomingServer type="imap"><hostname>imap.stranger.net</hostname><port>993</port></incomingServer>` +
		`<incomingServer type="imap"><hostname>imap.lab.test</hostname><port>993</port></incomingServer>` +
		`<outgoingServer type="smtp"><hostname>smtp.lab.test</hostname><port>465</port></outgoingServer></emailProvider></clientConfig>`, configQuestion},
}

// TestBytes_strangersGoFromEveryCoating, and bytes stay what they are for everybody who is not guarded.
func TestBytes_strangersGoFromEveryCoating(t *testing.T) {
	p := builtin(t)
	for _, doc := range documents {
		for _, c := range coatings {
			t.Run(doc.name+"/"+c.name, func(t *testing.T) {
				file := filepath.Join("testdata/bytes", doc.name+"."+c.name+".bin")
				if *update {
					writeBytes(t, file, c.make(t, strings.ReplaceAll(doc.text, "CHARSET", c.declared)))
				}
				a := c.answer(slurp(t, file))
				before := bytes.Clone(a.Body)
				d := judged(p, doc.question("lab.test"), a)
				if d.Action != c.want {
					t.Errorf("guarded: %v: %s (%v), want %v", d.Action, d.Reason, d.Err, c.want)
				}
				if out := string(d.Answer.Body); strings.Contains(out, "stranger") || d.Action == rules.ActionEdit && !strings.Contains(out, "smtp.lab.test") {
					t.Errorf("guarded: %s", out)
				}
				d = judged(p, doc.question("shop.com"), a)
				if d.Action != rules.ActionPass || d.Answer.Body != nil || !bytes.Equal(a.Body, before) {
					t.Errorf("not guarded: %v: %s", d.Action, d.Reason)
				}
			})
		}
	}
}

// TestBytes_checkedInEveryCoating: the independent check looks at what a client reads, not at what is sent, whether the stranger stands where no suggestion is expected
// or on the page beside an own challenge.
func TestBytes_checkedInEveryCoating(t *testing.T) {
	p := builtin(t)
	const (
		settings = `<?xml version="1.0" encoding="CHARSET"?><Autodiscover><Response><Account><Action>settings</Action><Protocol><Type>IMAP</Type><Server>mail.lab.test</Server>` +
			`<Instead>imap.stranger.net</Instead></Protocol></Account></Response></Autodiscover>`
		page = `<html><head><title>401</title></head><body><a href="https://imap.stranger.net/">Büro</a></body></html>`
	)
	for _, c := range coatings {
		a := c.answer(c.make(t, strings.ReplaceAll(settings, "CHARSET", c.declared)))
		if d := judged(p, poxQuestion("lab.test"), a); d.Action != rules.ActionRefuse {
			t.Errorf("%s: %v: %s", c.name, d.Action, d.Reason)
		}
		a = c.answer(c.make(t, page))
		a.Status, a.Header["Www-Authenticate"] = http.StatusUnauthorized, []string{"NTLM"}
		d := judged(p, poxQuestion("lab.test"), a)
		if got := d.Answer; d.Action != rules.ActionEdit || got.Status != http.StatusUnauthorized || len(got.Body) > 0 || got.Header.Get("Www-Authenticate") != "NTLM" {
			t.Errorf("%s, a challenge: %v: %s", c.name, d.Action, d.Reason)
		}
		a.Body = c.make(t, strings.ReplaceAll(page, "imap.stranger.net", "mail.lab.test"))
		if d := judged(p, poxQuestion("lab.test"), a); d.Action != rules.ActionPass && c.want == rules.ActionEdit && c.charset == "utf-8" {
			t.Errorf("%s, an own challenge: %v: %s", c.name, d.Action, d.Reason)
		}
	}
}

func (c coating) answer(body []byte) dialect.Answer {
	a := dialect.Answer{Status: http.StatusOK, Header: dialect.Header{"Content-Type": {"text/xml"}}, Body: body}
	if c.charset != "" {
		a.Header["Content-Type"] = []string{"text/xml; charset=" + c.charset}
	}
	if c.coding != "" {
		a.Header["Content-Encoding"] = []string{c.coding}
	}
	return a
}

func configQuestion(domain string) dialect.Request {
	return question("https://autoconfig." + domain + "/mail/config-v1.1.xml?emailaddress=user%40" + domain)
}

func writeBytes(tb testing.TB, file string, b []byte) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		tb.Fatal(err)
	}
}

func plain(_ testing.TB, s string) []byte { return []byte(s) }

// utf7 hides every bracket and every letter of the stranger's name from whoever reads ASCII (RFC 2152).
func utf7(_ testing.TB, s string) []byte {
	return []byte(strings.NewReplacer("<", "+ADw-", ">", "+AD4-", "ü", "+APw-", "stranger", "+AHM-tranger").Replace(s))
}

func in(e encoding.Encoding) func(testing.TB, string) []byte {
	return func(tb testing.TB, s string) []byte {
		tb.Helper()
		b, err := e.NewEncoder().Bytes([]byte(s))
		if err != nil {
			tb.Fatal(err)
		}
		return b
	}
}

// with applies codings in their order.
func with(codings ...func(testing.TB, []byte) []byte) func(testing.TB, string) []byte {
	return func(tb testing.TB, s string) []byte {
		tb.Helper()
		b := []byte(s)
		for _, code := range codings {
			b = code(tb, b)
		}
		return b
	}
}

func members(tb testing.TB, s string) []byte {
	tb.Helper()
	half := len(s) / 2
	return append(gzipped(tb, []byte(s[:half])), gzipped(tb, []byte(s[half:]))...)
}

func gzipped(tb testing.TB, b []byte) []byte {
	tb.Helper()
	return written(tb, b, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

func zlibbed(tb testing.TB, b []byte) []byte {
	tb.Helper()
	return written(tb, b, func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil })
}

func deflated(tb testing.TB, b []byte) []byte {
	tb.Helper()
	return written(tb, b, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
}

func brotlied(tb testing.TB, b []byte) []byte {
	tb.Helper()
	return written(tb, b, func(w io.Writer) (io.WriteCloser, error) { return brotli.NewWriter(w), nil })
}

func zstded(tb testing.TB, b []byte) []byte {
	tb.Helper()
	return written(tb, b, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
}

func written(tb testing.TB, b []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	tb.Helper()
	var out bytes.Buffer
	w, err := open(&out)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// TestBytes_strangerInABinaryProfile stands under a key that means nothing to mail, in text of two bytes a letter and in such of one, whose neighbours are
// letters, too: a look at the bytes does not find it.
func TestBytes_strangerInABinaryProfile(t *testing.T) {
	p := builtin(t)
	wide := func(s string) []byte {
		b := []byte{0x60 | byte(len(s))}
		for _, c := range []byte(s) {
			b = append(b, 0, c)
		}
		return b
	}
	narrow := func(s string) []byte { return append([]byte{0x50 | byte(len(s))}, s...) }
	for name, c := range map[string]struct {
		value []byte
		want  rules.Action
	}{
		"own": {narrow("vpn.lab.test"), rules.ActionPass}, "own, wide": {wide("vpn.lab.test"), rules.ActionPass},
		"an own name from right to left": {narrow("test.lab.a.net"), rules.ActionRefuse},
		"stranger":                       {narrow("stranger.net"), rules.ActionRefuse}, "stranger, wide": {wide("stranger.net"), rules.ActionRefuse},
	} {
		objects, offsets := []byte{}, []byte{}
		for _, o := range [][]byte{{0xa1, 1}, {0xd2, 2, 3, 4, 5}, narrow("Host"), narrow("Nobody knows"), narrow("eas.lab.test"), c.value, narrow("x")} {
			offsets = append(offsets, byte(len("bplist00")+len(objects)))
			objects = append(objects, o...)
		}
		a := dialect.Answer{Status: http.StatusOK, Header: dialect.Header{"Content-Type": {"application/x-apple-aspen-config"}}, Body: binaryPlist(objects, offsets)}
		if d := judged(p, profileQuestion("lab.test"), a); d.Action != c.want {
			t.Errorf("%s: %v: %s (%v), want %v", name, d.Action, d.Reason, d.Err, c.want)
		}
	}
}
