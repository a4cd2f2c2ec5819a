package intercept

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
)

// An HTTP proxy behind us may repeat in its answers what it was asked: Squid before 7.2 puts the whole header into the mail that its error pages offer to write (squid-cache/squid#2249). With
// that any client who asks for a host that is not there would be told what we say to log in. So that is written over, in fields and bodies, byte for byte: everything else in the page is of use.

// maskEcho writes over what an answer tells of how we log in to the parent.
func (p *parent) maskEcho(resp *http.Response) {
	secrets := p.spellings()
	if len(secrets) == 0 {
		return
	}
	maskFields(resp.Header, secrets)
	if resp.Body != nil && resp.Body != http.NoBody && resp.StatusCode != http.StatusSwitchingProtocols {
		resp.Body = &maskedBody{ReadCloser: resp.Body, secrets: secrets, of: resp}
	}
}

// maskHints does the same to the informational answers to req. Its hook is called before those that req has already, with the same fields. Where there is none
// nobody is told, and a hook would have net/http bound them no more (go1.26, transport.go: readResponse).
func (p *parent) maskHints(req *http.Request) *http.Request {
	secrets := p.spellings()
	if told := httptrace.ContextClientTrace(req.Context()); len(secrets) == 0 || told == nil || told.Got1xxResponse == nil {
		return req
	}
	return req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{Got1xxResponse: func(_ int, header textproto.MIMEHeader) error {
		maskFields(header, secrets)
		return nil
	}}))
}

func maskFields(fields map[string][]string, secrets [][]byte) {
	for _, values := range fields {
		for i, v := range values {
			if masked := []byte(v); mask(masked, secrets) {
				values[i] = string(masked)
			}
		}
	}
}

// certainToken is how long the base64 text of credentials is that stands nowhere by chance. A shorter one, of a name and a password of four letters or fewer together, may be in any download.
const certainToken = 8

// spellings is what stands behind "Basic " in [parent.authorization], as texts, URLs, HTML and JSON write it; without the signs at its end, which say nothing. Of a short one "Basic " is part.
func (p *parent) spellings() [][]byte {
	token := strings.TrimRight(strings.TrimPrefix(p.authorization(), "Basic "), "=")
	if token == "" {
		return nil
	}
	var all [][]byte
	for _, as := range [...][2]string{{"+", "/"}, {"%2B", "%2F"}, {"%2b", "%2f"}, {"&#43;", "&#47;"}, {"&#x2B;", "&#x2F;"}, {"&#x2b;", "&#x2f;"}, {"+", `\/`}, {"%2B", "/"}, {" ", "/"}} {
		s := []byte(strings.NewReplacer("+", as[0], "/", as[1]).Replace(token))
		if !slices.ContainsFunc(all, func(other []byte) bool { return bytes.Equal(s, other) }) {
			all = append(all, s)
		}
	}
	if len(token) >= certainToken {
		return all
	}
	var behind [][]byte
	for _, s := range all {
		for _, space := range [...]string{" ", "%20", "+"} {
			behind = append(behind, []byte("Basic"+space+string(s)))
		}
	}
	return behind
}

// mask writes over each of the secrets in b, and reports whether there was one.
func mask(b []byte, secrets [][]byte) (found bool) {
	for _, s := range secrets {
		for at := bytes.Index(b, s); at >= 0; at = bytes.Index(b, s) {
			found = true
			for i := range s {
				b[at+i] = '*'
			}
		}
	}
	return found
}

// maskedBody is a body in which secrets are written over. What may be the beginning of one is held back until more has come.
type maskedBody struct {
	io.ReadCloser
	secrets [][]byte
	of      *http.Response
	ready   []byte // is given next
	held    []byte // what may be the beginning of a secret
	err     error
}

// Read implements io.Reader.
func (b *maskedBody) Read(p []byte) (int, error) {
	for len(b.ready) == 0 && b.err == nil {
		chunk := make([]byte, len(b.held)+max(len(p), 512))
		n := copy(chunk, b.held)
		more, err := b.ReadCloser.Read(chunk[n:])
		chunk, b.err = chunk[:n+more], err
		mask(chunk, b.secrets)
		keep := 0
		if err != nil { // the trailer has come with the end
			maskFields(b.of.Trailer, b.secrets)
		}
		if err == nil || !errors.Is(err, io.EOF) { // half a secret of a body that breaks off is held for good
			keep = b.begun(chunk)
		}
		b.ready, b.held = chunk[:len(chunk)-keep], chunk[len(chunk)-keep:]
	}
	n := copy(p, b.ready)
	if b.ready = b.ready[n:]; len(b.ready) > 0 {
		return n, nil
	}
	return n, b.err
}

// begun is how many bytes at the end of chunk may be the beginning of a secret.
func (b *maskedBody) begun(chunk []byte) (most int) {
	for _, s := range b.secrets {
		for n := min(len(s)-1, len(chunk)); n > most; n-- {
			if bytes.HasSuffix(chunk, s[:n]) {
				most = n
			}
		}
	}
	return most
}
