package dialect

// The Basic Encoding Rules (ITU-T X.690, section 8) as far as signed profiles need them. Go's encoding/asn1 reads the distinguished ones alone; what NSS signs, and macOS,
// whose signer is made of it, has elements of indefinite length, which end with two zeros, and its content in pieces.

// The tags that CMS has on the way to what was signed.
const (
	berInteger          = 0x02
	berOctets           = 0x04
	berObjectIdentifier = 0x06
	berConstructed      = 0x20
	berSequence         = 0x30
	berSet              = 0x31
	berExplicit         = 0xa0
)

// berReader reads elements one after another. Once something is not as it should be it is broken, and so is what is read out of it.
type berReader struct {
	rest   []byte
	broken bool
}

// element is the contents of the next element, which must have that tag.
func (r *berReader) element(tag byte) []byte {
	if r.broken || len(r.rest) == 0 || r.rest[0] != tag {
		r.broken = true
		return nil
	}
	contents, rest, ok := cutBER(r.rest, 0)
	r.rest, r.broken = rest, !ok
	return contents
}

// inside reads what is in the next element, which must have that tag.
func (r *berReader) inside(tag byte) berReader {
	contents := r.element(tag)
	return berReader{contents, r.broken}
}

// octets is the next element, a string of octets, put together where it is in pieces.
func (r *berReader) octets() []byte {
	if len(r.rest) == 0 || r.rest[0] == berOctets {
		return r.element(berOctets)
	}
	pieces := r.inside(berOctets | berConstructed)
	var all []byte
	for len(pieces.rest) > 0 {
		all = append(all, pieces.element(berOctets)...)
		if pieces.broken {
			r.broken = true
			return nil
		}
	}
	return all
}

// cutBER cuts the first element off, and gives its contents. Tags of several bytes are none of CMS's.
func cutBER(b []byte, depth int) (contents, rest []byte, ok bool) {
	if len(b) < 2 || b[0]&0x1f == 0x1f || depth > maxDepth {
		return nil, nil, false
	}
	constructed, length, b := b[0]&berConstructed != 0, uint64(b[1]), b[2:]
	if length == 0x80 {
		return cutIndefinite(b, constructed, depth)
	}
	if size := int(length & 0x7f); length > 0x80 {
		if size > 4 || size > len(b) {
			return nil, nil, false
		}
		length, b = number(b[:size]), b[size:]
	}
	if length > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:length], b[length:], true
}

// cutIndefinite cuts off what ends with two zeros.
func cutIndefinite(b []byte, constructed bool, depth int) (contents, rest []byte, ok bool) {
	for rest, ok = b, constructed; ok && len(rest) >= 2; _, rest, ok = cutBER(rest, depth+1) {
		if rest[0] == 0 && rest[1] == 0 {
			return b[:len(b)-len(rest)], rest[2:], true
		}
	}
	return nil, nil, false
}
