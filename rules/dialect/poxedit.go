package dialect

import (
	"strings"

	"github.com/beevik/etree"
)

// editPOX applies verdicts and writes the document. A Protocol without its server goes as a whole: exchangelib 4.9 crashes on an Account
// that has none, so a document in which no Protocol and no redirect is left is not sent at all.
func editPOX(x *xmlDocument, spots []xmlSpot, judged []Suggestion) (Answer, error) {
	applyXML(spots, judged)
	prunePOX(x.root)
	if !keepsServer(x.root, spots, judged) || !fixAccounts(x.root) {
		return Answer{}, ErrNothingLeft
	}
	markRemoved(judged, func(i int) bool { return attached(spots[i].element, x.root) })
	return x.write(typeXML)
}

// prunePOX takes out containers that lost everything that they are for: a MailStore without URL, a Protocol with nothing but its Type.
func prunePOX(e *etree.Element) {
	for _, c := range e.ChildElements() {
		prunePOX(c)
	}
	switch strings.ToLower(e.Tag) {
	case "mailstore", "addressbook", "internal", "external":
		if !hasElements(e) {
			remove(e)
		}
	case "protocol":
		for c := range e.ChildElementsSeq() {
			if !is(c, "Type") {
				return
			}
		}
		remove(e)
	}
}

// fixAccounts brings the Action of every Account in line with what is left: one that announces a redirect which was taken out would leave clients
// waiting for it. It reports whether there is an Account, and each still has settings or a redirect.
func fixAccounts(root *etree.Element) bool {
	sound, accounts := true, 0
	var visit func(e *etree.Element)
	visit = func(e *etree.Element) {
		if is(e, "Account") {
			accounts++
			settings, redirect := child(e, "Protocol") != nil, child(e, "RedirectUrl") != nil || child(e, "RedirectAddr") != nil
			if action := child(e, "Action"); action != nil && settings && !redirect {
				setText(action, "settings")
			}
			sound = sound && (settings || redirect)
			return
		}
		for c := range e.ChildElementsSeq() {
			visit(c)
		}
	}
	visit(root)
	return sound && accounts > 0
}

// The documents of MS-OXDSCLI 2.2.4.1.1.3: error 500 says that the address cannot be found. Time and Id serve the server's own log; they
// are constant, so that the same question gets the same answer.
const poxNotFound = `<?xml version="1.0" encoding="utf-8"?>` +
	`<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"><Response>` +
	`<Error Time="00:00:00.0000000" Id="1000000000"><ErrorCode>500</ErrorCode>` +
	`<Message>The email address can't be found.</Message><DebugData /></Error></Response></Autodiscover>`

// refusePOX answers a POST with error 500, the one answer on which every client that was run settles quietly, and a probe with 404: what it
// probes for (a redirect, X-SOAP-Enabled) would make it send the password.
func refusePOX(q Inquiry) Answer {
	if q.Request.Method != "POST" {
		return notFound()
	}
	return composed(typeXML, poxNotFound)
}
