package dialect

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/net/dns/dnsmessage"
)

const (
	dnsMessageType = "application/dns-message"
	dnsJSONType    = "application/dns-json"
	// typeRRSIG is the signature beside a record of a signed zone, for who asks for it (RFC 4034, section 3; RFC 3225). It names its zone.
	typeRRSIG = 46
)

// readDNS reads an answer in wire form. An answer is kept or refused as a whole: there is no honest way to leave out the one record that was
// asked for.
func readDNS(mediaType string, body []byte) (d *Document, mine bool, err error) {
	if !strings.HasPrefix(strings.ToLower(mediaType), dnsMessageType) {
		return nil, false, nil
	}
	var m dnsmessage.Message
	if err := m.Unpack(body); err != nil {
		return nil, true, fmt.Errorf("%w: no DNS message", ErrUnreadable)
	}
	d = &Document{Plain: true, fixed: true}
	for i, rr := range m.Answers {
		d.Suggestions = append(d.Suggestions, recordSuggestions("dns:answer/"+strconv.Itoa(i), rr.Body)...)
	}
	for i, rr := range m.Additionals {
		if rr.Header.Type != dnsmessage.TypeOPT {
			d.Suggestions = append(d.Suggestions, recordSuggestions("dns:additional/"+strconv.Itoa(i), rr.Body)...)
		}
	}
	if len(d.Suggestions) == 0 {
		return d, true, fmt.Errorf("%w: no such name", ErrNoSettings)
	}
	return d, true, nil
}

// recordSuggestions lists what a record names. A target of "." says that there is no such service (RFC 2782, RFC 7505).
func recordSuggestions(path string, body dnsmessage.ResourceBody) []Suggestion {
	var found []Suggestion
	host := func(kind, name string, port uint16) {
		if name == "." || name == "" {
			return
		}
		s := Suggestion{Path: path + "/" + kind, Kind: KindHostname, Host: hostName(name), Port: port, Was: strings.TrimSuffix(name, ".")}
		found = append(found, s)
	}
	switch b := body.(type) {
	case *dnsmessage.MXResource:
		host("MX/exchange", b.MX.String(), 0)
	case *dnsmessage.SRVResource:
		host("SRV/target", b.Target.String(), b.Port)
		if len(found) > 0 {
			found = append(found, Suggestion{
				Path: path + "/SRV/port", Kind: KindPort, Host: found[0].Host, Port: b.Port, Was: strconv.Itoa(int(b.Port)),
			})
		}
	case *dnsmessage.CNAMEResource:
		host("CNAME", b.CNAME.String(), 0)
	case *dnsmessage.AResource:
		host("A", netip.AddrFrom4(b.A).String(), 0)
	case *dnsmessage.AAAAResource:
		host("AAAA", netip.AddrFrom16(b.AAAA).Unmap().String(), 0)
	case *dnsmessage.TXTResource:
	case *dnsmessage.UnknownResource: // SVCB, HTTPS, DNAME … can lead elsewhere, too
		if b.Type != typeRRSIG {
			found = append(found, Suggestion{Path: path, Kind: KindOpaque})
		}
	default:
		found = append(found, Suggestion{Path: path, Kind: KindOpaque})
	}
	return found
}

// readDNSJSON reads the JSON form: {"Status":0,"Answer":[{"name":…,"type":33,"data":"0 0 443 mail.lab.test."}]}.
func readDNSJSON(_ Inquiry, t text) (*Document, error) {
	x, err := readJSON(t.data)
	if err != nil {
		return nil, err
	}
	d := x.document(t, nil, nil)
	d.fixed = true
	for _, section := range [...]string{"Answer", "Additional"} {
		for i, item := range x.root.member(section).list() {
			path := "/" + section + "/" + strconv.Itoa(i) + "/data"
			fields := strings.Fields(item.member("data").string())
			kind := dnsType(item.member("type").string())
			if len(fields) == 0 || kind == dnsmessage.TypeTXT || kind == typeRRSIG {
				continue
			}
			name := fields[len(fields)-1]
			if name == "." {
				continue
			}
			s := Suggestion{Path: path, Kind: KindHostname, Host: hostName(name), Was: strings.TrimSuffix(name, ".")}
			if slices.ContainsFunc(fields[:len(fields)-1], notNumber) { // a reader that counts from the front takes another field
				s.Host = ""
			}
			if kind == dnsmessage.TypeSRV && len(fields) == 4 {
				port, _ := strconv.ParseUint(fields[2], 10, 16)
				s.Port = uint16(port)
			}
			d.Suggestions = append(d.Suggestions, s)
		}
	}
	if len(d.Suggestions) == 0 {
		return d, fmt.Errorf("%w: no such name", ErrNoSettings)
	}
	return d, nil
}

// notNumber reports whether a field is none of those that stand before a name: preference, priority, weight, port.
func notNumber(field string) bool { return strings.Trim(field, "0123456789") != "" }

// refuseDoH says in the form that was asked for that there is no such record: an HTTP error makes resolvers ask another server (RFC 8484, section 4.2.1), and
// NXDOMAIN would be said of the name with all types and everything below it (RFC 8020), so that a lab whose MX is refused would lose its hosts.
func refuseDoH(q Inquiry) Answer {
	asked, ok := dohQuestion(q.Request)
	if !ok {
		return notFound()
	}
	if q.Request.Method != "POST" && q.Request.URL.Query().Get("dns") == "" {
		question := jsonObject(jsonMember{"name", jsonText(asked.name)}, jsonMember{"type", jsonNumber(int(asked.kind))})
		a, err := jsonObject(
			jsonMember{"Status", jsonNumber(int(dnsmessage.RCodeSuccess))},
			jsonMember{"TC", jsonFalse()}, jsonMember{"RD", jsonTrue()}, jsonMember{"RA", jsonTrue()}, jsonMember{"AD", jsonFalse()}, jsonMember{"CD", jsonFalse()},
			jsonMember{"Question", &jsonNode{kind: jsontext.KindBeginArray, items: []*jsonNode{question}}}).write(dnsJSONType)
		if err != nil {
			return notFound()
		}
		return a
	}
	name, err := dnsmessage.NewName(asked.name)
	if err != nil {
		return notFound()
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: asked.id, Response: true, RecursionDesired: true, RecursionAvailable: true, RCode: dnsmessage.RCodeSuccess},
		Questions: []dnsmessage.Question{{Name: name, Type: asked.kind, Class: dnsmessage.ClassINET}},
	}
	body, err := m.Pack()
	if err != nil {
		return notFound()
	}
	return composed(dnsMessageType, string(body))
}
