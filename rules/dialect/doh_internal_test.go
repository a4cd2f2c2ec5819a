package dialect

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func dnsQuestion(t *testing.T, name string, kind dnsmessage.Type) []byte {
	t.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func dohGet(message []byte) Request {
	return Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: "dns.google", Path: "/dns-query", RawQuery: "dns=" + base64.RawURLEncoding.EncodeToString(message)}}
}

func dohPost(message []byte) Request {
	return Request{
		Method: "POST", URL: &url.URL{Scheme: "https", Host: "cloudflare-dns.com", Path: "/dns-query"},
		Header: Header{"Content-Type": {"application/dns-message"}}, Body: message,
	}
}

func TestDoH_asksOnlyAboutDiscovery(t *testing.T) {
	for _, c := range []struct {
		name string
		kind dnsmessage.Type
		want string
	}{
		{"_autodiscover._tcp.Example.COM.", dnsmessage.TypeSRV, "example.com"},
		{"_submission._tcp.lab.test.", dnsmessage.TypeSRV, "lab.test"},
		{"example.org.", dnsmessage.TypeMX, "example.org"},
		{"_ua-auto-config.lab.test.", dnsmessage.TypeTXT, "lab.test"},
		{"autoconfig.lab.test.", dnsmessage.TypeAAAA, "lab.test"},
		{"autoconfig.lab.test.", 65, "lab.test"},
		{"autodiscover.lab.test.", dnsmessage.TypeALL, "lab.test"},
		{"_imaps._tcp.lab.test.", dnsmessage.TypeCNAME, "lab.test"},
		{"lab.test.", dnsmessage.TypeALL, "lab.test"},
		{"lab.test.", 65, ""},
		{"_sip._tcp.example.com.", dnsmessage.TypeSRV, ""},
		{"_imap._udp.example.com.", dnsmessage.TypeSRV, ""},
		{"www.example.com.", dnsmessage.TypeA, ""},
		{"example.com.", dnsmessage.TypeNS, ""},
	} {
		message := dnsQuestion(t, c.name, c.kind)
		for _, r := range []Request{dohGet(message), dohPost(message)} {
			q, ok := Recognise(r)
			got := ""
			for _, s := range q.Subjects {
				if s.Carrier == "query:dns" || s.Carrier == "body" {
					got = s.Domain
				}
			}
			if got != c.want || ok != (c.want != "") {
				t.Errorf("%s %s %v: got %q, %v", r.Method, c.name, c.kind, got, ok)
			}
		}
	}
	message := dnsQuestion(t, "autoconfig.lab.test.", dnsmessage.TypeA)
	for _, raw := range []string{
		"dns=" + base64.StdEncoding.EncodeToString(message), "dns=" + base64.RawURLEncoding.EncodeToString(message) + "&x=1;y=2",
		"name=autoconfig.lab.test", "name=AutoConfig.Lab.Test.&type=HTTPS", "name=autoconfig.lab.test&type=65", "name=lab.test&type=any", "name=lab.test&type=15",
	} {
		r := Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: "dns.google", Path: "/resolve", RawQuery: raw}}
		if q, ok := Recognise(r); !ok || !slices.ContainsFunc(q.Subjects, func(s Subject) bool { return s.Domain == "lab.test" && s.Carrier == "query:dns" }) {
			t.Errorf("%s: %v, %+v", raw, ok, q.Subjects)
		}
	}
	// A resolver's place is its own; what is asked there shows in the media type alone. Without it, names in parameters are anybody's.
	encoded := "dns=" + base64.RawURLEncoding.EncodeToString(message)
	for name, c := range map[string]struct {
		r    Request
		want bool
	}{
		"Accept":       {Request{Method: "GET", URL: &url.URL{RawQuery: encoded}, Header: Header{"Accept": {"application/dns-message"}}}, true},
		"Accept, JSON": {Request{Method: "GET", URL: &url.URL{RawQuery: "name=autoconfig.lab.test"}, Header: Header{"Accept": {"application/dns-json"}}}, true},
		"Content-Type": {Request{Method: "POST", URL: &url.URL{}, Header: Header{"Content-Type": {"application/dns-message"}}, Body: message}, true},
		"neither":      {Request{Method: "GET", URL: &url.URL{RawQuery: "name=autoconfig.lab.test"}, Header: Header{"Accept": {"*/*"}}}, false},
	} {
		c.r.URL.Scheme, c.r.URL.Host, c.r.URL.Path = "https", "dns.nextdns.io", "/ab12cd"
		if q, ok := Recognise(c.r); ok != c.want || ok && q.Dialect != DoH {
			t.Errorf("at a place of its own, %s: %v, %v", name, ok, q.Dialect)
		}
	}
	unread := dohPost(nil)
	if !NeedsBody(unread) {
		t.Error("the body of a POST is not asked for")
	}
}

