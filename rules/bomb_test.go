package rules_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// bomb is an answer that is small on the wire, or cheap to make, and dear to read.
type bomb struct {
	name     string
	question func(domain string) dialect.Request
	answer   func(tb testing.TB) dialect.Answer
}

func xmlBomb(name string, body func() string) bomb {
	return bomb{name, poxQuestion, func(testing.TB) dialect.Answer { return said("text/xml", body()) }}
}

func jsonBomb(name string, body func() string) bomb {
	return bomb{name, detectQuestion, func(testing.TB) dialect.Answer { return said("application/json", body()) }}
}

func codedBomb(name, coding string, pack func(tb testing.TB) []byte) bomb {
	return bomb{name, poxQuestion, func(tb testing.TB) dialect.Answer {
		a := saidBytes("text/xml", pack(tb))
		if coding != "" {
			a.Header["Content-Encoding"] = []string{coding}
		}
		return a
	}}
}

func headerBomb(name, field string, values func() []string) bomb {
	return bomb{name, detectQuestion, func(testing.TB) dialect.Answer {
		a := said("application/json", `{"protocols":[{"protocol":"imap","hostname":"imap.stranger.net","port":993}]}`)
		a.Header[field] = values()
		return a
	}}
}

func profileBomb(name string, body func() []byte) bomb {
	return bomb{name, profileQuestion, func(testing.TB) dialect.Answer { return said("application/x-apple-aspen-config", string(body())) }}
}

// bombs are made when they are thrown: together they would fill the memory that they are to spare.
func bombs() []bomb {
	return slices.Concat(xmlBombs(), jsonBombs(), longBombs(), codedBombs(), headerBombs(), profileBombs(), pathBombs())
}

const many, million = 100_000, 1_000_000

func xmlBombs() []bomb {
	again := strings.Repeat
	return []bomb{
		xmlBomb("xml/entities in entities", func() string {
			return `<!DOCTYPE l [<!ENTITY a "` + again("a", 1000) + `"><!ENTITY b "` + again("&a;", 1000) + `">]><Autodiscover>&b;</Autodiscover>`
		}),
		xmlBomb("xml/doctype", func() string {
			return `<!DOCTYPE Autodiscover SYSTEM "https://stranger.net/x.dtd"><Autodiscover><Response/></Autodiscover>`
		}),
		xmlBomb("xml/doctype of a megabyte", func() string { return `<!DOCTYPE l [` + again("<!ENTITY a 'b'>", 70_000) + `]><Autodiscover/>` }),
		xmlBomb("xml/ten thousand levels", func() string { return again("<a>", 10_000) + again("</a>", 10_000) }),
		xmlBomb("xml/three hundred thousand levels never closed", func() string { return again("<a>", 300_000) }),
		xmlBomb("xml/a hundred thousand attributes", func() string { return "<Autodiscover " + numbered(many, `a%d="b" `) + "/>" }),
		xmlBomb("xml/one attribute a hundred thousand times", func() string { return "<Autodiscover " + again(`a="b" `, many) + "/>" }),
		xmlBomb("xml/a million siblings", func() string { return "<Autodiscover>" + again("<a/>", million) + "</Autodiscover>" }),
		xmlBomb("xml/as many siblings as fit", func() string { return "<Autodiscover>" + again("<a/>", 250_000) + "</Autodiscover>" }),
		xmlBomb("xml/as many attributes as fit", func() string { return "<Autodiscover " + numbered(80_000, `a%d="b" `) + "/>" }),
		xmlBomb("xml/as much text as fits, in one element", func() string { return "<Autodiscover>" + again("a.b ", 250_000) + "</Autodiscover>" }),
		xmlBomb("xml/as many strangers as are read, and text to look for them in", func() string {
			return "<Autodiscover><Response><Account><Action>settings</Action><Protocol><Server>mail.lab.test</Server></Protocol>" +
				numbered(2400, "<Protocol><Server>mail%d.stranger.net</Server></Protocol>") + "<X>" + again("words ", 130_000) + "</X></Account></Response></Autodiscover>"
		}),
		xmlBomb("xml/a million comments", func() string { return "<Autodiscover>" + again("<!---->", million) + "</Autodiscover>" }),
	}
}

