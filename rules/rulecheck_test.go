package rules_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// TestNew_ruleMistakes: each way to be wrong has its own message, which names the rule, the key, and what to write instead.
func TestNew_ruleMistakes(t *testing.T) {
	server := func(s dialect.Server) rules.Rule {
		r := pin
		r.Answer = rules.AnswerLocal
		r.Servers = []dialect.Server{s}
		return r
	}
	untold := server(dialect.Server{Protocol: "imap", Host: "mail.corp.example.net"})
	untold.Answer = rules.AnswerUpstream
	twice := server(dialect.Server{Protocol: "imap", Host: "mail.corp.example.net"})
	twice.Servers = append(twice.Servers, twice.Servers[0])
	asks := server(dialect.Server{Protocol: "imap", Host: "mail.corp.example.net"})
	asks.Upstream = rules.AskScrubbed
	for _, c := range []struct {
		name string
		rule rules.Rule
		want string
	}{
		{"a rule needs a name", rules.Rule{Domains: pin.Domains}, "rule number 1: name: a rule without a name; want a word"},
		{"a name is one word", rules.Rule{Name: "my pin", Domains: pin.Domains}, `"my pin" has spaces in it; want one word, such as "my-pin"`},
		{"control characters are spaces", rules.Rule{Name: "my\x7fpin", Domains: pin.Domains}, `"my\x7fpin" has spaces in it`},
		{"a name is text", rules.Rule{Name: "my\xffpin", Domains: pin.Domains}, `"my\xffpin" has characters in it that nobody can see; want it without them, "mypin"`},
		{"built-in names are taken", rules.Rule{Name: "private-use", Domains: pin.Domains}, `rule private-use: name: "private-use" is the name of another rule`},
		{"a rule is for somebody", rules.Rule{Name: "x"}, "domains: a rule for no domain; want at least one"},
		{"a public suffix is nobody's domain", rules.Rule{Name: "x", Domains: []string{"co.uk"}}, `domains: "co.uk" is a public suffix`},
		{"patterns are checked", rules.Rule{Name: "x", Domains: pin.Domains, Allow: []string{"*corp.example.net"}}, `allow: "*corp.example.net" has a star that is not a whole label; want "*.corp.example.net"`},
		{"services have names", rules.Rule{Name: "x", Domains: pin.Domains, Services: []string{"autodetct"}}, `services: "autodetct" is not a known service; want one of autodetect`},
		{"services have hosts", rules.Rule{Name: "x", Domains: pin.Domains, Services: []string{"suspected"}}, `services: "suspected" has no hosts of its own, so no request reaches the rule there; want it among dialects`},
		{"dialects have names", rules.Rule{Name: "x", Domains: pin.Domains, Dialects: []string{"mapi"}}, `dialects: "mapi" is not a known dialect; want one of autodetect, soap`},
		{"clients are ranges", rules.Rule{Name: "x", Domains: pin.Domains, Clients: []netip.Prefix{{}}}, "clients: no range of addresses; want a range such as 192.168.0.0/16"},
		{"what is done otherwise is known", rules.Rule{Name: "x", Domains: pin.Domains, Otherwise: rules.Rewrite + 1}, "unknown otherwise, answer, upstream or mode"},
		{"who answers is known", rules.Rule{Name: "x", Domains: pin.Domains, Answer: rules.AnswerLocal + 1}, "unknown otherwise, answer, upstream or mode"},
		{"who is asked is known", rules.Rule{Name: "x", Domains: pin.Domains, Upstream: rules.AskNever + 1}, "unknown otherwise, answer, upstream or mode"},
		{"rewriting needs servers", rules.Rule{Name: "x", Domains: pin.Domains, Otherwise: rules.Rewrite}, "otherwise: rewrite, and no servers to write"},
		{"answering needs servers", rules.Rule{Name: "x", Domains: pin.Domains, Answer: rules.AnswerLocal}, "answer: local, and no servers to answer with"},
		{"answering asks nobody", asks, "upstream: scrubbed, but answer: local asks nobody"},
		{"monitoring cannot keep from asking", rules.Rule{Name: "x", Domains: pin.Domains, Mode: rules.Monitor, Upstream: rules.AskNever}, "upstream: never, but a rule that only monitors changes nothing"},
		{"own servers are allowed", server(dialect.Server{Protocol: "imap", Host: "mail.stranger.net"}), `allow: the rule's own server for imap, mail.stranger.net, is not allowed by it; want an entry "mail.stranger.net"`},
		{"protocols have names", server(dialect.Server{Protocol: "imaps", Host: "mail.corp.example.net"}), `servers: "imaps" is not a known protocol`},
		{"a server is one host", server(dialect.Server{Protocol: "imap", Host: "*.corp.example.net"}), `imap: "*.corp.example.net" is not a host`},
		{"a server is no range", server(dialect.Server{Protocol: "imap", Host: "10.0.0.0/8"}), `imap: "10.0.0.0/8" is not a host`},
		{"a protocol has one server", twice, "servers: imap is given twice; want one server for each protocol"},
		{"a port has a key of its own", server(dialect.Server{Protocol: "imap", Host: "mail.corp.example.net:993"}), `is not a host; want {host: mail.corp.example.net, port: 993}`},
		{"a port is a number", server(dialect.Server{Protocol: "imap", Host: "mail.corp.example.net:"}), `is not a host; want a host such as`},
		{"mail has no URL to move it to", server(dialect.Server{Protocol: "imap", Host: "imaps://mail.corp.example.net"}), `is not a host; want a host such as`},
		{"a host holds no password", server(dialect.Server{Protocol: "ews", Host: "https://user:secret@mail.corp.example.net/"}), `servers: ews: the host names a user`},
		{"a URL has a key of its own", server(dialect.Server{Protocol: "ews", Host: "https://mail.corp.example.net/ews"}), `is not a host; want {host: mail.corp.example.net, url: "https://mail.corp.example.net/ews"}`},
		{"encryption has words", server(dialect.Server{Protocol: "imap", Host: "mail.corp.example.net", Encryption: "tls"}), `imap: "tls" is not a kind of encryption; want ssl, starttls or none`},
		{"placeholders have names", server(dialect.Server{Protocol: "imap", Host: "mail.corp.example.net", Username: "%EMAIL%"}), `holds a placeholder that nobody knows; want only %EMAILADDRESS%`},
		{"servers are for somebody", untold, "servers: no client is told of them; want answer: local"},
		{"authentication has words", server(dialect.Server{Protocol: "imap", Host: "mail.corp.example.net", Auth: "oauth"}), `servers: "oauth" is not a known kind of authentication; want one of password-cleartext`},
		{"mail is not spoken at a URL", server(dialect.Server{Protocol: "imap", Host: "mail.corp.example.net", URL: "https://mail.corp.example.net/"}), "servers: imap is not spoken at a URL; want host and port alone"},
		{"a URL has a scheme", server(dialect.Server{Protocol: "ews", Host: "mail.corp.example.net", URL: "mail.corp.example.net/ews"}), `ews: "mail.corp.example.net/ews" is not a URL; want one such as https://`},
		{"a URL has a host", server(dialect.Server{Protocol: "ews", Host: "mail.corp.example.net", URL: "https:///ews"}), `ews: "https:///ews" is not a URL`},
		{"a URL is of the web", server(dialect.Server{Protocol: "ews", Host: "mail.corp.example.net", URL: "ftp://mail.corp.example.net/ews"}), `ews: "ftp://mail.corp.example.net/ews" is not a URL`},
		{"a URL can be read", server(dialect.Server{Protocol: "ews", Host: "mail.corp.example.net", URL: "https://mail.corp.example.net/%zz"}), `%zz" is not a URL`},
		{"a URL leads where the rule allows", server(dialect.Server{Protocol: "ews", Host: "mail.corp.example.net", URL: "https://MAIL.stranger.net:8443/ews"}), `allow: the rule's own URL for ews leads to mail.stranger.net, which is not allowed by it; want an entry "mail.stranger.net"`},
		{"a URL holds no password", server(dialect.Server{Protocol: "ews", Host: "mail.corp.example.net", URL: "https://user:secret@mail.corp.example.net/"}), "servers: ews: the URL names a user; want it without one"},
		{"a URL that cannot be read shows no password", server(dialect.Server{Protocol: "ews", Host: "mail.corp.example.net", URL: "https://user:secret%zz@mail.corp.example.net/"}), "servers: ews: the URL names a user"},
		{"a URL without a scheme shows no password", server(dialect.Server{Protocol: "ews", Host: "mail.corp.example.net", URL: "user:secret@mail.corp.example.net/ews"}), "servers: ews: the URL names a user"},
		{"a user name leads where the rule allows", server(dialect.Server{Protocol: "imap", Host: "mail.corp.example.net", Username: "%EMAILLOCALPART%@ad.example.org"}), `allow: the rule's own user name for imap is at ad.example.org, where clients look for address books with the password, and which is not allowed by it; want an entry "ad.example.org"`},
		{"a user name makes no other domain up", server(dialect.Server{Protocol: "imap", Host: "mail.corp.example.net", Username: "%EMAILADDRESS%work"}), `allow: the rule's own user name for imap is at accountwork`},
		{"a service is enforced or off", rules.Rule{Name: "x", Domains: pin.Domains, Mode: rules.Off}, "unknown otherwise, answer, upstream or mode"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := rules.New(rules.Config{Rules: []rules.Rule{c.rule}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant in it: %s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one message: %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the message has the password in it: %v", err)
			}
			if _, ok := errors.AsType[*rules.RuleError](err); !ok {
				t.Errorf("%T, want a RuleError in it", err)
			}
		})
	}
}

