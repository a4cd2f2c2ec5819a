package dialect

import "github.com/beevik/etree"

// Names of the schema. i:nil and i:type need the instance namespace (XML Schema Part 1, section 2.6).
const (
	soapSchema   = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
	soapInstance = "http://www.w3.org/2001/XMLSchema-instance"
)

// maxAsked is how many users or domains a server answers at once, as Exchange does it; it bounds what a refusal can grow to.
const maxAsked = 100

// refuseSOAP answers a POST with the error that each operation has for a user, domain or organisation that the server does not know. Never
// ServerBusy: clients try again. Anything else, the service's description among it, is answered 404.
func refuseSOAP(q Inquiry) Answer {
	if q.Request.Method != "POST" {
		return notFound()
	}
	question := readSOAPQuestion(q.Request)
	root, response := soapEnvelope(question.operation)
	switch question.operation {
	case soapFederation, soapRelationships:
		soapError(response, "NotFederated", "The organization is not federated.")
	case soapDomainSettings:
		refuseEach(response, question.asked, "DomainResponse")
	default:
		refuseEach(response, question.asked, "UserResponse")
	}
	a, err := (&xmlDocument{root: root}).write(typeXML)
	if err != nil {
		return notFound()
	}
	return a
}

// refuseEach writes one response for each who was asked about, and one where that is not known.
func refuseEach(response *etree.Element, asked []soapAsked, name string) {
	if len(asked) > maxAsked {
		soapError(response, "InvalidRequest", "Too many were asked about.")
		return
	}
	soapError(response, "NoError", "")
	all := response.CreateElement(name + "s")
	for _, a := range asked {
		setUnknown(all.CreateElement(name), a.text)
	}
	if len(asked) == 0 {
		setUnknown(all.CreateElement(name), "")
	}
}

// soapEnvelope makes an answer's frame and returns its Response as well. ews-javascript-api 0.15.3 fails without a server's version, before it
// reads what the answer says (ExchangeServerInfo.js). Which version is of no matter to what is answered here.
func soapEnvelope(operation string) (root, response *etree.Element) {
	root = etree.NewElement("s:Envelope")
	root.CreateAttr("xmlns:s", "http://schemas.xmlsoap.org/soap/envelope/")
	root.CreateAttr("xmlns:a", "http://www.w3.org/2005/08/addressing")
	header := root.CreateElement("s:Header")
	action := header.CreateElement("a:Action")
	action.CreateAttr("s:mustUnderstand", "1")
	action.CreateText(soapSchema + "/Autodiscover/" + operation + "Response")
	version := header.CreateElement("h:ServerVersionInfo")
	version.CreateAttr("xmlns:h", soapSchema)
	textElement(version, "h:MajorVersion", "15")
	textElement(version, "h:MinorVersion", "0")
	textElement(version, "h:MajorBuildNumber", "0")
	textElement(version, "h:MinorBuildNumber", "0")
	textElement(version, "h:Version", "Exchange2013")
	message := root.CreateElement("s:Body").CreateElement(operation + "ResponseMessage")
	message.CreateAttr("xmlns", soapSchema)
	return root, message.CreateElement("Response")
}

func soapError(response *etree.Element, code, message string) {
	textElement(response, "ErrorCode", code)
	textElement(response, "ErrorMessage", message)
}
