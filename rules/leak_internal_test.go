package rules

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// only are the hosts that a check may find.
type only []string

func (o only) allowsAnywhere(host string) bool { return slices.Contains(o, host) }

func (o only) isOwnName(string) bool { return false }

func (o only) isAccountDomain(string) bool { return false }

func allowing(hosts ...string) *leakCheck {
	return &leakCheck{names: only(hosts), budget: leakBudget, authority: map[string]struct{}{}, word: map[string]struct{}{}}
}

// ofAccount are hosts, and the account's mail domain.
type ofAccount struct {
	only
	domain string
}

func (o ofAccount) isAccountDomain(host string) bool { return host == o.domain }

// A host that was taken out is left as the end of an allowed name and behind the @ of the account's address, and nowhere else, whatever else would find it there.
func TestLeakCheck_holdsBanned(t *testing.T) {
	for text, want := range map[string]bool{
		"mail.hoster.net": false, "mail.hoster.net.": false, "//mail.hoster.net:993/": false, "me@hoster.net": false, "mail.hoster.net me@hoster.net mail.hoster.net": false, "hoster": false,
		"hoster.net": true, ".hoster.net": true, "imap.hoster.net": true, "mail-hoster.net": true, "mailxhoster.net": true, "mail.hoster.net.x": true, "mail.hoster.network": true, "me@hoster.net.x": true,
		"mail.hoster.net hoster.net": true, "me@hoster.net hoster.net": true, "mail/hoster.net": true, "\\nhoster.net": true, "x.mail.hoster.net": true, "%2ehoster.net": true, "\u00fc.hoster.net": true,
	} {
		l := allowing()
		l.names = ofAccount{only{"mail.hoster.net", "mail-hoster.net"}, "hoster.net"} // label by label
		if got := l.holdsBanned([]byte(text), "hoster.net"); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
	if l := allowing("mail.hoster.net"); !l.holdsBanned([]byte("me@hoster.net"), "hoster.net") {
		t.Error("a stranger's address is left")
	}
}

// The check jumps through a text; whatever stands in front of a stranger, and however far, must not let it jump over.
func TestLeakCheck_findsAtEveryOffset(t *testing.T) {
	const stranger = "imap.stranger.net"
	std, raw := base64.StdEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString
	for name, form := range map[string]string{
		"plain": stranger, "upper case": strings.ToUpper(stranger), "ideographic dots": strings.ReplaceAll(stranger, ".", "。"), "dot leaders": strings.ReplaceAll(stranger, ".", "․"), "small full stops": strings.ReplaceAll(stranger, ".", "﹒"),
		"padded base64": std([]byte(stranger)), "base64 of the URL kind": raw([]byte(stranger + "?xx>")),
		"base64 that begins with a letter beyond ASCII": std([]byte("ü " + stranger)), "base64 that begins with a line feed": std([]byte("\n" + stranger)),
		"base64 that begins with a bracket": std([]byte("<a>" + stranger)), "base64 of base64": std([]byte(std([]byte(stranger)))),
		"base64 of lines": std([]byte("a\r\n\t" + stranger)), "base64 with a letter behind": std([]byte(stranger+" ")) + "x",
		"the shortest base64": std([]byte("t.co")), "base64 of percent": std([]byte(strings.ReplaceAll(stranger, ".", "%2e"))), "percent": strings.ReplaceAll(stranger, ".", "%2e"), "JSON's escapes": strings.ReplaceAll(stranger, ".", `\u002e`),
		"letters beyond U+FFFF": "imap.stranger.𝐧𝐞𝐭", "JSON's escapes of every letter": `\u0069\u006d\u0061\u0070\u002e\u0073\u0074\u0072\u0061\u006e\u0067\u0065\u0072\u002e\u006e\u0065\u0074`, "JSON's escapes of letters beyond U+FFFF": `imap.stranger.\ud835\udc27\ud835\udc1e\ud835\udc2d`, "reference": strings.ReplaceAll(stranger, ".", "&#46;"),
	} {
		for _, filler := range []string{" ", "x ", "ok.corp.net ", "abcdefghijk=", "ü ", ">"} {
			for n := range 40 {
				front := filler[:0]
				for len(front) < n {
					front += filler
				}
				// A delimiter of words and of base64 alike.
				text := front + `"` + form + `"` + front
				if !allowing("ok.corp.net").leaksText([]byte(text), 0) {
					t.Errorf("%s behind %q: not found", name, front)
				}
				if l := allowing("ok.corp.net", "imap.stranger.net", "t.co"); l.leaksText([]byte(text), 0) {
					t.Errorf("%s behind %q: found, although it is allowed", name, front)
				}
			}
		}
	}
}

// Base64 is undone where the result is text, whatever that begins with.
func TestLeakCheck_everyBeginningOfText(t *testing.T) {
	letters := []string{"a", "c", "o", "~", "\n", "é", "日", "𐎠"} // of one to four bytes; c and o have what makes - and _ of their neighbours
	for _, first := range letters {
		for _, second := range letters {
			for _, third := range letters {
				text := first + second + third + " imap.stranger.net"
				for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
					if !allowing().leaksText([]byte(encoding.EncodeToString([]byte(text))), 0) {
						t.Errorf("%q in base64: not found", text)
					}
				}
			}
		}
	}
}

