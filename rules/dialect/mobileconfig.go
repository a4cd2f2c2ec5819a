package dialect

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Apple's configuration profiles: a property list (XML or binary, possibly inside CMS SignedData) with one dict per account.
//
//	<plist version="1.0"><dict><key>PayloadContent</key><array><dict>
//	 <key>PayloadType</key><string>com.apple.mail.managed</string>
//	 <key>EmailAddress</key><string>user@lab.test</string>
//	 <key>IncomingMailServerHostName</key><string>mail.lab.test</string>
//	 <key>IncomingMailServerPortNumber</key><integer>993</integer> …
//
// A signed or binary profile is never edited: it passes whole or is refused. IncomingPassword and OutgoingPassword are passwords: they are
// nobody's suggestion.
var mobileconfig = wireFormat{
	info: Info{
		ID:       MobileConfig,
		Name:     "mobileconfig",
		Title:    "Apple configuration profile (property list, CMS)",
		Citation: "Apple, Configuration Profile Reference",
		Clients:  "iOS and macOS, by a link that the user opens",
	},
	recognise: func(r Request, _, path string) bool {
		return (strings.HasSuffix(path, ".mobileconfig") || path == "/mobileconfig" || path == "/mobileconfig.php") && asksForFile(r.Method)
	},
	pathSubjects: func(path string) []Subject {
		return pathAddresses(strings.TrimSuffix(strings.ToLower(path), ".mobileconfig"))
	},
	querySubjects: profileQuery,
	bodySubjects:  bodyAddresses,
	forms:         true, // automx has one, with the password in it
	readBinary:    readProfileBytes,
	read:          readProfile,
	refuse:        func(Inquiry) Answer { return notFound() },
	compose:       composeProfile,
}

// asksForFile reports whether a method can be a question for a profile. The other ones are for people's files: who keeps a profile in a cloud's folder puts it there.
func asksForFile(method string) bool { return method == "GET" || method == "HEAD" || method == "POST" }

// profileQuery reads the addresses in any parameter but a password: nobody has published how a profile is asked for, so every hoster has names of his own.
func profileQuery(u *url.URL) []Subject {
	var all []Subject
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if name, value, _ := strings.Cut(pair, "="); !namesPassword(name) {
			all = append(all, addresses(unescape(value), "query")...)
		}
	}
	return all
}

// profileKeys say what the keys of a payload hold, by key.
var profileKeys = map[string]Kind{
	"IncomingMailServerHostName": KindHostname, "OutgoingMailServerHostName": KindHostname, "CalDAVHostName": KindHostname,
	"CardDAVHostName": KindHostname, "LDAPAccountHostName": KindHostname, "SubCalAccountHostName": KindHostname,
	"Host": KindHostname, "ExternalHost": KindHostname,
	"IncomingMailServerPortNumber": KindPort, "OutgoingMailServerPortNumber": KindPort, "CalDAVPort": KindPort, "CardDAVPort": KindPort,
	"Port": KindPort, "ExternalPort": KindPort,
	"CalDAVPrincipalURL": KindURL, "CardDAVPrincipalURL": KindURL,
}

// profileKind is what a key of a payload holds. Payloads that have nothing to do with mail name servers, too (ProxyServer, JabberHostName, a VPN's RemoteAddress), in any spelling of an
// address, and an iPhone takes them from the same profile.
func profileKind(key string) Kind {
	if kind, ok := profileKeys[key]; ok {
		return kind
	}
	for _, ending := range [...]string{"HostName", "Host", "Server", "RemoteAddress"} {
		if strings.HasSuffix(key, ending) {
			return KindHostname
		}
	}
	return 0
}

// profileSpot ties a suggestion to its value, and to the payload that goes with it.
type profileSpot struct{ value, payload *plistNode }

type profileWalk struct {
	found []Suggestion
	spots []profileSpot
	about []Subject
}

// readProfileBytes reads the forms that are no text.
func readProfileBytes(_ string, body []byte) (d *Document, mine bool, err error) {
	if looksLikeCMS(body) {
		content, behind, err := openCMS(body)
		if err == nil && bytes.Count(body, pemBegin) > 1 { // OpenSSL takes the first block whose label it knows, also where spaces end its lines
			err = errCMS
		}
		if err != nil {
			return nil, true, err
		}
		read := signedProfile
		if bytes.HasPrefix(content, []byte("bplist")) {
			read = binaryProfile
		}
		if d, err = read(content); d != nil && len(behind) == 0 {
			d.Sealed = true
			d.Inside = append(d.Inside, content...)
		}
		return d, true, err
	}
	if !bytes.HasPrefix(body, []byte("bplist")) {
		return nil, false, nil
	}
	d, err = binaryProfile(body)
	return d, true, err
}

func binaryProfile(content []byte) (*Document, error) {
	root, err := parseBinaryPlist(content)
	if err != nil {
		return nil, err
	}
	return fixedProfile(root)
}

// signedProfile reads the text that was signed. It must be as plain as any other that is passed as it stands.
func signedProfile(content []byte) (*Document, error) {
	t, err := decodeText(content, "")
	if err != nil {
		return nil, err
	}
	x, root, err := parsePlist(t)
	if err != nil {
		return nil, err
	}
	d, err := fixedProfile(root)
	d.Plain = t.plain && x.plain
	return d, err
}

