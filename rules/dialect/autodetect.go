package dialect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// AutoDetect is not specified anywhere; what is known comes from captures and from Microsoft's own test script. The client sends the
// account's address, and usually its password, in Authorization: Basic, or the address alone in X-Email, and is answered
//
//	{"email":"user@lab.test","services":[],
//	 "protocols":[{"protocol":"imap","hostname":"imap.lab.test","port":993,"encryption":"ssl","username":"user@lab.test","validated":false}]}
//
// services[] has hostname, aad and onprem. The header fields x-debug-support and x-feedback-token repeat the servers.
var autodetect = wireFormat{
	info: Info{
		ID:       Autodetect,
		Name:     "autodetect",
		Title:    "Outlook AutoDetect (JSON)",
		Citation: "no published specification; captures of December 2025",
		Clients:  "Outlook for Windows, Mac, iOS and Android; Windows Mail",
		Services: []Service{{
			Name: "autodetect",
			// The certificate of the service names *.autodetect.outlook.cloud.microsoft and autodetect.outlookmobile.com.
			Hosts:    autodetectHosts,
			Enforced: true,
			Note:     "Outlook asks here first, with the mailbox password; the service answers for anybody's domain",
		}},
	},
	recognise: func(_ Request, host, path string) bool {
		return strings.HasSuffix(path, "/detect") && ((Service{Hosts: autodetectHosts}).Covers(host) || strings.HasSuffix(host, autodetectStage))
	},
	bodySubjects: bodyAddresses,
	read:         readAutodetect,
	refuse:       refuseAutodetect,
	compose:      composeAutodetect,
}

// autodetectStage is how the name of the service's other stages ends, for who has them opened.
const autodetectStage = "-autodetect.outlookmobile.com"

// autodetectHosts are the hosts of the service.
var autodetectHosts = []string{"autodetect.outlook.cloud.microsoft", "autodetect.outlookmobile.com", "prod-autodetect.outlookmobile.com"}

// placeMembers is how many of the serverMembers say where the server of an entry's protocol is. The others name whom a client asks beside it: a server that stands in for the first is none of those.
const placeMembers = 5

// serverMembers are the members whose value is a host name or URL, lower case.
var serverMembers = [...]string{"hostname", "host", "server", "url", "endpoint", "aad", "onprem", "autodiscover", "autodv2endpoint"}

// jsonPlace is where a value stands.
type jsonPlace struct {
	path string
	// array and item are the nearest array around it and the element of it that the value belongs to: what goes when the value goes.
	array, item *jsonNode
	// protocol is what the nearest object says it describes.
	protocol string
	// name is that of the member whose array it is, in lower case: a script takes ["mail.lab.test"] for the text in it.
	name string
}

// jsonSpot ties a suggestion to its node, so that it can be edited.
type jsonSpot struct {
	node  *jsonNode
	owner *jsonNode // the object that has node as a member
	place jsonPlace
}

// serverWalk lists the servers in a JSON tree, in document order.
type serverWalk struct {
	prefix, carrier string
	found           []Suggestion
	spots           []jsonSpot
	about           []Subject
}

func (w *serverWalk) value(n *jsonNode, at jsonPlace) {
	for i, item := range n.items {
		inner := jsonPlace{path: at.path, array: n, item: item, protocol: at.protocol, name: at.name}
		if len(item.members)+len(item.items) == 0 {
			w.scalar(at.name, strconv.Itoa(i), item, n, inner)
			continue
		}
		inner.path = pathBelow(at.path, strconv.Itoa(i))
		w.value(item, inner)
	}
	if len(n.members) == 0 {
		return
	}
	for _, name := range [...]string{"protocol", "service"} {
		if p := n.member(name).string(); p != "" {
			at.protocol = strings.ToLower(p)
			break
		}
	}
	for _, m := range n.members {
		if len(m.value.members)+len(m.value.items) > 0 {
			inner := at
			inner.path = pathBelow(at.path, m.name)
			inner.name = strings.ToLower(m.name)
			w.value(m.value, inner)
			continue
		}
		w.scalar(strings.ToLower(m.name), m.name, m.value, n, at)
	}
}

// scalar looks at the value n of owner, which stands at. name is that of a member, in lower case; token is its last part of the path.
func (w *serverWalk) scalar(name, token string, n, owner *jsonNode, at jsonPlace) {
	value := n.string()
	var s Suggestion
	var ok bool
	switch {
	case name == "email":
		w.about = append(w.about, addresses(value, w.carrier)...)
		return
	case name == "username":
		w.about = append(w.about, addresses(value, CarrierLogin)...)
		return
	case slices.Contains(serverMembers[:placeMembers], name):
		s, ok = suggestHost("", at.protocol, value)
	case slices.Contains(serverMembers[placeMembers:], name):
		s, ok = suggestHost("", "", value)
	case name == "port":
		s, ok = suggestPort("", at.protocol, value, siblingHost(owner))
	case strings.Contains(value, "://"):
		s, ok = suggestURL(KindURL, "", at.protocol, value)
	}
	if ok {
		s.Path = w.prefix + at.path + "/" + pointerToken(token)
		w.found = append(w.found, s)
		w.spots = append(w.spots, jsonSpot{node: n, owner: owner, place: at})
	}
}

// siblingHost is the host that a port in the same object belongs to.
func siblingHost(owner *jsonNode) string {
	for _, name := range serverMembers {
		if v := owner.member(name).string(); v != "" {
			s, _ := suggestHost("", "", v)
			return s.Host
		}
	}
	return ""
}

