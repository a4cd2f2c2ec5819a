package dialect

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// edit applies verdicts and writes the document. A response that lost everything becomes the one of an unknown user or domain, at its place:
// the client counts responses.
func (w *soapWalk) edit(x *xmlDocument, judged []Suggestion) (Answer, error) {
	applyXML(w.spots, judged)
	for i, response := range w.responses {
		if w.lost(i, x.root, judged) {
			setUnknown(response, "")
		}
	}
	pruneSOAP(x.root)
	if !w.tells(func(i int) bool { return attached(w.spots[i].element, x.root) }, judged) {
		return Answer{}, ErrNothingLeft
	}
	markRemoved(judged, func(i int) bool { return attached(w.spots[i].element, x.root) })
	return x.write(typeXML)
}

// lost reports whether a response had suggestions and tells nothing any more. One that announces a redirect tells nothing without its
// target, whatever else is in it.
func (w *soapWalk) lost(response int, root *etree.Element, judged []Suggestion) bool {
	code := strings.ToLower(childText(w.responses[response], "ErrorCode"))
	removed := false
	for i, s := range judged {
		if w.owner[i] != response || s.Verdict == Keep || s.Verdict == Rewrite {
			continue
		}
		removed = true
		if is(w.spots[i].element, "RedirectTarget") && strings.HasPrefix(code, "redirect") {
			return true
		}
	}
	return removed && !w.tells(func(i int) bool { return w.owner[i] == response && attached(w.spots[i].element, root) }, judged)
}

// tells reports whether any of the suggestions that are asked about is worth an answer: a server, URL or redirect. Ports, WS-Addressing
// header blocks and the account's own address, which the client knows, are not.
func (w *soapWalk) tells(which func(i int) bool, judged []Suggestion) bool {
	for i, s := range judged {
		if s.Kind == KindPort || s.Verdict != Keep && s.Verdict != Rewrite || !which(i) {
			continue
		}
		e := w.spots[i].element
		own := is(e, "Value") && strings.EqualFold(childText(e.Parent(), "Name"), "AutoDiscoverSMTPAddress")
		if !own && ancestor(e, "Header") == nil {
			return true
		}
	}
	return false
}

// pruneSOAP takes out containers that lost everything that they are for: a setting whose collection is empty, and a federation without
// issuers of tokens.
func pruneSOAP(e *etree.Element) {
	for _, c := range e.ChildElements() {
		pruneSOAP(c)
	}
	switch strings.ToLower(e.Tag) {
	case "protocolconnections", "webclienturls", "alternatemailboxes", "documentsharinglocations", "organizationrelationshipsettingscollection":
		if unit := ancestor(e, "UserSetting", "DomainSetting"); !hasElements(e) && unit != nil {
			remove(unit)
		}
	case "tokenissuers":
		if unit := ancestor(e, soapFederation+"ResponseMessage"); !hasElements(e) && unit != nil {
			remove(unit)
		}
	}
}

// setUnknown turns a UserResponse or DomainResponse into that of somebody whom the server does not know (MS-OXWSADISC 3.1.4; the elements stand
// in the order of the schema). asked is repeated in the message, as servers do; in an edited answer it is empty, because
// there a name outside the rule must not stand anywhere.
func setUnknown(response *etree.Element, asked string) {
	for _, c := range slices.Clone(response.Child) {
		response.RemoveChild(c)
	}
	prefix := ""
	if response.Space != "" {
		prefix = response.Space + ":"
	}
	redirect := func() {
		e := response.CreateElement(prefix + "RedirectTarget")
		e.CreateAttr("xmlns:i", soapInstance)
		e.CreateAttr("i:nil", "true")
	}
	if is(response, "DomainResponse") {
		textElement(response, prefix+"ErrorCode", "InvalidDomain")
		textElement(response, prefix+"ErrorMessage", "Invalid domain"+quoted(asked)+".")
		response.CreateElement(prefix + "DomainSettingErrors")
		response.CreateElement(prefix + "DomainSettings")
		redirect()
		return
	}
	textElement(response, prefix+"ErrorCode", "InvalidUser")
	textElement(response, prefix+"ErrorMessage", "Invalid user"+quoted(asked)+".")
	redirect()
	response.CreateElement(prefix + "UserSettingErrors")
	response.CreateElement(prefix + "UserSettings")
}

func quoted(asked string) string {
	if asked == "" {
		return ""
	}
	return ": '" + asked + "'"
}