func TestDoH_wireAnswers(t *testing.T) {
	message := dnsQuestion(t, "_imaps._tcp.lab.test.", dnsmessage.TypeSRV)
	q, _ := Recognise(dohPost(message))
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, Response: true}}
	head := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("_imaps._tcp.lab.test."), Type: dnsmessage.TypeSRV, Class: dnsmessage.ClassINET}
	m.Answers = []dnsmessage.Resource{
		{Header: head, Body: &dnsmessage.SRVResource{Port: 993, Target: dnsmessage.MustNewName("Imap.Stranger.NET.")}},
		{Header: head, Body: &dnsmessage.SRVResource{Target: dnsmessage.MustNewName(".")}},
		{Header: dnsmessage.ResourceHeader{Name: head.Name, Type: 39, Class: dnsmessage.ClassINET}, Body: &dnsmessage.UnknownResource{Type: 39, Data: []byte{0, 1, 0}}}, // DNAME
	}
	body, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	answer := Answer{Status: 200, Header: Header{"Content-Type": {"application/dns-message"}}, Body: body}
	doc, err := Read(q, answer)
	if err != nil || len(doc.Suggestions) != 3 {
		t.Fatalf("got %+v, %v", doc, err)
	}
	if s := doc.Suggestions[0]; s.Host != "imap.stranger.net" || s.Port != 993 || s.Path != "dns:answer/0/SRV/target" {
		t.Errorf("got %+v", s)
	}
	if s := doc.Suggestions[2]; s.Kind != KindOpaque || s.Host != "" {
		t.Errorf("a record of an unknown type: %+v", s)
	}
	if _, err := doc.Edit(doc.Suggestions); !errors.Is(err, ErrFixed) {
		t.Errorf("edited: %v", err)
	}
	for _, cut := range []int{0, 5, 12, 20, len(body) - 1} {
		answer.Body = body[:cut]
		if _, err := Read(q, answer); !errors.Is(err, ErrUnreadable) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

// In wire form a name has no dots: nobody but the reader of its record finds it.
func TestDoH_everyRecordThatLeadsAway(t *testing.T) {
	q, _ := Recognise(dohPost(dnsQuestion(t, "lab.test.", dnsmessage.TypeALL)))
	stranger := dnsmessage.MustNewName("imap.stranger.net.")
	for want, body := range map[string]dnsmessage.ResourceBody{
		"dns:%/0/MX/exchange imap.stranger.net": &dnsmessage.MXResource{MX: stranger},
		"dns:%/0/SRV/target imap.stranger.net":  &dnsmessage.SRVResource{Target: stranger},
		"dns:%/0/CNAME imap.stranger.net":       &dnsmessage.CNAMEResource{CNAME: stranger},
		"dns:%/0/A 192.0.2.1":                   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}},
		"dns:%/0/AAAA 2001:db8::1":              &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("2001:db8::1").As16()},
		"dns:%/0 ":                              &dnsmessage.NSResource{NS: stranger},
		"TXT":                                   &dnsmessage.TXTResource{TXT: []string{"imap.stranger.net"}},
		"OPT":                                   &dnsmessage.OPTResource{},
		"RRSIG":                                 &dnsmessage.UnknownResource{Type: 46, Data: []byte("\x00\x01\x0d\x02\x00\x00\x00\x3c00000000\x00\x01\x08stranger\x03net\x00signature")},
	} {
		for section, harmless := range map[string]string{"answer": "TXT RRSIG", "additional": "TXT OPT RRSIG"} {
			m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, Response: true}}
			all := []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("lab.test."), Class: dnsmessage.ClassINET}, Body: body}}
			if section == "answer" {
				m.Answers = all
			} else {
				m.Additionals = all
			}
			packed, err := m.Pack()
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			doc, err := Read(q, Answer{Status: 200, Header: Header{"Content-Type": {"application/dns-message"}}, Body: packed})
			if len(doc.Suggestions) > 0 {
				got = doc.Suggestions[0].Path + " " + doc.Suggestions[0].Host
			}
			named := strings.Replace(want, "%", section, 1)
			if strings.Contains(harmless, want) {
				if got != "" || !errors.Is(err, ErrNoSettings) {
					t.Errorf("%s, %s: %q, %v", section, want, got, err)
				}
			} else if want != "OPT" && (got != named || err != nil) {
				t.Errorf("%s: got %q, %v; want %q", section, got, err, named)
			}
		}
	}
}

// The signature beside an address leads nowhere, in JSON either; and who counts fields from the front must find the same host.
func TestDoH_inJSON(t *testing.T) {
	for record, want := range map[string]string{
		`1,"data":"192.0.2.1"},{"type":46,"data":"a 13 3 60 1 1 1 lab.test. c2ln/w=="},{"type":5,"data":" "},{"type":16,"data":"v=x mail.lab.test"},{"type":33,"data":"0 0 0 ."`: "192.0.2.1 0",
		`33,"data":"0 0 993 mail.lab.test."`:     "mail.lab.test 993",
		`15,"data":"10 stranger mail.lab.test."`: " 0",
	} {
		a := Answer{Status: 200, Header: Header{"Content-Type": {"application/dns-json"}}, Body: []byte(`{"Status":0,"Answer":[{"type":` + record + `}]}`)}
		doc, err := Read(Inquiry{Dialect: DoH}, a)
		if err != nil || len(doc.Suggestions) != 1 || fmt.Sprint(doc.Suggestions[0].Host, " ", doc.Suggestions[0].Port) != want {
			t.Errorf("%s: got %+v, %v", record, doc.Suggestions, err)
		}
	}
}

func TestDoH_refusesInTheFormThatWasAsked(t *testing.T) {
	message := dnsQuestion(t, "example.com.", dnsmessage.TypeMX)
	for _, r := range []Request{dohGet(message), dohPost(message)} {
		q, _ := Recognise(r)
		a := Refuse(q)
		var m dnsmessage.Message
		if err := m.Unpack(a.Body); err != nil {
			t.Fatal(err)
		}
		if m.ID != 7 || !m.Response || m.RCode != dnsmessage.RCodeSuccess || len(m.Answers)+len(m.Authorities) > 0 || m.Questions[0].Name.String() != "example.com." || a.Status != 200 {
			t.Errorf("%s: got %d %+v", r.Method, a.Status, m)
		}
	}
}
