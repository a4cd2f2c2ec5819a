package dialect

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"slices"
)

// A signed configuration profile is CMS SignedData (RFC 5652, section 5) around a property list. It is opened to be looked at and for nothing
// else: whoever changed it would break the signature, and whether that is good is the client's business.

// cmsSignedData and cmsEnvelopedData are object identifiers, as they are encoded.
const (
	cmsSignedData    = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	cmsEnvelopedData = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"
)

// looksLikeCMS reports whether a body is DER or PEM rather than text of a document.
func looksLikeCMS(body []byte) bool {
	return bytes.HasPrefix(body, []byte{0x30, 0x80}) || bytes.HasPrefix(body, []byte{0x30, 0x81}) ||
		bytes.HasPrefix(body, []byte{0x30, 0x82}) || bytes.HasPrefix(body, []byte{0x30, 0x83}) || bytes.HasPrefix(body, pemBegin)
}

// pemBegin is how a block of PEM begins (RFC 7468, section 2).
var pemBegin = []byte("-----BEGIN ")

// openCMS returns what was signed, and what stands behind the signature, which should be nothing.
func openCMS(body []byte) (content, behind []byte, err error) {
	var afterText []byte
	if bytes.HasPrefix(body, pemBegin) {
		block, rest := pem.Decode(body)
		if block == nil {
			return nil, nil, errCMS
		}
		body, afterText = block.Bytes, rest
	}
	info := berReader{rest: body}
	inside := info.inside(berSequence)
	kind := string(inside.element(berObjectIdentifier))
	if kind == cmsEnvelopedData {
		return nil, nil, fmt.Errorf("%w: encrypted", ErrUnreadable)
	}
	explicit := inside.inside(berExplicit)
	signed := explicit.inside(berSequence)
	signed.element(berInteger) // the version
	signed.element(berSet)     // the digests' algorithms
	encapsulated := signed.inside(berSequence)
	encapsulated.element(berObjectIdentifier)
	wrapped := encapsulated.inside(berExplicit)
	content = wrapped.octets()
	if kind != cmsSignedData || wrapped.broken || len(wrapped.rest)+len(encapsulated.rest) > 0 {
		return nil, nil, errCMS
	}
	return content, bytes.TrimSpace(slices.Concat(info.rest, afterText)), nil
}

var errCMS = fmt.Errorf("%w: broken CMS", ErrUnreadable)