// A name is a name below any listed suffix, and in every part of a word that is none as a whole.
func TestLeakCheck_strangeWords(t *testing.T) {
	for text, found := range map[string]bool{
		"stranger.github.io": true, "stranger.azurewebsites.net": true, `h2="stranger.duckdns.org:443"`: true,
		"stranger.net:x.lab.test": true, "x.lab.test:stranger.net": true, "stranger.net\u00a0.lab.test": true, "stranger\u2024net": true, "stranger\ufe52net": true,
		"https:134744072": true, "HTTP:/134744072/x": true, `https:\134744072`: true, "http:&x": false, "(http:)": false, "https:mail.lab.test": false, "https: yes": false,
		"http:u@http:134744072": true, "http:@mail.lab.test/http:134744072": true, "http:u@http:@https:mail.lab.test": true, "http:u@http:@mail.lab.test": false,
		"//stranger.net:x.lab.test/": true, "//stranger\u00a0.lab.test/": true, "//lab.test:993:x.lab.test": true,

		"//stranger/": true, "///stranger/": true, "//mail.lab.test/ //mail.lab.test/ //stranger/": true, ".stranger.net": true, "msstd:x-mail.lab.test": true, "msstd:x_mail.lab.test": true, "msstd:zmail.lab.test": true, "msstd:0mail.lab.test": true, "msstd:9mail.lab.test": true, "stranger.net／x": true, "stranger.net｜x": true,
		"100% of t%2eco": true, "100% t.c%6f": true, "%at.co": true, "%ta.co": true, `"\/\/stranger\/"`: true, "dC5jbw": true, // t.co
		"see%3amail.lab.test": false, "see%3fmail.lab.test": false, "see%29mail.lab.test": false, "see%20mail.lab.test": false, "see%3gmail.lab.test": true, "see%g3mail.lab.test": true,
		"100%": false, "100%4": false, "100% %4": false, `mail.lab.test\`: false, `mail.lab.test\u00`: false,

		"//mail%E3%80%82lab.test/": true, "//mail%2elab.test/": true, "//[fe80::1%25eth0]:993/": false, "//mail.lab.test/%E3%80%82": false,

		"see 8.8.8.8": true, "8.8.8.8:993": true, "mail.other.test": true, "stranger.example": true, "mail.lab.test:8.8.8.8": true,

		"stranger.net\u2028": true, "mail.lab.test\u2029stranger.net": true, "\u0085stranger.net\u00a0": true, "stranger.net\u3000x": true, "//mail.lab.test/\u2028stranger.net": true,
		"mail.lab.test\u2028": false, "mail.lab.test\u2029mail.lab.test": false,
		"mail.lab.test": false, "msstd:mail.lab.test": false, "mail.lab.test:993": false, "//mail.lab.test:993/": false, "//[fe80::1]:993/": false,
		"msstd:*.hoster.net": false, "*hoster.net": true, "msstd:*hoster.net": true, "msstd:hoster.net": true, "*.stranger.net": true, "//*.hoster.net/": true,
		"see 2606:4700::1111": true, "[2606:4700::1111]:993": true, "2606:4700:0:0:0:0:0:1111.": true, `h3="[2::1]:443"`: true, "2606%3a4700::1111": true, "fe80::1%eth0 2606:4700::1111%eth0": true,
		"::ffff:808:808": true, "FE80::1, [fe80::1]:993": false, "std::abc": false, "a :: b": false, "12:34:56": false, "aa:bb:cc:dd:ee:ff": false, "x2606:4700::1111": true, "2606:4700::1111x": false,
		"imap:2606:4700::1111": true, "jane@[IPv6:2606:4700::1111]": true, "2606:4700::1111:": true, "0a:1b:2c:3d:4e:5f:60:71": false, "0:0:0:0:0:ffff:808:808": true,
		"a::bcafe.de\u00e9 a::bcafe&#46;de": true, "a::bcafe&#46;de": true,
		"12:30:00.123": false, "a.b:c.d": false, "fe80::1.2.3": false, "config-v1.1": false,
	} {
		if got := allowing("mail.lab.test", "x.lab.test", "fe80::1", "*.hoster.net").leaksText([]byte(text), 0); got != found {
			t.Errorf("%q: found %v, want %v", text, got, found)
		}
	}
}

// What was taken out of an answer must not be left as part of something else either: here as what a mailbox is called.
func TestLeakCheck_takenOut(t *testing.T) {
	for _, banned := range [][]string{nil, {"imap.other.net", "imap.stranger.net"}} {
		l := allowing("lab.test")
		l.banned = banned
		if got, want := l.leaksText([]byte(`"Imap.stranger.net@lab.test"`), 0), banned != nil; got != want {
			t.Errorf("without %q: found %v", banned, got)
		}
	}
}

// Encodings are undone as deep as somebody may lay them into each other, and no deeper: a text may not cost what it likes.
func TestLeakCheck_depth(t *testing.T) {
	text := []byte("imap.stranger.net")
	for depth := range leakDepth + 2 {
		if got, want := allowing().leaksText(text, 0), depth <= leakDepth; got != want {
			t.Errorf("%d encodings: found %v", depth, got)
		}
		text = []byte(base64.StdEncoding.EncodeToString(text))
	}
}

func TestAppendLower_isThatOfTheLibrary(t *testing.T) {
	texts := []string{"", "a", "A", "Zz09@[`{", "ÄÖ K", "\xffA", strings.Repeat("aB", 300), strings.Repeat("x", 256) + "Y", strings.Repeat("x", 255) + "İ"}
	for c := range 256 { // every byte in every place of a word of eight, and behind it
		for at := range 11 {
			text := []byte("ZZZZaaaaZZZ")
			text[at] = byte(c)
			texts = append(texts, string(text))
		}
	}
	for _, s := range texts {
		got, ascii := appendLower([]byte("X"), []byte(s))
		if want := "X" + strings.ToLower(s); string(got) != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
		if want := !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }); ascii != want {
			t.Errorf("%q: ASCII %v", s, ascii)
		}
	}
}
