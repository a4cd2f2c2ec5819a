package dialect

import "errors"

// ID names a dialect. The zero ID is none: nothing may be concluded from it.
type ID uint8

// The dialects, in the order in which they are tried.
const (
	None ID = iota
	// Autodetect is Outlook's cloud service, the one of the incident.
	Autodetect
	// POX is Microsoft's "plain old XML" Autodiscover with the Outlook schema.
	POX
)

// String is the dialect's name in logs and configuration.
func (id ID) String() string { return table[known(id)].Name }

// Info describes a dialect to people.
type Info struct {
	ID ID
	// Name is the dialect's name in logs and configuration.
	Name string
	// Title says what it is in words.
	Title string
	// Citation names the documents that define it.
	Citation string
	// Clients names programs that speak it.
	Clients string
	// Services are the central services of the dialect that answer for anybody's domain.
	Services []Service
}

// Service is a central discovery service: hosts that answer for domains that are not theirs.
type Service struct {
	// Name is the switch in the configuration (policy.services).
	Name string
	// Hosts are its host names; each stands for itself and everything below it.
	Hosts []string
	// Enforced says whether a guard opens these hosts unless it is told otherwise.
	Enforced bool
	// Note says what follows from switching it on.
	Note string
}

// Subject is somebody whom an exchange is about.
type Subject struct {
	// Domain is the mail domain, normalised by [reserved.Canonical]; never empty.
	Domain string
	// Address is the whole address where one was given, as given. It is personal data: it belongs into answers, not into logs.
	Address string
	// Carrier says where the subject stood: host, path, query:email, header:Authorization, body …
	Carrier string
}

// Inquiry is a recognised discovery request.
type Inquiry struct {
	Dialect  ID
	Subjects []Subject
	// Request is the request that was recognised.
	Request Request
}

// Document is an answer that was read.
type Document struct {
	// Suggestions are all that the answer suggests, in body and header fields, in document order, unjudged.
	Suggestions []Suggestion
	// Subjects are those that only the answer names.
	Subjects []Subject
	// Plain reports that any two parsers read the answer alike: no comments, CDATA, processing instructions or unusual charset. What
	// is not plain must not be passed for a guarded subject; [Document.Edit] writes it afresh.
	Plain bool

	edit func(judged []Suggestion) (Answer, error)
}

// Errors that Read and Edit return, wrapped with what was seen.
var (
	// ErrUnreadable means that the answer cannot be read beyond doubt: broken, ambiguous, over a limit, or in an unknown coding.
	ErrUnreadable = errors.New("answer cannot be read beyond doubt")
	// ErrNoSettings means that the answer was read and holds no document of its dialect: an empty body, an error page.
	ErrNoSettings = errors.New("answer holds no settings")
	// ErrNothingLeft means that an edit would leave no suggestion: the dialect's "no settings" says so better.
	ErrNothingLeft = errors.New("no suggestion is left")
	// ErrUnknownDialect means that the Inquiry is zero or made by hand.
	ErrUnknownDialect = errors.New("unknown dialect")
)

// Recognise tells which dialect a request speaks and whom it is about. At most one dialect claims a request.
func Recognise(r Request) (Inquiry, bool) { panic("todo") }

// NeedsBody reports whether the subjects of r may stand in its body, judged by method, URL and header alone: whoever calls
// [Recognise] reads the body first in that case, and may stream it otherwise.
func NeedsBody(r Request) bool { panic("todo") }

// Read decodes an answer and lists what it suggests. The error wraps [ErrUnreadable] or [ErrNoSettings].
func Read(q Inquiry, a Answer) (*Document, error) { panic("todo") }

// Refuse composes the dialect's own "no settings" from nothing but the inquiry.
func Refuse(q Inquiry) Answer { panic("todo") }

// Edit writes the document afresh, in a form on which all parsers agree, with the verdicts of judged applied. judged is
// Document.Suggestions with Verdict and Now filled in. The answer carries only header fields that cannot speak of servers.
func (d *Document) Edit(judged []Suggestion) (Answer, error) { return d.edit(judged) }

// All describes every dialect, in the order in which they are tried.
func All() []Info { panic("todo") }
