package dialect

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A question that goes to a stranger without its secrets may hold some in its body: SOAP has a header of its own, in which WS-Security carries passwords and
// tokens (MS-OXWSADISC 3.1.4: /wssecurity). So here, too, a list says what may stand in a body, and not what may not.

// SecretFree reports whether the request's body says whom it is about and what is asked, and nothing that could be a secret. It is false for a body that cannot be
// read to its end.
func (q Inquiry) SecretFree() bool {
	f := format(q.Dialect)
	return len(q.Request.Body) == 0 || f != nil && f.secretFree != nil && f.secretFree(q.Request)
}

// poxQuestion are the elements of a question of either schema (MS-OXDSCLI 2.2.3.1; MS-ASCMD 2.2.1.1), lower case.
var poxQuestion = [...]string{"autodiscover", "request", "emailaddress", "legacydn", "acceptableresponseschema"}

func poxSecretFree(r Request) bool { return onlyElements(r, poxQuestion[:]) }

// soapQuestionParts are the elements of the four questions with the header blocks that they need (MS-OXWSADISC 3.1.4; WS-Addressing), lower case.
var soapQuestionParts = [...]string{
	"envelope", "header", "body", "requestedserverversion", "action", "messageid", "replyto", "to", "address",
	"getusersettingsrequestmessage", "getdomainsettingsrequestmessage", "getfederationinformationrequestmessage", "getorganizationrelationshipsettingsrequestmessage",
	"request", "users", "user", "mailbox", "domains", "domain", "requestedsettings", "setting", "requestedversion",
}

func soapSecretFree(r Request) bool { return onlyElements(r, soapQuestionParts[:]) }

// onlyElements reports whether a body is XML of no other elements than those. What stands in them is the question.
func onlyElements(r Request, known []string) bool {
	t, err := decodeText(r.Body, r.Header.Get("Content-Type"))
	if err != nil {
		return false
	}
	d := xml.NewDecoder(bytes.NewReader(truncateTags(t.data)))
	d.CharsetReader = sameReader
	for depth := 0; ; {
		token, err := d.RawToken()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth++; !slices.Contains(known, strings.ToLower(token.Name.Local)) {
				return false
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(token)) > 0 { // a form, the head of one of several parts
				return false
			}
		case xml.ProcInst:
			if token.Target != "xml" {
				return false
			}
		case xml.Comment, xml.Directive:
			return false
		}
	}
}

// credentialTypeTexts are the members of GetCredentialType that are texts, lower case. The last two are what the service itself gave the client before.
var credentialTypeTexts = [...]string{"username", "country", "originalrequest", "flowtoken"}

func identitySecretFree(r Request) bool {
	t, err := decodeText(r.Body, r.Header.Get("Content-Type"))
	if err != nil {
		return false
	}
	x, err := readJSON(t.data)
	if err != nil {
		return false
	}
	defer x.free()
	for _, m := range x.root.members {
		switch m.value.kind {
		case jsontext.KindTrue, jsontext.KindFalse, jsontext.KindNumber, jsontext.KindNull:
		case jsontext.KindString:
			if !slices.Contains(credentialTypeTexts[:], strings.ToLower(m.name)) {
				return false
			}
		default:
			return false
		}
	}
	return x.object()
}
