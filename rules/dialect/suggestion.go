package dialect

import (
	"strings"
	"unicode/utf8"
)

// Kind tells what a suggestion's value looks like.
type Kind uint8

// The kinds of suggestions. The zero Kind is invalid.
const (
	_ Kind = iota
	// KindHostname is a bare host name or an address literal.
	KindHostname
	// KindPort is a port that belongs to the host of the same suggestion.
	KindPort
	// KindURL is a URL with a host in it.
	KindURL
	// KindAddress is a mail address whose domain starts another look-up.
	KindAddress
	// KindRedirect is a URL to which the client is sent for the next question.
	KindRedirect
	// KindOpaque is a value that names a host in no standard way; it is judged as naming a stranger.
	KindOpaque
)

var kindNames = [...]string{"invalid", "hostname", "port", "url", "smtp-address", "redirect", "opaque"}

func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		k = 0
	}
	return kindNames[k]
}

// kindOf looks up the name of an element, whose names the kinds have in lower case.
func kindOf(kinds map[string]Kind, tag string) Kind {
	var short [32]byte
	lower := short[:0]
	for i := range len(tag) {
		c := tag[i]
		if c >= utf8.RuneSelf || len(tag) > len(short) {
			return kinds[strings.ToLower(tag)]
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower = append(lower, c)
	}
	return kinds[string(lower)]
}

// Verdict is what happens to one suggestion.
type Verdict uint8

// The verdicts. The zero Verdict means that nobody has judged yet; [Document.Edit] treats it as Remove.
const (
	Unjudged Verdict = iota
	// Keep leaves the suggestion as it stands.
	Keep
	// Rewrite puts Now in the place of Was.
	Rewrite
	// Remove takes the suggestion out, with everything that makes no sense without it.
	Remove
)

var verdictNames = [...]string{"unjudged", "keep", "rewrite", "remove"}

func (v Verdict) String() string {
	if int(v) >= len(verdictNames) {
		v = Unjudged
	}
	return verdictNames[v]
}

// Suggestion is one thing in an answer that a client would obey: a server, a port, a URL, an address to ask about next.
type Suggestion struct {
	// Path says where it stands: an element path (/Autodiscover/Response/Account/Protocol[2]/Server), a JSON pointer
	// (/protocols/0/hostname), or header:NAME with the layers inside it (header:x-feedback-token|jwt-payload|/P/0).
	Path string
	Kind Kind
	// Protocol is the mail protocol that it is for, lower case (imap, smtp, exch …), where the answer says so.
	Protocol string
	// Host is the host that the client would contact, normalised for comparison; for a port, the host that the port belongs to.
	// It is empty where the value names none that can be read: such a value is a stranger.
	Host string
	// Port is the port, where one is named.
	Port uint16
	// Subject is the mail domain that it is for, where one answer serves several subjects (SOAP); empty means: all of them.
	Subject string
	// Was is the value as the answer has it, decoded; Now is what the client gets instead, empty where it is removed.
	Was, Now string
	Verdict  Verdict
	// Would is what would have happened to it if no rule were only monitoring; Unjudged where none is.
	Would Verdict
	// Server is the one that was put in ([Suggestion.Replace]): what belongs to it beside its name is written with it. It is nil where none was.
	Server *Server
}
