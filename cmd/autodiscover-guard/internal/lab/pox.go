package lab

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// POXPath is where POX is asked; clients differ in the case of its letters.
const POXPath = "/autodiscover/autodiscover.xml"

// The namespaces of an answer with the Outlook schema (MS-OXDSCLI, section 2.2.4).
const (
	poxResponseWrapper = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
	poxResponseSchema  = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
)

type poxQuestion struct {
	XMLName xml.Name `xml:"Autodiscover"`
	Address string   `xml:"Request>EMailAddress"`
}

type poxAnswer struct {
	XMLName  xml.Name `xml:"Autodiscover"`
	Space    string   `xml:"xmlns,attr"`
	Response struct {
		Space string    `xml:"xmlns,attr"`
		User  *poxUser  `xml:"User"`
		Mail  *poxMail  `xml:"Account"`
		Error *poxError `xml:"Error"`
	}
}

type poxUser struct {
	DisplayName string
}

type poxMail struct {
	AccountType string
	Action      string
	Protocol    []poxProtocol
}

type poxProtocol struct {
	Type           string
	Server         string
	Port           int
	LoginName      string
	DomainRequired string
	SPA            string
	SSL            string
	AuthRequired   string
}

type poxError struct {
	Time      string `xml:",attr"`
	ID        string `xml:"Id,attr"`
	ErrorCode int
	Message   string
	DebugData string
}

// POX answers Microsoft's "plain old XML" Autodiscover with the Outlook schema: a POST to [POXPath], in any case. The account stands in
// the question's body. A question that cannot be read gets the dialect's own error 600; other methods and paths get a 404.
func POX() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.EqualFold(r.URL.Path, POXPath) {
			http.NotFound(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "question too long", http.StatusRequestEntityTooLarge)
			return
		}
		var q poxQuestion
		domain := ""
		if xml.Unmarshal(body, &q) == nil {
			q.Address = strings.TrimSpace(q.Address)
			domain = domainOf(q.Address)
		}
		answerPOX(q.Address, domain).ServeHTTP(w, r)
	})
}

func answerPOX(address, domain string) Answer {
	a := poxAnswer{Space: poxResponseWrapper}
	if domain == "" {
		a.Response.Space = poxResponseWrapper
		a.Response.Error = &poxError{Time: "21:32:58.0000000", ID: "2606676101", ErrorCode: 600, Message: "Invalid Request"}
	} else {
		a.Response.Space = poxResponseSchema
		a.Response.User = &poxUser{DisplayName: address}
		a.Response.Mail = &poxMail{AccountType: "email", Action: "settings"}
		for _, o := range offersFor(domain) {
			a.Response.Mail.Protocol = append(a.Response.Mail.Protocol, poxProtocol{
				Type: strings.ToUpper(o.protocol), Server: o.host, Port: o.port, LoginName: address,
				DomainRequired: "off", SPA: "off", SSL: "on", AuthRequired: "on",
			})
		}
	}
	h := http.Header{}
	h.Set("Content-Type", "text/xml; charset=utf-8")
	h.Set("Cache-Control", "private")
	h.Set("Server", "Microsoft-IIS/10.0")
	h.Set("X-Powered-By", "ASP.NET")
	return Answer{Status: http.StatusOK, Header: h, Body: marshalXML(a)}
}

func marshalXML(v any) []byte {
	b, err := xml.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("lab: writing XML: %v", err)) // only the types above come here, and they have no way to fail
	}
	return append([]byte(`<?xml version="1.0" encoding="utf-8"?>`+"\n"), b...)
}
