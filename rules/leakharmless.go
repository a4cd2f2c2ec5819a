package rules

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// What reads like a host and is none where it stands. Mailboxes are called wei.li and anna.schmidt, scripts answer.py and archives oab.zip; li, schmidt, py
// and zip are top-level domains. A lab's own server that names them suggests nobody.

// blankHarmless puts spaces in the place of paths and of directories' names for mailboxes, in s itself. What stands behind "//" was looked at before.
func blankHarmless(s []byte) {
	blankPaths(s)
	blankRecipients(s)
}

// blankPaths blanks the path of every URL, and every reference that begins with one slash, where a value begins: both lead to a host that was named before, in
// any reading. It ends at the first byte that is not plainly part of a path.
func blankPaths(s []byte) {
	for i := 0; i < len(s); {
		slash := bytes.IndexByte(s[i:], '/')
		if slash < 0 {
			return
		}
		i += slash
		switch {
		case i+1 < len(s) && s[i+1] == '/':
			for i < len(s) && s[i] == '/' {
				i++
			}
			for i < len(s) && !endsAuthority[s[i]] {
				i++
			}
		case i > 0 && !beginsValue[s[i-1]]:
			i++
			continue
		}
		for i < len(s) && inPath[s[i]] && !bytes.HasPrefix(s[i:], []byte("//")) {
			s[i] = ' '
			i++
		}
	}
}

var (
	// inPath holds the bytes that are part of a path and delimit nothing to anybody (RFC 3986, section 3.3, unreserved, and what addresses have).
	inPath = bytesOf("abcdefghijklmnopqrstuvwxyz0123456789-._~%/@+")
	// beginsValue holds what stands before a value in XML, HTML and JSON.
	beginsValue = bytesOf(`>"'`)
)

// recipients is where the directory of an Exchange organisation has its mailboxes (LegacyDN in MS-OXDSCLI, UserDN in MS-OXWSADISC), lower case.
var recipients = []byte("/cn=recipients/cn=")

// blankRecipients blanks the names of mailboxes in distinguished names: nobody contacts them, and they are made of the users'.
func blankRecipients(s []byte) {
	for {
		i := bytes.Index(s, recipients)
		if i < 0 {
			return
		}
		s = s[i+len(recipients):]
		for i := 0; i < len(s) && inPath[s[i]] && s[i] != '/'; i++ {
			s[i] = ' '
		}
	}
}

// publicIdentifier is that of a DOCTYPE (ISO 8879, 10.2), whose slashes stand before no host: pages of Apache and IIS have them, and property lists.
var publicIdentifier = regexp.MustCompile(`["']-//(?:w3c|ietf|apple|apple computer|apple inc)//dtd [a-z0-9 .]*//en["']`)

// productIdentifier is the line of an iCalendar object that names what wrote it (RFC 5545, section 3.7.3), in the form of a public identifier: each calendar's time zone
// has one, and many a product is called by its maker's domain ("-//tzurl.org//NONSGML Olson 2022b//EN").
var productIdentifier = regexp.MustCompile(`\nprodid:-//[a-z0-9 ./_()+-]*(?:&#13;|[\r\n])`)

// blankIdentifiers blanks the slashes of public identifiers, whose words stay, and the whole line of an iCalendar object's product, in s itself.
func blankIdentifiers(s []byte) {
	if !bytes.Contains(s, []byte("-//")) {
		return
	}
	for _, at := range productIdentifier.FindAllIndex(s, -1) {
		for i := at[0]; i < at[1]; i++ {
			s[i] = ' '
		}
	}
	for _, at := range publicIdentifier.FindAllIndex(s, -1) {
		for i := at[0]; i < at[1]; i++ {
			if s[i] == '/' {
				s[i] = ' '
			}
		}
	}
}

// addressSchemes may stand before an address, lower case.
var addressSchemes = [...]string{"mailto:", "smtp:", "sip:", "upn:"}

// beforeAddress holds what an address stands behind, and 0 for nothing.
var beforeAddress = bytesOf("\x00 \t\r\n>\"'<(=,;")

// isLocalPart reports whether word, of which before is the byte in front and after what follows, is that of an address at a host that may be named. User
// information of a URL is not, nor what stands between two @: parsers disagree on which of them ends it.
func (l *leakCheck) isLocalPart(word []byte, before byte, after []byte) bool {
	if len(after) == 0 || after[0] != '@' || !beforeAddress[before] {
		return false
	}
	for _, scheme := range addressSchemes {
		word = bytes.TrimPrefix(word, []byte(scheme))
	}
	if bytes.IndexByte(word, ':') >= 0 {
		return false
	}
	end := 1
	for end < len(after) && !delimits[after[end]] {
		end++
	}
	domain := string(bytes.Trim(after[1:end], "."))
	return hasDot(domain) && (l.allows(domain) || l.names.isOwnName(domain) || l.names.isAccountDomain(domain))
}

// isAccountDomain reports whether host is the mail domain of an operator's rule. Every address of the account ends in it, also where the web site of that name was taken out.
func (j *judgement) isAccountDomain(host string) bool {
	return slices.ContainsFunc(j.bindings, func(b binding) bool { return b.operator != nil && b.domain == host })
}

