package dialect

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/binary"
	"hash/adler32"
	"io"
	"slices"
	"testing"
)

// TestDecodeContent_deflateInTwoWays: what is deflate in one way alone, and ends with its stream, is as labelled.
func TestDecodeContent_deflateInTwoWays(t *testing.T) {
	document := []byte("<clientConfig><hostname>mail.lab.test</hostname></clientConfig>")
	var headed, raw bytes.Buffer
	z := zlib.NewWriter(&headed)
	f, err := flate.NewWriter(&raw, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []io.WriteCloser{z, f} {
		if _, err := w.Write(document); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		body       []byte
		asLabelled bool
	}{
		"with zlib's header":           {headed.Bytes(), true},
		"raw":                          {raw.Bytes(), true},
		"with something behind zlib's": {slices.Concat(headed.Bytes(), document), false},
		"with something behind it raw": {slices.Concat(raw.Bytes(), document), false},
		"two streams":                  {slices.Concat(headed.Bytes(), headed.Bytes()), false},
		"both":                         {bothDeflates(t, document), false},
	} {
		got, asLabelled, err := decodeContent(Answer{Header: Header{"Content-Encoding": {"deflate"}}, Body: c.body})
		if err != nil || asLabelled != c.asLabelled || !bytes.HasPrefix(got, document) {
			t.Errorf("%s: %d bytes, as labelled: %t, %v", name, len(got), asLabelled, err)
		}
	}
}

// bothDeflates is zlib's form of a document and white space: its header and the next bytes begin a stored block of 0x205e bytes to raw deflate (RFC 1951, section 3.2.4), and one of 0xdfa1 behind it to zlib.
func bothDeflates(t *testing.T, document []byte) []byte {
	t.Helper()
	stored := slices.Concat(document, bytes.Repeat([]byte("\n"), 0xdfa1-len(document)))
	b := slices.Concat([]byte{0x78, 0x5e, 0x20, 0xa1, 0xdf, 0x5e, 0x20}, stored, []byte{0x03, 0x00}) // the last block is empty
	b = binary.BigEndian.AppendUint32(b, adler32.Checksum(stored))
	first := make([]byte, 0x205e)
	if _, err := io.ReadFull(flate.NewReader(bytes.NewReader(b)), first); err != nil || !bytes.HasPrefix(first, slices.Concat([]byte("^ "), document)) {
		t.Fatalf("raw deflate reads %q, %v", first[:10], err)
	}
	return b
}