func readAutodetect(_ Inquiry, t text) (*Document, error) {
	x, err := readJSONObject(t.data)
	if err != nil {
		return nil, err
	}
	root := x.root
	w := serverWalk{carrier: "body"}
	w.value(root, jsonPlace{})
	d := x.document(t, w.found, w.about)
	d.edit = func(judged []Suggestion) (Answer, error) { return editJSON(root, w.spots, judged) }
	if len(w.found) == 0 {
		return d, fmt.Errorf("%w: no server in the answer", ErrNoSettings)
	}
	return d, nil
}

// editJSON applies verdicts to the tree and writes it. What is removed takes the array element around it along: a server entry without its
// host name is none.
func editJSON(root *jsonNode, spots []jsonSpot, judged []Suggestion) (Answer, error) {
	putIn := entriesPutIn(spots, judged)
	for i, s := range judged {
		spots[i].node.left = false
		switch at := spots[i]; {
		case s.Verdict == Keep:
		case s.Verdict == Rewrite:
			at.node.set(s.Now)
			if v := s.putIn(); v != nil {
				setEntry(at.owner, *v)
			}
		case at.place.item != nil && !putIn[at.owner]:
			at.place.array.items = slices.DeleteFunc(at.place.array.items, func(n *jsonNode) bool { return n == at.place.item })
		default:
			at.owner.members = slices.DeleteFunc(at.owner.members, func(m jsonMember) bool { return m.value == at.node })
		}
	}
	root.stay()
	server := false
	for i, s := range judged {
		server = server || s.Kind != KindPort && spots[i].node.left
	}
	if !server {
		return Answer{}, ErrNothingLeft
	}
	markRemoved(judged, func(i int) bool { return spots[i].node.left })
	return root.write(typeJSON)
}

// entriesPutIn are the objects into which a server is put. Who checks passwords for the stranger's (aad), and what else there is of it, goes out of one, and not the server along with it.
func entriesPutIn(spots []jsonSpot, judged []Suggestion) map[*jsonNode]bool {
	var all map[*jsonNode]bool
	for i, s := range judged {
		if s.putIn() == nil {
			continue
		}
		if all == nil {
			all = make(map[*jsonNode]bool)
		}
		all[spots[i].owner] = true
	}
	return all
}

// setEntry writes how to speak and to log in to a server that was put in. Entries of services, which are spoken to at a URL, say less than those of mail.
func setEntry(entry *jsonNode, v Server) {
	port, encryption := strconv.Itoa(int(v.port())), autodetectEncryption(v.Encryption)
	if _, byURL := usualPaths[v.Protocol]; !byURL {
		entry.lacking(jsonMember{"port", jsonNumber(0)}, jsonMember{"encryption", jsonText("")}, jsonMember{"username", jsonText("")})
	}
	setMember(entry, "port", port)
	setMember(entry, "encryption", encryption)
	setMember(entry, "username", v.Username)
}

// lacking adds the members to an object that it does not have.
func (n *jsonNode) lacking(members ...jsonMember) {
	for _, m := range members {
		if n.member(m.name) == nil {
			n.members = append(n.members, m)
		}
	}
}

// stay marks the node, and what is in it, as part of the tree still: what was taken out took along what stood in it.
func (n *jsonNode) stay() {
	n.left = true
	for _, m := range n.members {
		m.value.stay()
	}
	for _, item := range n.items {
		item.stay()
	}
}

// refuseAutodetect has the shape of a captured answer with both lists empty. Microsoft's own script also knows 202 for "no record yet",
// which a client may take as an invitation to poll.
func refuseAutodetect(q Inquiry) Answer {
	email := ""
	for _, s := range q.Subjects {
		if s.Address != "" {
			email = s.Address
			break
		}
	}
	quoted, err := jsontext.AppendQuote(nil, email)
	if err != nil { // not valid UTF-8: not worth repeating
		quoted = []byte(`""`)
	}
	return composed(typeJSON, `{"email":`+string(quoted)+`,"services":[],"protocols":[]}`)
}

// composeAutodetect writes what the service writes: its words for encryption are ssl, tls (STARTTLS) and none.
func composeAutodetect(_ Inquiry, s Settings) (Answer, error) {
	protocols := &jsonNode{kind: jsontext.KindBeginArray}
	for _, v := range s.Servers {
		name, known := autodetectNames[v.Protocol]
		if !known {
			continue
		}
		protocols.items = append(protocols.items, jsonObject(
			jsonMember{"protocol", jsonText(name)}, jsonMember{"hostname", jsonText(v.Host)}, jsonMember{"port", jsonNumber(int(v.port()))},
			jsonMember{"encryption", jsonText(autodetectEncryption(v.Encryption))}, jsonMember{"username", jsonText(s.login(v))}, jsonMember{"validated", jsonFalse()}))
	}
	if len(protocols.items) == 0 {
		return Answer{}, fmt.Errorf("%w: AutoDetect has no place for them", ErrCannotCarry)
	}
	return jsonObject(
		jsonMember{"email", jsonText(s.Address)},
		jsonMember{"services", &jsonNode{kind: jsontext.KindBeginArray}},
		jsonMember{"protocols", protocols}).write(typeJSON)
}

func autodetectEncryption(word string) string {
	switch word {
	case encryptionSTARTTLS:
		return "tls"
	case encryptionNone:
		return "none"
	}
	return "ssl"
}

// autodetectNames are the service's names for protocols.
var autodetectNames = map[string]string{"imap": "imap", "pop3": "pop3", "smtp": "smtp", "activesync": "eas", "ews": "ews"}
