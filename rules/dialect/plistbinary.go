package dialect

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Binary property lists, version 00: a header, objects, a table of their offsets, and a trailer of 32 bytes that says where all that is.
// The format is described in Apple's open source CoreFoundation (CFBinaryPList.c). Everything in it is an offset, so everything is checked:
// against the ends of the data, against depth, and against visiting more objects than a document can have.

const plistTrailer = 32

type binaryPlist struct {
	data             []byte
	offsets          []byte
	offsetSize       int
	objects          uint64
	refSize, visited int
	texts            int // bytes of strings that were read; objects may share one
}

// parseBinaryPlist reads a binary property list.
func parseBinaryPlist(data []byte) (*plistNode, error) {
	if len(data) < 8+plistTrailer || !bytes.HasPrefix(data, []byte("bplist00")) {
		return nil, errBinaryPlist
	}
	trailer := data[len(data)-plistTrailer:]
	p := binaryPlist{data: data[:len(data)-plistTrailer], offsetSize: int(trailer[6]), refSize: int(trailer[7])}
	objects, top, table := binary.BigEndian.Uint64(trailer[8:]), binary.BigEndian.Uint64(trailer[16:]), binary.BigEndian.Uint64(trailer[24:])
	limit := uint64(len(p.data))
	if p.offsetSize < 1 || p.offsetSize > 8 || p.refSize < 1 || p.refSize > 8 || objects > maxNodes || table > limit ||
		objects*uint64(p.offsetSize) > limit-table {
		return nil, errBinaryPlist
	}
	p.objects = objects
	p.offsets = p.data[table : table+objects*uint64(p.offsetSize)]
	return p.value(top, 0)
}

var errBinaryPlist = fmt.Errorf("%w: broken binary property list", ErrUnreadable)

// value reads one object. A reference to an object above it would go round in circles; depth ends that.
func (p *binaryPlist) value(ref uint64, depth int) (*plistNode, error) {
	if p.visited++; ref >= p.objects || depth > maxDepth || p.visited > maxNodes {
		return nil, errBinaryPlist
	}
	size := uint64(p.offsetSize) //nolint:gosec // 1 to 8, checked
	offset := number(p.offsets[ref*size:][:size])
	if offset >= uint64(len(p.data)) {
		return nil, errBinaryPlist
	}
	kind, rest := p.data[offset]>>4, p.data[offset+1:]
	if kind == 1 {
		return p.integer(int(p.data[offset]&15), rest)
	}
	if kind < 4 {
		return &plistNode{kind: plistOther}, nil
	}
	count, rest, err := p.count(int(p.data[offset]&15), rest)
	if err != nil {
		return nil, err
	}
	return p.sized(kind, count, rest, depth)
}

// sized reads the objects that say how long they are.
func (p *binaryPlist) sized(kind byte, count int, rest []byte, depth int) (*plistNode, error) {
	if kind == 5 || kind == 6 {
		if p.texts += count; p.texts > maxDecoded {
			return nil, errBinaryPlist
		}
	}
	switch kind {
	case 5:
		if count > len(rest) {
			return nil, errBinaryPlist
		}
		return &plistNode{kind: plistString, text: string(rest[:count])}, nil
	case 6:
		if count > len(rest)/2 {
			return nil, errBinaryPlist
		}
		units := make([]uint16, count)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(rest[2*i:])
		}
		return &plistNode{kind: plistString, text: string(utf16.Decode(units))}, nil
	case 0xa, 0xc:
		return p.array(count, rest, depth)
	case 0xd:
		return p.dict(count, rest, depth)
	}
	return &plistNode{kind: plistOther}, nil
}

func (p *binaryPlist) array(count int, rest []byte, depth int) (*plistNode, error) {
	n := &plistNode{kind: plistArray}
	if count > len(rest)/p.refSize {
		return nil, errBinaryPlist
	}
	for i := range count {
		item, err := p.value(p.ref(rest, i), depth+1)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
	}
	return n, nil
}

func (p *binaryPlist) dict(count int, rest []byte, depth int) (*plistNode, error) {
	n := &plistNode{kind: plistDict}
	if count > len(rest)/p.refSize/2 {
		return nil, errBinaryPlist
	}
	for i := range count {
		key, err := p.value(p.ref(rest, i), depth+1)
		if err != nil {
			return nil, err
		}
		value, err := p.value(p.ref(rest, count+i), depth+1)
		if err != nil {
			return nil, err
		}
		if key.kind != plistString || n.child(key.text) != nil || strings.ContainsRune(key.text, 0) { // libplist's keys end at a NUL
			return nil, errBinaryPlist
		}
		n.keys, n.items = append(n.keys, key.text), append(n.items, value)
	}
	return n, nil
}

func (p *binaryPlist) ref(refs []byte, i int) uint64 { return number(refs[i*p.refSize:][:p.refSize]) }

// count is how many bytes, characters or references follow: four bits, or an integer object where they are all ones.
func (p *binaryPlist) count(low int, rest []byte) (int, []byte, error) {
	if low < 15 {
		return low, rest, nil
	}
	if len(rest) == 0 || rest[0]>>4 != 1 {
		return 0, nil, errBinaryPlist
	}
	size := 1 << (rest[0] & 15)
	if rest = rest[1:]; size > 8 || len(rest) < size {
		return 0, nil, errBinaryPlist
	}
	n := number(rest[:size])
	if n > uint64(len(p.data)) {
		return 0, nil, errBinaryPlist
	}
	return int(n), rest[size:], nil //nolint:gosec // at most the length of the data, checked
}

func (p *binaryPlist) integer(power int, rest []byte) (*plistNode, error) {
	size := 1 << power
	if size > 16 || len(rest) < size {
		return nil, errBinaryPlist
	}
	if size == 16 { // larger than any port
		return &plistNode{kind: plistOther}, nil
	}
	return &plistNode{kind: plistInteger, text: strconv.FormatUint(number(rest[:size]), 10)}, nil
}

// number reads up to eight bytes, the first one most significant.
func number(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}