// TestNew_servers: what a server can be. A shared calendar's URL has an account in its path, and no user.
func TestNew_servers(t *testing.T) {
	const host = "mail.corp.example.net"
	for _, s := range []dialect.Server{
		{Protocol: "caldav", Host: host, URL: "https://mail.corp.example.net/dav/team@corp.example.net/"},
		{Protocol: "ews", Host: host, URL: "http://mail.corp.example.net/ews"},
		{Protocol: "imap", Host: host, Encryption: "ssl", Auth: "password-cleartext"},
		{Protocol: "imap", Host: host, Encryption: "starttls", Auth: "password-encrypted"},
		{Protocol: "imap", Host: host, Encryption: "none", Auth: "NTLM"},
		{Protocol: "imap", Host: host, Auth: "GSSAPI"},
		{Protocol: "imap", Host: host, Auth: "client-IP-address"},
		{Protocol: "imap", Host: host, Auth: "TLS-client-cert"},
		{Protocol: "imap", Host: host, Auth: "OAuth2"},
		{Protocol: "imap", Host: host, Auth: "none"},
	} {
		r := pin
		r.Answer = rules.AnswerLocal
		r.Servers = []dialect.Server{s}
		if _, err := rules.New(rules.Config{Rules: []rules.Rule{r}}); err != nil {
			t.Error(err)
		}
	}
}