func jsonBombs() []bomb {
	again := strings.Repeat
	return []bomb{
		jsonBomb("json/ten thousand levels", func() string { return again("[", 10_000) + again("]", 10_000) }),
		jsonBomb("json/two hundred thousand levels never closed", func() string { return again(`{"a":`, 200_000) }),
		jsonBomb("json/a million values", func() string { return "[" + again("1,", million) + "1]" }),
		jsonBomb("json/one member a hundred thousand times", func() string { return "{" + again(`"hostname":"a.b",`, many) + `"x":1}` }),
		jsonBomb("json/a hundred thousand members", func() string { return "{" + numbered(many, `"m%d":1,`) + `"x":1}` }),
		jsonBomb("json/as many members as fit", func() string { return "{" + numbered(80_000, `"m%d":1,`) + `"x":1}` }),
		jsonBomb("json/a number of a megabyte", func() string { return `{"hostname":"imap.stranger.net","port":` + again("9", million) + `}` }),
	}
}

// longBombs lie in the same memory, one after the other: under the race detector, pages that are new cost more than all that is tested with them.
func longBombs() []bomb {
	const times = 20 * million
	var ground []byte
	long := func(front, text, behind string) []byte {
		if ground == nil {
			ground = make([]byte, 0, times*len("text ")+mebibyte)
		}
		b := append(append(ground, front...), text...)
		end := len(front) + times*len(text)
		for len(b) < end {
			b = append(b, b[len(front):min(len(b), end-len(b)+len(front))]...)
		}
		return append(b, behind...)
	}
	return []bomb{
		{"xml/a hundred megabytes of text", poxQuestion, func(testing.TB) dialect.Answer {
			return saidBytes("text/xml", long("<Autodiscover>", "text ", "</Autodiscover>"))
		}},
		{"xml/a hundred megabytes of nothing", poxQuestion, func(testing.TB) dialect.Answer { return saidBytes("text/xml", long("", "     ", "")) }},
		{"json/a hundred megabytes of text", detectQuestion, func(testing.TB) dialect.Answer {
			return saidBytes("application/json", long(`{"hostname":"`, "text.", `"}`))
		}},
	}
}

func codedBombs() []bomb {
	return []bomb{
		codedBomb("coded/gzip of zeros", "gzip", func(tb testing.TB) []byte { return gzipZeros(tb, 100, 1) }),
		codedBomb("coded/gzip of zeros, not named", "", func(tb testing.TB) []byte { return gzipZeros(tb, 100, 1) }),
		codedBomb("coded/gzip of zeros three times", "gzip, gzip, gzip", func(tb testing.TB) []byte { return gzipZeros(tb, 100, 3) }),
		codedBomb("coded/gzip of zeros five times", "gzip, gzip, gzip, gzip, gzip", func(tb testing.TB) []byte { return gzipZeros(tb, 100, 5) }),
		codedBomb("coded/gzip of ten thousand members", "gzip", func(tb testing.TB) []byte {
			return bytes.Repeat(gzipped(tb, make([]byte, 1<<10)), 10_000)
		}),
		codedBomb("coded/deflate of zeros", "deflate", func(tb testing.TB) []byte { return zlibZeros(tb, 100) }),
		codedBomb("coded/br of zeros", "br", func(tb testing.TB) []byte { return packedZeros(tb, brotliPacker, 100) }),
		codedBomb("coded/zstd of zeros", "zstd", func(tb testing.TB) []byte { return packedZeros(tb, zstdPacker, 100) }),
		codedBomb("coded/zstd that wants a window of two gigabytes", "zstd", func(testing.TB) []byte {
			return []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x03, 0x00, 0x00, 'x', 0, 0} // RFC 8878, section 3.1.1.1.2: exponent 21
		}),
	}
}

