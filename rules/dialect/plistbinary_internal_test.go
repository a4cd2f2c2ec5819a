package dialect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// binaryObject is what an object begins with, and the numbers of those that it refers to.
type binaryObject struct {
	begin string
	refs  []int
}

// binaryList is a property list, with the first object on top. Offsets and references have that many bytes.
func binaryList(offsetSize, refSize int, objects ...binaryObject) []byte {
	return binaryListTo(len(objects)-1, offsetSize, refSize, objects...)
}

// binaryListTo has one of its objects behind all else, its table included.
func binaryListTo(last, offsetSize, refSize int, objects ...binaryObject) []byte {
	sized := func(b []byte, n, size int) []byte {
		return append(b, binary.BigEndian.AppendUint64(nil, uint64(n))[8-size:]...)
	}
	const table = len("bplist00")
	out := append([]byte("bplist00"), make([]byte, len(objects)*offsetSize)...)
	for i := range objects {
		n := (last + 1 + i) % len(objects)
		copy(out[table+n*offsetSize:], sized(nil, len(out), offsetSize))
		out = append(out, objects[n].begin...)
		for _, r := range objects[n].refs {
			out = sized(out, r, refSize)
		}
	}
	out = append(out, 0, 0, 0, 0, 0, 0, byte(offsetSize), byte(refSize))
	for _, n := range []int{len(objects), 0, table} {
		out = sized(out, n, 8)
	}
	return out
}