// dropPages takes out pages for people at hosts that may be named, in whose query a word reads like another (?pg=kb.book): nobody is set up by them, and the last look would take the whole
// answer for one.
func (j *judgement) dropPages() {
	for i := range j.decision.Suggestions {
		s := &j.decision.Suggestions[i]
		if s.Verdict != dialect.Keep || !strings.Contains(s.Was, "?") || !s.IsPage() {
			continue
		}
		l := j.lastLook()
		if l.leaksText([]byte(s.Was), 0) {
			s.Verdict, s.Now = dialect.Remove, ""
		}
		l.free()
	}
}

// configNames are those places.
var configNames = [...]struct{ start, end string }{
	{`<emailProvider id="`, `"`}, {"<domain>", "<"}, {"<displayName>", "<"}, {"<displayShortName>", "<"},
}

// withoutConfigDomain is a text without the places of a clientConfig that say for whom it is, and what people call that, where they hold the mail domain of an operator's rule that was taken
// out as a server: nobody is contacted for them.
func (j *judgement) withoutConfigDomain(text []byte) []byte {
	if q := j.plan.Inquiry.Dialect; q != dialect.Autoconfig && q != dialect.ISPDB {
		return text
	}
	for _, b := range j.bindings {
		if b.operator == nil || !j.removed.has(b.domain) {
			continue
		}
		for _, place := range configNames {
			text = withoutFolded(text, place.start, b.domain, place.end)
		}
	}
	return text
}

// withoutFolded is a text without word, in whatever case, where it is all that stands between start and end.
func withoutFolded(text []byte, start, word, end string) []byte {
	var kept []byte
	for rest := text; ; {
		i := bytes.Index(rest, []byte(start))
		if i < 0 {
			if kept == nil {
				return text
			}
			return append(kept, rest...)
		}
		i += len(start)
		kept, rest = append(kept, rest[:i]...), rest[i:]
		if after := min(len(word), len(rest)); bytes.EqualFold(rest[:after], []byte(word)) && bytes.HasPrefix(rest[after:], []byte(end)) {
			rest = rest[after:]
		}
	}
}

// isDirectory reports whether a host is the private-use domain in the name that the client itself logs in by: a server repeats that name.
func (j *judgement) isDirectory(host string) bool {
	e, _ := reserved.Default().Match(host)
	return e.Nature == reserved.PrivateUse && slices.ContainsFunc(j.asked(), func(s dialect.Subject) bool { return s.Domain == host && s.Carrier == dialect.CarrierLogin })
}

// asked are the subjects that the request names; those that only the answer names follow them.
func (j *judgement) asked() []dialect.Subject {
	all := j.plan.Inquiry.Subjects
	return all[:len(all)-len(j.doc.Subjects)]
}

// isAskedMailbox reports whether a word, in lower case, is the local part of an address that the client itself asked about: accounts are often called so.
func (j *judgement) isAskedMailbox(word string) bool {
	if !j.mailboxesRead {
		j.mailboxes, j.mailboxesRead = dialect.MailboxesOf(j.asked()), true
	}
	return j.mailboxes.Have(word)
}

// payloadIdentifier is where a configuration profile says what it, or a payload of it, is called: by a name from right to left of its owner or of whoever wrote the server's
// software, which often ends in email (com.example.profile.email). Elsewhere the same word is a host: anybody can have one below stranger.net that is called test.lab.stranger.net.
var payloadIdentifier = regexp.MustCompile(`<key>PayloadIdentifier</key>\s*<string>([A-Za-z0-9._@+-]+)</string>`)

// networkRange is where a POX answer says in which networks a Protocol is of use (MS-OXDSCLI, NetworkRequirements): addresses that nobody contacts.
var networkRange = regexp.MustCompile(`<IPv[46](?:Start|End)>\s*([0-9A-Fa-f.:]+)\s*</`)

// resolverAddress is where a resolver says in JSON whom it has asked, and for which network of the client (RFC 7871): Google's does.
var resolverAddress = regexp.MustCompile(`"(?:Comment"\s*:\s*"Response from |edns_client_subnet"\s*:\s*")([0-9A-Fa-f.:]+)`)

// softwareVersion is where Exchange says of which version the mailbox's and the client access server are (MS-OXWSADISC), in as many numbers as an address has: 14.3.123.4.
var softwareVersion = regexp.MustCompile(`<(?:\w+:)?Name>(?:MailboxVersion|CasVersion)</(?:\w+:)?Name>\s*<(?:\w+:)?Value>\s*([0-9.]+)\s*</`)

// identifiers are the places of a dialect at which something reads like a host and is none.
var identifiers = map[dialect.ID]*regexp.Regexp{
	dialect.MobileConfig: payloadIdentifier, dialect.POX: networkRange, dialect.DoH: resolverAddress, dialect.SOAP: softwareVersion,
}

// withoutIdentifiers is a text without what stands at such places, but for what holds a host that was taken out.
func (j *judgement) withoutIdentifiers(text []byte) []byte {
	places := identifiers[j.plan.Inquiry.Dialect]
	if places == nil {
		return text
	}
	found := places.FindAllSubmatchIndex(text, -1)
	if found == nil {
		return text
	}
	text = bytes.Clone(text)
	for _, at := range found {
		if name := text[at[2]:at[3]]; !j.holdsRemoved(name) {
			copy(name, bytes.Repeat([]byte(" "), len(name)))
		}
	}
	return text
}

// isSoftware reports whether a header field names the software that answered, in the one word that reads like a host: that of IIS, and so of every
// Exchange server.
func isSoftware(name, value string) bool { return name == "X-Powered-By" && value == "ASP.NET" }
