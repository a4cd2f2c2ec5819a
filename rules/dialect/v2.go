package dialect

import (
	"fmt"
	"net/url"
	"strings"
)

// Autodiscover v2 asks for one protocol at a time, with a GET and the address in the query or in the path:
//
//	GET /autodiscover/autodiscover.json?Email=user%40lab.test&Protocol=ActiveSync&RedirectCount=1
//	GET /autodiscover/autodiscover.json/v1.0/user@lab.test?Protocol=EWS
//
// and is answered with one URL
//
//	{"Protocol":"ActiveSync","Url":"https://mail.lab.test/Microsoft-Server-ActiveSync"}
//
// or with {"ErrorCode":"…","ErrorMessage":"…"}, whose status is 200, 400 or 404. Exchange Online answers for accounts that it does not
// know with a 302 whose target stands in Location and in a page.
var v2 = wireFormat{
	info: Info{
		ID:       V2,
		Name:     "v2",
		Title:    "Autodiscover v2 (JSON)",
		Citation: "Microsoft Learn, \"Autodiscover for Exchange\"; the answers of gromox and mailcow",
		Clients:  "Outlook, Outlook mobile, macOS Mail (Exchange accounts), Nine",
	},
	recognise:    func(_ Request, _, path string) bool { return isV2(path) },
	pathSubjects: pathAddresses,
	read:         readV2,
	refuse:       refuseV2,
	compose:      composeV2,
}

// isV2 reports whether path is /autodiscover/autodiscover.json, alone or followed by a version and anything.
func isV2(path string) bool {
	rest, ok := strings.CutPrefix(path, "/autodiscover/autodiscover.json")
	if !ok || rest == "" {
		return ok
	}
	version, ok := strings.CutPrefix(rest, "/v")
	if !ok {
		return false
	}
	version, _, _ = strings.Cut(version, "/")
	for part := range strings.SplitSeq(version, ".") {
		if part == "" || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}

// pathAddresses reads the addresses that are segments of a path.
func pathAddresses(path string) []Subject {
	var all []Subject
	for segment := range strings.SplitSeq(path, "/") {
		all = append(all, addresses(segment, "path")...)
	}
	return all
}

func readV2(_ Inquiry, t text) (*Document, error) {
	x, err := readJSONObject(t.data)
	if err != nil {
		return nil, err
	}
	root := x.root
	w := urlWalk{protocol: strings.ToLower(root.member("Protocol").string()), suggest: suggestV2}
	w.value(root, jsonPlace{})
	d := x.document(t, w.found, nil)
	d.edit = func(judged []Suggestion) (Answer, error) {
		if removesAny(judged, "url") {
			return Answer{}, ErrNothingLeft
		}
		return editJSON(root, w.spots, judged)
	}
	if len(w.found) == 0 { // ErrorCode and ErrorMessage
		return d, fmt.Errorf("%w: no URL in the answer", ErrNoSettings)
	}
	return d, nil
}

// suggestV2 reads the one member that is an address whatever it looks like. ServerLocation names a data centre (ServerLocation=true asks
// for it, as Microsoft's test script does), so it counts only where it reads like a host.
func suggestV2(name, path, protocol, value string) (Suggestion, bool) {
	if name == "url" || name == "serverlocation" && strings.ContainsAny(value, "./") {
		return suggestHost(path, protocol, value)
	}
	return suggestAbsolute(path, protocol, value)
}

const v2NotFound = `{"ErrorCode":"UserNotFound","ErrorMessage":"The given user is not found"}`

// refuseV2 has the shape of Exchange's error objects. What the service answers for unknown users was never captured but for the redirect,
// which would lead the client on.
func refuseV2(q Inquiry) Answer {
	a := notFound()
	switch q.Request.Method {
	case "GET":
		a.Body = []byte(v2NotFound)
		fallthrough
	case "HEAD":
		a.Header["Content-Type"] = []string{typeJSON}
	}
	return a
}

// composeV2 answers for the asked protocol. Its names are Exchange's; AutodiscoverV1 sends the client to POX at the domain's own place,
// where the same settings wait.
func composeV2(q Inquiry, s Settings) (Answer, error) {
	var name, endpoint string
	switch strings.ToLower(v2Protocol(q.Request.URL)) {
	case "activesync":
		name, endpoint = "ActiveSync", s.endpoint("activesync")
	case "ews":
		name, endpoint = "Ews", s.endpoint("ews")
	case "autodiscoverv1":
		name, endpoint = "AutodiscoverV1", autodiscoverPlace(s)
	}
	if endpoint == "" {
		return Answer{}, fmt.Errorf("%w: Autodiscover v2 answers for one protocol, and none of them has it", ErrCannotCarry)
	}
	return jsonObject(jsonMember{"Protocol", jsonText(name)}, jsonMember{"Url", jsonText(endpoint)}).write(typeJSON)
}

// v2Protocol is the asked protocol; parameter names are compared without regard to case, as Exchange does.
func v2Protocol(u *url.URL) string {
	if u == nil {
		return ""
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if name, value, _ := strings.Cut(pair, "="); strings.EqualFold(unescape(name), "Protocol") {
			return unescape(value)
		}
	}
	return ""
}

// endpoint is the URL of the first server of a protocol, or "".
func (s Settings) endpoint(protocol string) string {
	if v, ok := s.server(protocol); ok {
		return v.endpoint()
	}
	return ""
}

// autodiscoverPlace is where POX is asked about the account's domain (MS-OXDISCO 3.1.5.2), or "" where POX would have nothing to say.
func autodiscoverPlace(s Settings) string {
	about := addresses(s.Address, "")
	for _, t := range poxTypes {
		if _, ok := s.server(t.protocol); ok && len(about) == 1 {
			return "https://autodiscover." + about[0].Domain + "/autodiscover/autodiscover.xml"
		}
	}
	return ""
}
