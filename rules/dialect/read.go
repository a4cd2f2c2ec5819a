package dialect

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Read decodes an answer and lists what it suggests. The error wraps [ErrUnreadable] or [ErrNoSettings]; the document is never nil and
// then holds what could be seen all the same, in the header fields for instance, but cannot be edited.
func Read(q Inquiry, a Answer) (*Document, error) {
	if err := checkSize(a); err != nil {
		return &Document{}, err
	}
	found, about := headerSuggestions(q, a.Header)
	found = append(found, pageLinks(a)...) // like header fields, they are not in what an edit writes
	d, body, err := readBody(q, a, found)
	if d == nil {
		d = &Document{}
	}
	d.Body = body
	if err != nil {
		d.edit = nil
	}
	d.Plain = d.Plain && len(a.Header["Content-Type"]) < 2 // one client goes by the first field, the next one by the last
	d.inHeader = len(found)
	if len(found) > 0 {
		d.Suggestions = append(found, d.Suggestions...)
	}
	if len(about) > 0 {
		d.Subjects = append(about, d.Subjects...)
	}
	if errors.Is(err, ErrUnreadable) && len(q.Subjects)+len(d.Subjects) == 0 {
		d.Subjects = namedAnywhere(a)
	}
	return d, err
}

// namedAnywhere finds whom an answer is about that cannot be read beyond doubt, where nothing else says it: a lenient client reads on. Pages for people, which have
// addresses of examples in their forms, are none.
func namedAnywhere(a Answer) []Subject {
	_, head, _ := DecodedHead(a.Header, a.Body[:min(len(a.Body), SniffLength)])
	if !Sniffable(nil, head) {
		return nil
	}
	t, _ := Request{Header: a.Header, Body: a.Body}.bodyText()
	return append(addressesAnywhere(string(t.data)), domainsAnywhere(string(t.data))...)
}

// maxHeader bounds the header fields of an answer, all together: servers send a few KiB, and some fields hold whole documents.
const maxHeader = 128 << 10

// checkSize refuses what is too large to be discovery before anything is made of it. A body without content coding may have as many bytes
// as one with may decode to.
func checkSize(a Answer) error {
	if len(a.Body) > maxDecoded {
		return fmt.Errorf("%w: more than %d bytes", ErrUnreadable, maxDecoded)
	}
	size := 0
	for name, values := range a.Header {
		for _, v := range values {
			size += len(name) + len(v)
		}
	}
	if size > maxHeader {
		return fmt.Errorf("%w: more than %d bytes of header fields", ErrUnreadable, maxHeader)
	}
	return nil
}

// readBody also gives the body as a client reads it.
func readBody(q Inquiry, a Answer, inHeader []Suggestion) (d *Document, body []byte, err error) {
	f := format(q.Dialect)
	if f == nil {
		return nil, nil, fmt.Errorf("%w: unknown dialect", ErrUnreadable)
	}
	if IsRedirect(a) || a.Status == statusRedirectClient && len(a.Header["X-Ms-Location"]) > 0 {
		d, err := readRedirect(q, a, inHeader)
		return d, nil, err
	}
	body, asLabelled, err := decodeContent(a)
	if err != nil {
		return nil, nil, err
	}
	if f.readBinary != nil {
		if d, mine, err := f.readBinary(a.Header.Get("Content-Type"), body); mine {
			if d != nil {
				d.Plain = d.Plain && asLabelled
			}
			return d, body, err
		}
	}
	t, err := decodeText(body, a.Header.Get("Content-Type"))
	if err != nil {
		return nil, nil, err
	}
	if len(bytes.TrimSpace(t.data)) == 0 {
		return nil, t.data, fmt.Errorf("%w: no body", ErrNoSettings)
	}
	d, err = f.read(q, t)
	if d != nil {
		d.Plain = d.Plain && t.plain && asLabelled
	}
	return d, t.data, err
}

// IsRedirect reports whether clients go where an answer's Location says. Firefox (nsHttpChannel.cpp), OkHttp and .NET do so at 300, too, curl 7.88 and Guzzle (PHP) at every status
// of the class.
func IsRedirect(a Answer) bool {
	switch a.Status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return a.Status/100 == 3 && len(a.Header["Location"]) > 0
}

// readRedirect takes a redirect for a document whose only content is where it leads. Its body is for people and is not kept.
func readRedirect(q Inquiry, a Answer, inHeader []Suggestion) (*Document, error) {
	field := "Location"
	if a.Status == statusRedirectClient {
		field = "X-Ms-Location"
	}
	d := &Document{Plain: len(a.Body) == 0 && len(inHeader) <= 1, target: a.Header.Get(field), targetPath: "header:" + strings.ToLower(field)}
	if d.target == "" {
		return nil, fmt.Errorf("%w: a redirect to nowhere", ErrNoSettings)
	}
	if q.Request.URL != nil && resolvedDifferently(d.target) {
		u, err := ResolveReference(q.Request.URL, d.target)
		if err != nil {
			return nil, fmt.Errorf("%w: a redirect to what is no URL", ErrUnreadable)
		}
		d.target, d.Plain = u.String(), false
	}
	d.edit = func([]Suggestion) (Answer, error) {
		return Answer{Status: a.Status, Header: Header{field: {d.target}, "Cache-Control": {"no-store"}}}, nil
	}
	return d, nil
}

// markRemoved sets the verdicts of what went along with something else to Remove: the port of a removed server, the URL of a removed account. left reports
// whether the i-th suggestion is still there.
func markRemoved(judged []Suggestion, left func(i int) bool) {
	for i := range judged {
		if !left(i) {
			judged[i].Verdict, judged[i].Now = Remove, ""
		}
	}
}

// Free gives memory that reading took back, for the next document. It may be called once, when the document will not be edited any more; what it
// holds stays valid. Who does not call it leaves the memory to the collector.
func (d *Document) Free() {
	d.edit = nil
	if d.arena != nil {
		d.arena.free()
		d.arena = nil
	}
}

// Edit writes the document afresh, in a form on which all parsers agree, with the verdicts of judged applied: Document.Suggestions with
// Verdict and Now filled in, in the same order. The answer carries only header fields that cannot speak of servers. Verdicts of what
// went along with something else are set to Remove. A document can be edited once. The error wraps [ErrNothingLeft] where no suggestion would be left.
func (d *Document) Edit(judged []Suggestion) (Answer, error) {
	if d.fixed {
		return Answer{}, ErrFixed
	}
	if d.edit == nil {
		return Answer{}, fmt.Errorf("%w: it was not read", ErrUnreadable)
	}
	if len(judged) != len(d.Suggestions) {
		return Answer{}, fmt.Errorf("editing %d suggestions with %d verdicts", len(d.Suggestions), len(judged))
	}
	for _, s := range judged[:d.inHeader] {
		if s.Path == d.targetPath && s.Verdict != Keep { // no server is put in the place of a redirect
			return Answer{}, ErrNothingLeft
		}
	}
	edit := d.edit
	d.edit = nil
	// Of the header only the redirect's target is written, the first where there are several, and a redirect's page for people is not.
	target := slices.IndexFunc(judged[:d.inHeader], func(s Suggestion) bool { return s.Path == d.targetPath })
	markRemoved(judged[:d.inHeader], func(i int) bool { return i == target })
	return edit(judged[d.inHeader:])
}