func headerBombs() []bomb {
	again := strings.Repeat
	return []bomb{
		headerBomb("header/a location of ten megabytes", "Location", func() []string { return []string{"https://" + again("a.", 5*million) + "net/"} }),
		headerBomb("header/debug support of ten megabytes", "X-Debug-Support", func() []string {
			return []string{base64.StdEncoding.EncodeToString([]byte(`{"a":[` + again(`"https://a.net/",`, 500_000) + `1]}`))}
		}),
		headerBomb("header/debug support as long as may be", "X-Debug-Support", func() []string {
			return []string{base64.StdEncoding.EncodeToString([]byte(`{"a":[` + again(`"https://a.net/",`, 5_000) + `1]}`))}
		}),
		headerBomb("header/base64 in base64 in base64", "X-Debug-Support", func() []string {
			nested := "imap.stranger.net"
			for range 30 {
				nested = base64.StdEncoding.EncodeToString([]byte(nested))
			}
			return []string{nested}
		}),
		headerBomb("header/a hundred thousand fields", "X-Feedback-Token", func() []string {
			return strings.Split(again("a.eyJQIjpbImh0dHBzOi8vYS5uZXQvIl19.c ", many), " ")
		}),
	}
}

func profileBombs() []bomb {
	return []bomb{
		profileBomb("plist/an array that holds itself", func() []byte { return binaryPlist([]byte{0xa1, 0}, []byte{8}) }),
		profileBomb("plist/arrays of themselves, twice each", func() []byte {
			return binaryPlist([]byte{0xa2, 0, 1, 0xa2, 0, 1}, []byte{8, 11})
		}),
		profileBomb("plist/an array of so many", func() []byte {
			return binaryPlist([]byte{0xaf, 0x13, 0x7f, 255, 255, 255, 255, 255, 255, 255}, []byte{8})
		}),
		profileBomb("plist/a text that long", func() []byte { return binaryPlist([]byte{0x5f, 0x12, 0x7f, 255, 255, 255, 'a'}, []byte{8}) }),
		profileBomb("plist/one long text, four thousand times", func() []byte {
			const long, times = 500_000, 4_000
			objects := append([]byte{0x5f, 0x12, 0, long >> 16, long >> 8 & 255, long & 255}, bytes.Repeat([]byte("a"), long)...)
			objects = append(objects, 0xaf, 0x11, times>>8, times&255)
			p := binaryPlist(append(objects, make([]byte, times)...), []byte{0, 0, 0, 8, 0, (8 + 6 + long) >> 16, (8 + 6 + long) >> 8 & 255, (8 + 6 + long) & 255})
			trailer := p[len(p)-32:]
			trailer[6] = 4                              // bytes of an offset
			binary.BigEndian.PutUint64(trailer[8:], 2)  // objects
			binary.BigEndian.PutUint64(trailer[16:], 1) // the array is on top
			return p
		}),
		profileBomb("plist/a table that long", func() []byte {
			p := binaryPlist([]byte{0xa0}, []byte{8})
			binary.BigEndian.PutUint64(p[len(p)-24:], 1<<60)
			return p
		}),
	}
}

