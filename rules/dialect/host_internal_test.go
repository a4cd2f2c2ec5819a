package dialect

import "testing"

// What is no host name as a whole is nobody's, whatever it ends in: clients cut it in different places.
func TestHostName(t *testing.T) {
	for value, want := range map[string]string{
		"Mail.Lab.Test.": "mail.lab.test", "mail.lab.test:993": "mail.lab.test", "_imaps.lab.test": "_imaps.lab.test", "müller.test": "xn--mller-kva.test",
		"[fe80::1]:993": "fe80::1", "10.0.0.1": "10.0.0.1", "imap": "imap", "zimbra.lab.test": "zimbra.lab.test",

		"stranger.net:x.lab.test": "", "stranger.net:25:x.lab.test": "", "stranger.net,x.lab.test": "", "stranger.net;x.lab.test": "",
		"stranger.net&.lab.test": "", "134744072\x00.lab.test": "", "stranger.net\u00a0.lab.test": "", "stranger.net\u3000x.lab.test": "",
		"stranger.net%2f.lab.test": "", "stranger.net%00.lab.test": "", "stranger.net%252f.lab.test": "", "stranger.net\x7f.lab.test": "",
		"134744072%E3%80%82lab.test": "", "mail%2Elab.test": "", "1%30.1.2.3": "", "fe80::1%eth0": "fe80::1", "[fe80::1%25eth0]:993": "fe80::1",
		"stranger.net(x).lab.test": "", "stranger.net].lab.test": "", "{x}.lab.test": "", "*.lab.test": "", "stranger.net\u2100.lab.test": "", // ℀ is a/c
	} {
		if got := hostName(value); got != want {
			t.Errorf("hostName(%q) = %q, want %q", value, got, want)
		}
	}
	for value, want := range map[string]string{
		"https://mail.lab.test/": "mail.lab.test", "//mail.lab.test/%EMAILADDRESS%": "mail.lab.test", "https://stranger.net;.lab.test/": "", "https://stranger.net,x.lab.test/": "",
		`https://mail.lab.test/\x`: "", "https://mail.lab.test/\tx": "",
		"https://stranger.net%252f.lab.test/": "", "https://stranger.net\u00a0.lab.test/": "",
		"https://134744072%E3%80%82lab.test/": "", "https://134744072%c0%ae.lab.test": "", "https://x@134744072%E3%80%82lab.test:443": "", "https://u%40v:p%2F@mail.lab.test/%E3%80%82?%40": "mail.lab.test",
		"https://[fe80::1%25eth0]:443/": "fe80::1", "https://müller.lab.test/": "xn--mller-kva.lab.test", "https://mail。lab.test/": "mail.lab.test",
	} {
		if got, _ := urlHost(value); got != want {
			t.Errorf("urlHost(%q) = %q, want %q", value, got, want)
		}
	}
	for value, want := range map[string]string{ // as a host, which may be a URL
		"https://mail.lab.test/": "mail.lab.test", "//mail.lab.test": "mail.lab.test", "guid@lab.test": "lab.test", "0a1B-2c_3@lab.test": "lab.test",
		"134744072/x@lab.test": "", "[2001:db8::1]/@lab.test": "", "imap.stranger.net@lab.test": "", "134744072//": "", "134744072//mail.lab.test": "", "134744072/x": "", "/mail.lab.test": "", "https:134744072": "",
	} {
		if s, ok := suggestHost("", "", value); !ok || s.Host != want {
			t.Errorf("suggestHost(%q) is for %q, %t; want %q", value, s.Host, ok, want)
		}
	}
	for _, value := range []string{`/\134744072/x`, "/\t/134744072/x", "/\n/134744072/x", "/\x7f/134744072/x", `\\stranger.net\x`} { // which browsers take for //134744072/x, or drop what is between
		if s, ok := suggestURL(KindURL, "", "", value); !ok || s.Host != "" {
			t.Errorf("suggestURL(%q): %+v, %t; want a stranger", value, s, ok)
		}
	}
	for value, want := range map[string]string{ // where nobody writes a reference
		"mail.lab.test/EWS/Exchange.asmx": "mail.lab.test", "Mail.Lab.test.:443/x?y#z": "mail.lab.test", "mail.lab.test": "mail.lab.test", "mail.lab.test?x": "mail.lab.test", "mail.lab.test/x@y": "mail.lab.test", "10.0.0.1/x": "10.0.0.1",
		"https://mail.lab.test/": "mail.lab.test", "//mail.lab.test/": "mail.lab.test", "stranger.net//mail.lab.test/": "stranger.net", "stranger.net:443:x.lab.test/": "", `mail.lab.test/\x`: "", "https:mail.lab.test/": "",
		"": "none", "/EWS": "none", "?p=x": "none", "EWS/Exchange.asmx": "none", "stranger.net@mail.lab.test/x": "none",
	} {
		got := "none"
		if s, ok := suggestWholeURL(KindURL, "", "", value); ok {
			got = s.Host
		}
		if got != want {
			t.Errorf("suggestWholeURL(%q) is for %q, want %q", value, got, want)
		}
	}
	for value, want := range map[string]uint16{"mail.lab.test:993": 993, "[fe80::1]:993": 993, "fe80::1": 0, "mail.lab.test": 0, "https://mail.lab.test:8443/x": 8443} {
		if s, _ := suggestHost("", "", value); s.Port != want {
			t.Errorf("suggestHost(%q) has port %d, want %d", value, s.Port, want)
		}
	}
	for value, want := range map[string]bool{"https:134744072": true, "HTTP:/x": true, `\\\\x\\y`: true, "//x": true, `/\x`: true, "\\\t/x": true, "/\tx": false, "http": false, "httpx:y": false, "a:b": false} {
		if s, ok := suggestAbsolute("", "", value); ok != want || s.Host != "" && value != "//x" {
			t.Errorf("suggestAbsolute(%q): %+v, %t; want %t", value, s, ok, want)
		}
	}
	for value, want := range map[string]string{
		"user@Lab.Test": "lab.test", "SMTP:user@lab.test": "lab.test", "\"a,b@c\"@lab.test.": "lab.test", "user@[IPv6:2001:db8::1]": "2001:db8::1",
		"user@stranger.net\u00a0.lab.test": "", "user@stranger.net+.lab.test": "", "user%40lab.test%2B.stranger.net": "",
		"user@lab.test&.stra&nger.n&et": "", "user@lab.test$.stranger": "", "user@lab.test;.stranger": "", "user@lab.test?x": "", "user@lab.test:x": "",
		"a@lab.test,b@stranger.net": "", "a@stranger.net;b@lab.test": "", "nobody": "",
	} {
		if s, _ := suggestAddress("", "", value); s.Host != want {
			t.Errorf("suggestAddress(%q) is for %q, want %q", value, s.Host, want)
		}
	}
	if s, ok := suggestMailto("", "", "mailto:help@lab.test?subject=a@b"); !ok || s.Host != "lab.test" || s.Was != "mailto:help@lab.test?subject=a@b" {
		t.Errorf("suggestMailto: %+v, %t", s, ok)
	}
}
