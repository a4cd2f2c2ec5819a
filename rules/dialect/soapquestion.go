package dialect

import (
	"encoding/xml"
	"errors"
	"html"
	"io"
	"strings"
)

// soapQuestion is a request as far as its answer depends on it.
type soapQuestion struct {
	// operation is one of the four names; GetUserSettings where the request does not say.
	operation string
	// asked are the users or domains, in the order in which the answer has their responses.
	asked []soapAsked
	// login is whom the request logs in as, by a token of its own (WS-Security, UsernameToken).
	login []Subject
	// to is the host that the request says it goes to (WS-Addressing, section 3.1: To), which need not be the asked one.
	to string
	// whole reports that the document was read to its end; otherwise data holds what there is of it.
	whole bool
	data  string
}

// soapAsked is one user or domain that was asked about.
type soapAsked struct {
	text     string
	subjects []Subject
}

// domain is the mail domain of whom was asked about, or "" where it is not exactly one.
func (a soapAsked) domain() string {
	domain := ""
	for _, s := range a.subjects {
		if domain != "" && s.Domain != domain {
			return ""
		}
		domain = s.Domain
	}
	return domain
}

// soapQuestionReader goes through a request's tokens. It takes element names without regard to namespace and nesting, as much as servers do
// and more, and no offence at what strict parsers call broken.
type soapQuestionReader struct {
	q      soapQuestion
	inUser bool
	leaf   string // the Mailbox, Domain, Username or To that is being read
	value  strings.Builder
}

func readSOAPQuestion(r Request) soapQuestion {
	t, whole := r.bodyText()
	p := soapQuestionReader{q: soapQuestion{operation: soapAction(r.Header), data: string(t.data)}}
	if !whole {
		return p.q
	}
	d := newSniffer(t.data)
	for {
		token, err := d.RawToken()
		switch token := token.(type) {
		case xml.StartElement:
			p.start(token.Name.Local)
		case xml.EndElement:
			p.end(token.Name.Local)
		case xml.CharData:
			if p.leaf != "" {
				p.value.Write(token)
			}
		}
		if err != nil {
			p.leave()
			p.q.whole = errors.Is(err, io.EOF)
			return p.q
		}
	}
}

func (p *soapQuestionReader) start(name string) {
	p.leave()
	switch name = strings.ToLower(name); name {
	case "user":
		p.inUser = true
		p.q.asked = append(p.q.asked, soapAsked{})
	case "mailbox", "domain", "username", "to":
		p.leaf = name
	default:
		if operation, ok := strings.CutSuffix(name, "requestmessage"); ok {
			p.q.operation = soapOperation(operation, p.q.operation)
		}
	}
}

func (p *soapQuestionReader) end(name string) {
	p.leave()
	if strings.EqualFold(name, "User") {
		p.inUser = false
	}
}

// leave ends the Mailbox, Domain, Username or To that is being read, if there is one.
func (p *soapQuestionReader) leave() {
	text := strings.TrimSpace(p.value.String())
	switch p.leaf {
	case "mailbox":
		if !p.inUser {
			p.q.asked = append(p.q.asked, soapAsked{})
		}
		last := &p.q.asked[len(p.q.asked)-1]
		last.text = text
		last.subjects = append(last.subjects, addresses(text, "body")...)
	case "domain":
		asked := soapAsked{text: text}
		if domain := domainOf(strings.Trim(text, " .@")); domain != "" {
			asked.subjects = []Subject{{Domain: domain, Carrier: "body"}}
		}
		p.q.asked = append(p.q.asked, asked)
	case "username":
		p.q.login = append(p.q.login, userSubjects(text, CarrierLogin)...)
	case "to":
		p.q.to, _ = urlHost(text)
	}
	p.leaf = ""
	p.value.Reset()
}

// soapAction reads the operation out of the SOAPAction field: the last segment of a URL in quotes (SOAP 1.1, section 6.1.1).
func soapAction(h Header) string {
	action := strings.Trim(h.Get("Soapaction"), `" `)
	return soapOperation(action[strings.LastIndexByte(action, '/')+1:], soapUserSettings)
}

// soapOperation is the operation of that name, in its proper spelling.
func soapOperation(name, otherwise string) string {
	for _, known := range [...]string{soapUserSettings, soapDomainSettings, soapFederation, soapRelationships} {
		if strings.EqualFold(name, known) {
			return known
		}
	}
	return otherwise
}

// domainsAnywhere finds what stands behind the start of a Domain element in a text that is no XML.
func domainsAnywhere(s string) []Subject {
	var all []Subject
	for _, rest := range strings.Split(strings.ToLower(html.UnescapeString(s)), "domain>")[1:] {
		if domain := domainOf(strings.TrimLeft(rest, " \t\r\n.@")); domain != "" {
			all = append(all, Subject{Domain: domain, Carrier: "body"})
		}
	}
	return all
}
