package dialect

import (
	"bytes"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"slices"
)

// A signed configuration profile is CMS SignedData (RFC 5652, section 5) around a property list. It is opened to be looked at and for nothing
// else: whoever changed it would break the signature, and whether that is good is the client's business.

var (
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidEnvelopedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}
)

type contentInfo struct {
	ContentType asn1.ObjectIdentifier
	Content     asn1.RawValue `asn1:"explicit,optional,tag:0"`
}

type signedData struct {
	Version          int
	DigestAlgorithms asn1.RawValue
	Encapsulated     struct {
		ContentType asn1.ObjectIdentifier
		Content     asn1.RawValue `asn1:"explicit,optional,tag:0"`
	}
}

// looksLikeCMS reports whether a body is DER or PEM rather than text of a document.
func looksLikeCMS(body []byte) bool {
	return bytes.HasPrefix(body, []byte{0x30, 0x80}) || bytes.HasPrefix(body, []byte{0x30, 0x81}) ||
		bytes.HasPrefix(body, []byte{0x30, 0x82}) || bytes.HasPrefix(body, []byte{0x30, 0x83}) || bytes.HasPrefix(body, pemBegin)
}

// pemBegin is how a block of PEM begins (RFC 7468, section 2).
var pemBegin = []byte("-----BEGIN ")

// openCMS returns what was signed, and what stands behind the signature, which should be nothing. BER of indefinite length, which some signers write, is
// not read: then nobody can say what is inside.
func openCMS(body []byte) (content, behind []byte, err error) {
	var afterText []byte
	if bytes.HasPrefix(body, pemBegin) {
		block, rest := pem.Decode(body)
		if block == nil {
			return nil, nil, errCMS
		}
		body, afterText = block.Bytes, rest
	}
	var info contentInfo
	behind, err = asn1.Unmarshal(body, &info)
	if err != nil {
		return nil, nil, errCMS
	}
	if info.ContentType.Equal(oidEnvelopedData) {
		return nil, nil, fmt.Errorf("%w: encrypted", ErrUnreadable)
	}
	var signed signedData
	if !info.ContentType.Equal(oidSignedData) {
		return nil, nil, errCMS
	}
	if _, err := asn1.Unmarshal(info.Content.Bytes, &signed); err != nil {
		return nil, nil, errCMS
	}
	if _, err := asn1.Unmarshal(signed.Encapsulated.Content.Bytes, &content); err != nil {
		return nil, nil, errCMS
	}
	return content, bytes.TrimSpace(slices.Concat(behind, afterText)), nil
}

var errCMS = fmt.Errorf("%w: broken CMS", ErrUnreadable)