// TestNew_serverHost: clients are told a server in one spelling, and the operator's own rule stays as it was written.
func TestNew_serverHost(t *testing.T) {
	r := pin
	r.Answer = rules.AnswerLocal
	r.Servers = []dialect.Server{{Protocol: "imap", Host: "IMAP.Corp.Example.net."}}
	told := string(withRules(t, r).Plan(question("https://autoconfig.corp.example.net/mail/config-v1.1.xml"), rules.From{}).Decision.Answer.Body)
	if !strings.Contains(told, ">imap.corp.example.net<") {
		t.Errorf("told %s", told)
	}
	if r.Servers[0].Host != "IMAP.Corp.Example.net." {
		t.Errorf("the rule has become %q", r.Servers[0].Host)
	}
}

// TestNew_username: whom clients log in as may be at a domain where they may go.
func TestNew_username(t *testing.T) {
	for username, ok := range map[string]bool{
		"web12p3": true, "%EMAILADDRESS%": true, "%EMAILLOCALPART%@mail.%EMAILDOMAIN%": true, "%EMAILLOCALPART%@corp.example.net": true, "jane@outlook.office365.com": true,
		"jane@stranger.net": false, "%EMAILLOCALPART%@x%EMAILDOMAIN%": false,
	} {
		r := pin
		r.Answer = rules.AnswerLocal
		r.Servers = []dialect.Server{{Protocol: "imap", Host: "mail.corp.example.net", Username: username}}
		if _, err := rules.New(rules.Config{Rules: []rules.Rule{r}}); (err == nil) != ok {
			t.Errorf("%s: %v", username, err)
		}
	}
}