// everyKind has a value of each kind.
func everyKind() []binaryObject {
	return []binaryObject{
		{"\xd3", []int{1, 2, 3, 4, 5, 6}},
		{"\x54Host", nil},
		{"\x54Port", nil},
		{"\x54List", nil},
		{"\x6a\x04\x16\x00.\x00l\x00a\x00b\x00.\x00t\x00e\x00s\x00t", nil}, // UTF-16
		{"\x11\x03\xe1", nil},
		{"\xaa", []int{7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
		{"\x09", nil}, // true
		// More than any port.
		{"\x14" + strings.Repeat("\x00", 15) + "9", nil},
		{"\xc1", []int{1}},                            // a set
		{"\x42ab", nil},                               // data
		{"\x22\x3f\x80\x00\x00", nil},                 // a real number
		{"\x33\x41\xc0\x00\x00\x00\x00\x00\x00", nil}, // a date
		{"\x80\x01", nil},                             // an archiver's UID
		{"\x10\x19", nil},
		{"\x13\x00\x00\x00\x00\x00\x01\x00\x00", nil},
		{"\x5f\x11\x00\x10" + strings.Repeat("x", 16), nil},
	}
}

// shown is what a list says.
func shown(n *plistNode) string {
	switch n.kind {
	case plistDict:
		var all []string
		for i, k := range n.keys {
			all = append(all, k+": "+shown(n.items[i]))
		}
		return "{" + strings.Join(all, ", ") + "}"
	case plistArray:
		var all []string
		for _, item := range n.items {
			all = append(all, shown(item))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case plistString:
		return fmt.Sprintf("%q", n.text)
	case plistInteger:
		return n.text
	default:
		return "other"
	}
}

func TestParseBinaryPlist(t *testing.T) {
	const want = `{Host: "Ж.lab.test", Port: 993, List: [other, other, ["Host"], other, other, other, other, 25, 65536, "xxxxxxxxxxxxxxxx"]}`
	for _, size := range []int{1, 2, 8} {
		root, err := parseBinaryPlist(binaryList(size, 9-size, everyKind()...))
		if err != nil {
			t.Errorf("offsets of %d bytes: %v", size, err)
		} else if got := shown(root); got != want {
			t.Errorf("offsets of %d bytes: got %s, want %s", size, got, want)
		}
	}
}

// Whatever is damaged is read or refused, and nothing is read that is not there.
func TestParseBinaryPlist_damaged(t *testing.T) {
	check := func(what string, data []byte) {
		t.Helper()
		root, err := parseBinaryPlist(data)
		if (root == nil) == (err == nil) || err != nil && !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: got %v, %v", what, root, err)
		}
	}
	for last := range everyKind() {
		good := binaryListTo(last, 1, 1, everyKind()...)
		for i, was := range good {
			check(fmt.Sprint(i, " bytes"), good[:i])
			if i < len(good)-plistTrailer-24 && last > 0 { // before the last object
				continue
			}
			for _, b := range []byte{0, 1, 9, 15, 127, 255, was + 1, was - 1, was ^ 16, was | 15, 0x11, 0x13, 0x14, 0x15, 0x51, 0x5f, 0x61, 0x6f, 0xa1, 0xaf, 0xd1, 0xdf} {
				damaged := append([]byte(nil), good...)
				damaged[i] = b
				check(fmt.Sprintf("%d is last, byte %d is %#x", last, i, b), damaged)
			}
		}
	}
}

func TestParseBinaryPlist_refuses(t *testing.T) {
	chain := func(n int) (all []binaryObject) { // arrays within arrays
		for i := range n {
			all = append(all, binaryObject{"\xa1", []int{i + 1}})
		}
		return append(all, binaryObject{"\x09", nil})
	}
	for depth, fine := range map[int]bool{maxDepth: true, maxDepth + 1: false} {
		if _, err := parseBinaryPlist(binaryList(2, 1, chain(depth)...)); (err == nil) != fine {
			t.Errorf("%d levels: %v", depth, err)
		}
	}
	fifteen := func(of int) binaryObject {
		return binaryObject{"\xae", []int{of, of, of, of, of, of, of, of, of, of, of, of, of, of}}
	}
	many := binaryList(8, 1, binaryObject{"\x09", nil})
	binary.BigEndian.PutUint64(many[len(many)-24:], 1<<61+1) // times eight, that is one again
	binary.BigEndian.PutUint64(many[len(many)-16:], 1<<60)
	long := binaryObject{"\x5f\x12\x00\x04\x00\x00" + strings.Repeat("x", 1<<18), nil}
	for name, data := range map[string][]byte{
		"itself":                      binaryList(1, 1, binaryObject{"\xa1", []int{0}}),
		"what is not there":           binaryList(1, 1, binaryObject{"\xa1", []int{1}}),
		"a number for a key":          binaryList(1, 1, binaryObject{"\xd1", []int{1, 1}}, binaryObject{"\x10\x01", nil}),
		"a length that is a text":     binaryList(1, 1, binaryObject{"\x5f\x51", nil}),
		"a length of sixteen bytes":   binaryList(1, 1, binaryObject{"\x5f\x14" + strings.Repeat("\x00", 16), nil}),
		"a number of 32 bytes":        binaryList(1, 1, binaryObject{"\x15" + strings.Repeat("\x00", 32), nil}),
		"a text that is not there":    binaryList(1, 1, binaryObject{"\x5f\x11\x01\x00", nil}),
		"one in UTF-16":               binaryList(1, 1, binaryObject{"\x6f\x11\x01\x00", nil}),
		"an array that is not there":  binaryList(1, 1, binaryObject{"\xaf\x11\x01\x00", nil}),
		"a dict":                      binaryList(1, 1, binaryObject{"\xdf\x11\x01\x00", nil}),
		"a number":                    binaryList(1, 1, binaryObject{"\x13\x00", nil}),
		"less than nothing":           binaryList(1, 1, binaryObject{"\x5f\x13" + strings.Repeat("\xff", 8), nil}),
		"another version":             append([]byte("bplist15"), binaryList(1, 1, everyKind()...)[8:]...),
		"the same texts again":        binaryList(3, 1, binaryObject{"\xa5", []int{1, 1, 1, 1, 1}}, long),
		"the same arrays again":       binaryList(1, 1, fifteen(1), fifteen(2), fifteen(3), fifteen(4), binaryObject{"\x09", nil}),
		"as many objects as overflow": many,
		"a key behind a NUL":          binaryList(1, 1, binaryObject{"\xd1", []int{1, 1}}, binaryObject{"\x56Host\x00x", nil}),
	} {
		if root, err := parseBinaryPlist(data); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: got %v, %v", name, root, err)
		}
	}
}