// pathBombs name their strangers where the path is long.
func pathBombs() []bomb {
	again := strings.Repeat
	name := again("n", 120)
	deep := func(front, inside, behind string) string {
		return front + again("<"+name+">", 55) + inside + again("</"+name+">", 55) + behind
	}
	deepJSON := func(inside string) string { return again(`{"`+name+`":`, 55) + inside + again("}", 55) }
	manyAttributes := func(value string) string {
		return again("<a "+numbered(60, `b%d='`+value+`' `)+"/>", 83)
	}
	home := func(domain string) dialect.Request {
		r := question("https://" + domain + "/.well-known/caldav")
		r.Method = "PROPFIND"
		return r
	}
	session := func(domain string) dialect.Request { return question("https://" + domain + "/.well-known/jmap") }
	return []bomb{
		xmlBomb("path/elements", func() string {
			return deep("<Autodiscover>", again("<Url>https://stranger.net/</Url>", 4_900), "</Autodiscover>")
		}),
		xmlBomb("path/attributes", func() string { return deep("<Autodiscover>", manyAttributes("//s.net"), "</Autodiscover>") }),
		xmlBomb("path/more attributes than anybody has", func() string {
			return deep("<Autodiscover>", again(manyAttributes("//"), 20), "</Autodiscover>")
		}),
		{"path/attributes that name nobody", home, func(testing.TB) dialect.Answer {
			a := said("text/xml", deep(`<multistatus xmlns="DAV:"><href>https://stranger.net/</href>`, manyAttributes("1"), "</multistatus>"))
			a.Status = http.StatusMultiStatus
			return a
		}},
		jsonBomb("path/members", func() string {
			return `{"protocols":` + deepJSON(`[`+again(`{"hostname":"stranger.net"},`, 2_400)+`1]`) + "}"
		}),
		{"path/members of a session", session, func(testing.TB) dialect.Answer {
			return said("application/json", `{"apiUrl":"https://stranger.net/","x":`+deepJSON(`[`+again(`"https://stranger.net/",`, 4_900)+`1]`)+"}")
		}},
		profileBomb("path/keys", func() []byte {
			return []byte(`<plist version="1.0"><dict><key>` + again(name, 2_000) + `</key><dict>` + numbered(1_600, "<key>Host%d</key><string>//stranger.net/</string>") + `</dict></dict></plist>`)
		}),
	}
}

// most is what refusing any of them may take from the heap, all together. The decoders' windows are the largest part of it.
const most = 16 << 20

