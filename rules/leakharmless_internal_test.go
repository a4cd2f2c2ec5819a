package rules

import "testing"

// What is plainly part of a path, an address, a mailbox's name in a directory or a DOCTYPE is no host; one byte beside that, it may be.
func TestLeakCheck_harmlessWords(t *testing.T) {
	for text, found := range map[string]bool{
		"https://mail.lab.test/cgi-bin/answer.py?a=1": false, "https://mail.lab.test/oab.zip": false, `"//mail.lab.test:8443/wiki/e-mail.md"`: false,
		"<href>/dav/wei.li/</href>": false, `"/wei.li@mail.lab.test/"`: false, "/dav/max%2esu/": false, "https://mail.lab.test/%7Ewei.li": false,
		"https://mail.lab.test/?s=stranger.net": true, "https://mail.lab.test/#stranger.net": true, "https://mail.lab.test/ stranger.net": true,
		"https://mail.lab.test/x,stranger.net": true, "https://mail.lab.test/x;stranger.net": true, `https://mail.lab.test/\stranger.net`: true,
		"https://mail.lab.test//stranger.net/": true, "https://mail.lab.test/x//stranger/y": true, "https://mail.lab.test?/stranger.net": true,
		"mail.lab.test/stranger.net": true, "x/stranger.net": true, "//stranger.net/mail.lab.test": true, "////stranger.net": true, "https:/stranger.net": true,
		`"/x//stranger.net@mail.lab.test/"`: true,

		"wei.li@mail.lab.test": false, "mailto:wei.li@mail.lab.test": false, "SMTP:Wei.Li@mail.lab.test": false, "sip:wei.li@mail.lab.test": false, "upn:wei.li@mail.lab.test": false, "a=wei.li%40mail.lab.test": false,
		"user@stranger.net@mail.lab.test": true, "user%stranger.net@mail.lab.test": true, "relay!stranger.net@mail.lab.test": true, "<wei.li@mail.lab.test>": false,
		"wei.li@stranger.net": true, "wei.li@": true, "wei.li@lab": true, "wei.li@host.lan": true, "wei.li @mail.lab.test": true, "x:stranger.net@mail.lab.test": true,
		"//stranger.net@mail.lab.test/": true, `\\stranger.net@mail.lab.test`: true, "https:stranger.net@mail.lab.test": true, "stranger.net,wei.li@mail.lab.test": true,

		"/o=Lab/ou=First (X)/cn=Recipients/cn=0a1b-wei.li<": false, "/o=Lab/cn=Recipients/cn=x/cn=stranger.net": true,
		"/o=Lab/cn=Servers/cn=stranger.net": true, "/o=Lab/cn=Recipients/cn=x y.stranger.net": true, "/o=Lab/cn=Recipients/cn=x/stranger.net": true,

		`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`: false,
		`'-//W3C//DTD XHTML 1.0 Strict//EN'`: false, `"-//Apple//DTD stranger.net//EN"`: true, `"-//stranger//DTD x//EN"`: true,
		"BEGIN:VCALENDAR\r\nPRODID:-//Inverse inc./SOGo 5.8.0//EN\r\nVERSION:2.0": false, ">BEGIN:VCALENDAR&#13;\nPRODID:-//tzurl.org//NONSGML Olson 2022b//EN&#13;\nVERSION": false,
		"PRODID:-//stranger.net//EN\n": true, "\nPRODID:-//stranger.net//EN<": true, "\nPRODID://stranger.net//EN\n": true, "\nPRODID:-//x//EN, stranger.net\n": true,
		"\nPRODID:-//Lab//EN\n": false, "\nTZURL:http://stranger.net/\n": true, "\nX-PRODID:-//stranger.net//EN\n": true,

		`"-//Apple//stranger//EN"`: true, "-//Apple//DTD PLIST 1.0//EN": true, `"-//W3C//DTD x//EN//stranger"`: true,
	} {
		if got := allowing("mail.lab.test").leaksText([]byte(text), 0); got != found {
			t.Errorf("%q: found %v, want %v", text, got, found)
		}
	}
}