// TestNew_shadowedRule: a rule that no request reaches is refused, one that some request reaches is not.
func TestNew_shadowedRule(t *testing.T) {
	office := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	end := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	wide := rules.Rule{Name: "wide", Domains: []string{"*.example.net", "example.net"}}
	for _, c := range []struct {
		name   string
		first  rules.Rule
		second rules.Rule
		wrong  bool
	}{
		{"the same domain twice", wide, rules.Rule{Name: "b", Domains: []string{"example.net"}}, true},
		{"a domain below", wide, rules.Rule{Name: "b", Domains: []string{"corp.example.net", "*.corp.example.net"}}, true},
		{"one domain of two is new, and comes first", wide, rules.Rule{Name: "b", Domains: []string{"example.org", "example.net"}}, false},
		{"one domain of two is new", wide, rules.Rule{Name: "b", Domains: []string{"example.net", "example.org"}}, false},
		{"the first is for some clients", rules.Rule{Name: "a", Domains: wide.Domains, Clients: office}, rules.Rule{Name: "b", Domains: wide.Domains}, false},
		{"both are for the same clients", rules.Rule{Name: "a", Domains: wide.Domains, Clients: office}, rules.Rule{Name: "b", Domains: wide.Domains, Clients: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}, true},
		{"both are for the same range", rules.Rule{Name: "a", Domains: wide.Domains, Clients: office}, rules.Rule{Name: "b", Domains: wide.Domains, Clients: office}, true},
		{"the second is for other clients", rules.Rule{Name: "a", Domains: wide.Domains, Clients: office}, rules.Rule{Name: "b", Domains: wide.Domains, Clients: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}}, false},
		{"the second is for more clients", rules.Rule{Name: "a", Domains: wide.Domains, Clients: office}, rules.Rule{Name: "b", Domains: wide.Domains, Clients: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/7")}}, false},
		{"the second is for one service", wide, rules.Rule{Name: "b", Domains: wide.Domains, Services: []string{"ispdb"}}, true},
		{"the first is for one service", rules.Rule{Name: "a", Domains: wide.Domains, Services: []string{"ispdb"}}, rules.Rule{Name: "b", Domains: wide.Domains}, false},
		{"both are for the same service", rules.Rule{Name: "a", Domains: wide.Domains, Services: []string{"ispdb"}}, rules.Rule{Name: "b", Domains: wide.Domains, Services: []string{"ispdb"}}, true},
		{"the second is for another service, too", rules.Rule{Name: "a", Domains: wide.Domains, Services: []string{"ispdb"}}, rules.Rule{Name: "b", Domains: wide.Domains, Services: []string{"ispdb", "autodetect"}}, false},
		{"the second is for one dialect of two", rules.Rule{Name: "a", Domains: wide.Domains, Dialects: []string{"pox", "soap"}}, rules.Rule{Name: "b", Domains: wide.Domains, Dialects: []string{"soap"}}, true},
		{"the second is for another dialect", rules.Rule{Name: "a", Domains: wide.Domains, Dialects: []string{"pox"}}, rules.Rule{Name: "b", Domains: wide.Domains, Dialects: []string{"pox", "soap"}}, false},
		{"the second ends with the first", rules.Rule{Name: "a", Domains: wide.Domains, Until: end}, rules.Rule{Name: "b", Domains: wide.Domains, Until: end}, true},
		{"the second ends after the first", rules.Rule{Name: "a", Domains: wide.Domains, Until: end}, rules.Rule{Name: "b", Domains: wide.Domains, Until: end.Add(time.Second)}, false},
		{"the first is for one dialect", rules.Rule{Name: "a", Domains: wide.Domains, Dialects: []string{"pox"}}, rules.Rule{Name: "b", Domains: wide.Domains}, false},
		{"the first ends one day", rules.Rule{Name: "a", Domains: wide.Domains, Until: time.Now()}, rules.Rule{Name: "b", Domains: wide.Domains}, false},
		{"the same domain alone", rules.Rule{Name: "a", Domains: []string{"example.net"}}, rules.Rule{Name: "b", Domains: []string{"example.net"}}, true},
		{"the first is for the name itself", rules.Rule{Name: "a", Domains: []string{"example.net"}}, rules.Rule{Name: "b", Domains: []string{"*.example.net"}}, false},
		{"the first is for what is below", rules.Rule{Name: "a", Domains: []string{"*.example.net"}}, rules.Rule{Name: "b", Domains: []string{"example.net"}}, false},
		{"the wide one comes second", rules.Rule{Name: "b", Domains: []string{"corp.example.net"}}, wide, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := rules.New(rules.Config{Rules: []rules.Rule{c.first, c.second}})
			if (err != nil) != c.wrong {
				t.Fatalf("error %v, want one: %v", err, c.wrong)
			}
			if c.wrong && !strings.Contains(err.Error(), "no request reaches the rule") {
				t.Error(err)
			}
		})
	}
}