// TestJudge_refusesBombsForSomebodyGuarded, in little memory, and lets them pass untouched to everybody else.
func TestJudge_refusesBombsForSomebodyGuarded(t *testing.T) {
	p := builtin(t)
	for _, b := range bombs() {
		t.Run(b.name, func(t *testing.T) {
			a := b.answer(t)
			sum := crc32.ChecksumIEEE(a.Body)
			plan := p.Plan(b.question("lab.test"), rules.From{})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d := p.Judge(&plan, a)
			runtime.ReadMemStats(&after)
			if d.Action != rules.ActionRefuse {
				t.Errorf("guarded: %v: %s", d.Action, d.Reason)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > most {
				t.Errorf("refusing takes %d bytes, want at most %d", took, most)
			}
			runtime.ReadMemStats(&before)
			d = judged(p, b.question("shop.com"), a)
			runtime.ReadMemStats(&after)
			if d.Action != rules.ActionPass || d.Answer.Body != nil || crc32.ChecksumIEEE(a.Body) != sum {
				t.Errorf("not guarded: %v: %s", d.Action, d.Reason)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > most {
				t.Errorf("passing takes %d bytes, want at most %d", took, most)
			}
		})
	}
}

// TestJudge_readsTextOnce: an answer that repeats what begins something, and never ends it, is not read from each beginning to its end, nor each of its words compared with
// each account of a long question. It then takes a second of a processor at most, some five with the race detector, and a quarter of a minute or more otherwise.
func TestJudge_readsTextOnce(t *testing.T) {
	p := builtin(t)
	config := question("https://autoconfig.lab.test/mail/config-v1.1.xml")
	accounts := poxQuestion("lab.test")
	accounts.Body = []byte("<Autodiscover>" + numbered(4_000, "<EMailAddress>%d.li@"+strings.Repeat("a.", 90)+"lab.test</EMailAddress>") + "</Autodiscover>")
	page := said("text/html", "<html>"+strings.Repeat("href=", 200_000))
	page.Status, page.Header["Location"] = http.StatusFound, []string{"https://mail.lab.test/"}
	for name, c := range map[string]struct {
		question dialect.Request
		answer   dialect.Answer
		action   rules.Action
	}{
		"words that are mailboxes": {accounts, said("text/xml", "<Autodiscover><Response><Account><Protocol><Server>mail.lab.test</Server></Protocol><X>"+
			strings.Repeat(numbered(4_000, "%d.li "), 30)+"</X></Account></Response></Autodiscover>"), rules.ActionPass},
		"words beside many servers": {poxQuestion("lab.test"), said("text/xml", "<Autodiscover><Response><Account><Protocol>"+
			strings.Repeat("<Url>https://mail.lab.test/</Url>", 4_900)+"</Protocol><X>"+numbered(32_000, "a%d.zzzq&amp;%%20\\u0020")+"</X></Account></Response></Autodiscover>"), rules.ActionRefuse}, // it is too much to look at
		"schemes without slashes": {config, said("text/xml", `<clientConfig><emailProvider id="lab.test"><displayName>`+strings.Repeat("http:@", 160_000)+
			`</displayName><incomingServer type="imap"><hostname>mail.lab.test</hostname></incomingServer></emailProvider></clientConfig>`), rules.ActionPass},
		"links without an end": {config, page, rules.ActionEdit},
	} {
		t.Run(name, func(t *testing.T) {
			began := processorTime(t)
			d := judged(p, c.question, c.answer)
			if took := processorTime(t) - began; took > 10*time.Second || d.Action != c.action {
				t.Errorf("%v after %v of a processor: %s", d.Action, took, d.Reason)
			}
		})
	}
}

// BenchmarkJudge_bombs says how long refusing takes, for those that take longest.
func BenchmarkJudge_bombs(b *testing.B) {
	p := builtin(b)
	for _, bomb := range bombs() {
		if !worst[bomb.name] {
			continue
		}
		a := bomb.answer(b)
		plan := p.Plan(bomb.question("lab.test"), rules.From{})
		b.Run(strings.ReplaceAll(bomb.name, " ", "-"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Judge(&plan, a)
			}
		})
	}
}

// worst are those worth measuring.
var worst = map[string]bool{
	"xml/as many siblings as fit": true, "xml/as many attributes as fit": true, "xml/as much text as fits, in one element": true,
	"xml/as many strangers as are read, and text to look for them in": true, "json/as many members as fit": true,
	"json/a number of a megabyte": true, "coded/gzip of zeros": true, "coded/br of zeros": true, "coded/zstd of zeros": true,
	"header/debug support as long as may be": true,
}

func detectQuestion(domain string) dialect.Request {
	r := question("https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect")
	r.Header["X-Email"] = []string{"user@" + domain}
	return r
}

func profileQuestion(domain string) dialect.Request {
	return question("https://mail." + domain + "/mail.mobileconfig")
}

func said(mediaType, body string) dialect.Answer { return saidBytes(mediaType, []byte(body)) }

func saidBytes(mediaType string, body []byte) dialect.Answer {
	return dialect.Answer{Status: http.StatusOK, Header: dialect.Header{"Content-Type": {mediaType}}, Body: body}
}

func numbered(n int, format string) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, format, i)
	}
	return s.String()
}

// binaryPlist is a property list of the given objects, the first of which is on top; offsets say where each begins.
func binaryPlist(objects, offsets []byte) []byte {
	b := append([]byte("bplist00"), objects...)
	table := len(b)
	b = append(b, offsets...)
	trailer := make([]byte, 32)
	trailer[6], trailer[7] = 1, 1
	binary.BigEndian.PutUint64(trailer[8:], uint64(len(offsets)))
	binary.BigEndian.PutUint64(trailer[24:], uint64(table))
	return append(b, trailer...)
}