func fixedProfile(root *plistNode) (*Document, error) {
	var w profileWalk
	w.value(root, "plist:", nil)
	return &Document{Suggestions: w.found, Subjects: w.about, Plain: true, Inside: root.appendTexts(nil), fixed: true}, w.verify(root)
}

func readProfile(_ Inquiry, t text) (*Document, error) {
	x, root, err := parsePlist(t)
	if err != nil {
		return nil, err
	}
	var w profileWalk
	w.value(root, "plist:", nil)
	d := &Document{Suggestions: w.found, Subjects: w.about, Plain: x.plain, arena: x.arena}
	d.edit = func(judged []Suggestion) (Answer, error) { return editProfile(x, w.spots, judged) }
	return d, w.verify(root)
}

// verify says why a profile cannot be judged by what was found.
func (w *profileWalk) verify(root *plistNode) error {
	switch {
	case root.child("EncryptedPayloadContent") != nil:
		return fmt.Errorf("%w: encrypted", ErrUnreadable)
	case len(w.found) == 0:
		return fmt.Errorf("%w: no server in the profile", ErrNoSettings)
	}
	return nil
}

// value walks the list. payload is the dict inside an array that everything below it belongs to.
func (w *profileWalk) value(n *plistNode, path string, payload *plistNode) {
	for i, item := range n.items {
		step := strconv.Itoa(i)
		if n.kind == plistDict {
			step = n.keys[i]
		}
		at := pathBelow(path, step)
		switch item.kind {
		case plistDict, plistArray:
			inner := payload
			if n.kind == plistArray && item.kind == plistDict {
				inner = item
			}
			w.value(item, at, inner)
		case plistString, plistInteger:
			if n.kind == plistDict {
				w.scalar(n, n.keys[i], item, profileSpot{item, payload}, at)
			}
		default: // names nobody
		}
	}
}

func (w *profileWalk) scalar(dict *plistNode, key string, value *plistNode, spot profileSpot, path string) {
	var s Suggestion
	var ok bool
	protocol := profileProtocol(dict, key)
	switch kind := profileKind(key); {
	case key == "EmailAddress":
		w.about = append(w.about, addresses(value.text, "body")...)
	case strings.HasSuffix(key, "Password"):
	case kind == KindHostname:
		s, ok = suggestHost(path, protocol, value.text)
	case kind == KindPort:
		s, ok = suggestPort(path, protocol, value.text, profileHost(dict, key))
	case kind == KindURL && relative(value.text):
		s, ok = Suggestion{Path: path, Kind: kind, Protocol: protocol, Host: profileHost(dict, key), Was: value.text}, value.text != ""
	case kind == KindURL, strings.Contains(value.text, "//"):
		s, ok = suggestURL(KindURL, path, protocol, value.text)
	}
	if ok {
		w.found, w.spots = append(w.found, s), append(w.spots, spot)
	}
}

// profileHost is the host that a port or path in the same payload belongs to.
func profileHost(dict *plistNode, key string) string {
	for _, prefix := range [...]string{"Incoming", "Outgoing", "CalDAV", "CardDAV", "External"} {
		if strings.HasPrefix(key, prefix) {
			for _, name := range [...]string{prefix + "MailServerHostName", prefix + "HostName", prefix + "Host"} {
				if h := dict.child(name); h != nil {
					s, _ := suggestHost("", "", h.text)
					return s.Host
				}
			}
		}
	}
	s, _ := suggestHost("", "", dict.child("Host").string())
	return s.Host
}

// profileProtocol is what a payload's key is about.
func profileProtocol(dict *plistNode, key string) string {
	switch {
	case strings.HasPrefix(key, "Outgoing"):
		return "smtp"
	case strings.HasPrefix(key, "Incoming"):
		return strings.ToLower(strings.TrimPrefix(dict.child("EmailAccountType").string(), "EmailType"))
	case strings.HasPrefix(key, "CalDAV"):
		return "caldav"
	case strings.HasPrefix(key, "CardDAV"):
		return "carddav"
	case strings.HasPrefix(key, "LDAP"):
		return "ldap"
	}
	switch dict.child("PayloadType").string() {
	case "com.apple.eas.account":
		return "activesync"
	case "com.apple.ews.account":
		return "ews"
	}
	return ""
}

// editProfile applies verdicts. An account without one of its servers is none: its payload goes as a whole. The DOCTYPE is not written: it
// only names a DTD that nobody should fetch, and Apple's parsers do not ask for it.
func editProfile(x *xmlDocument, spots []profileSpot, judged []Suggestion) (Answer, error) {
	gone := make(map[*plistNode]bool)
	for i, s := range judged {
		switch at := spots[i]; {
		case s.Verdict == Keep:
		case s.Verdict == Rewrite:
			setText(at.value.element, s.Now)
			if v := s.putIn(); v != nil && !at.payload.setServer(*v) {
				gone[at.payload] = true
			}
		case at.payload == nil:
			return Answer{}, ErrNothingLeft
		default:
			gone[at.payload] = true
		}
	}
	for n := range gone {
		remove(n.element)
	}
	left := func(s profileSpot) bool { return attached(s.value.element, x.root) } // a payload that went took along those in it
	if !slices.ContainsFunc(spots, left) {
		return Answer{}, ErrNothingLeft
	}
	markRemoved(judged, func(i int) bool { return left(spots[i]) })
	return x.write("application/x-apple-aspen-config")
}
