package rules_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"hash/adler32"
	"hash/crc32"
	"io"
	"slices"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// packer is what packs in some coding, and can be told to end at a byte what it has written so far.
type packer interface {
	io.WriteCloser
	Flush() error
}

const mebibyte = 1 << 20

// packedZeros are so many mebibytes of zeros. Two of them are packed, and what the second has become stands there for all that follow: under the
// race detector, packing each took longer than all that is tested with them.
func packedZeros(tb testing.TB, open func(io.Writer) (packer, error), mebibytes int) []byte {
	tb.Helper()
	var out bytes.Buffer
	w, err := open(&out)
	var ends [2]int
	for i := range ends {
		if err == nil {
			_, err = w.Write(make([]byte, mebibyte))
		}
		if err == nil {
			err = w.Flush()
		}
		ends[i] = out.Len()
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
	b := out.Bytes()
	return slices.Concat(b[:ends[0]], bytes.Repeat(b[ends[0]:ends[1]], mebibytes-1), b[ends[1]:])
}

// flatePacker is not the standard library's, which takes seven times as long under the race detector.
func flatePacker(w io.Writer) (packer, error) { return flate.NewWriter(w, flate.DefaultCompression) }

func brotliPacker(w io.Writer) (packer, error) { return brotli.NewWriterLevel(w, 1), nil }

// zstdPacker leaves out the checksum, which only the whole has.
func zstdPacker(w io.Writer) (packer, error) {
	return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
}

// gzipZeros are one member, RFC 1952, section 2.3, and packed again as often as is asked for.
func gzipZeros(tb testing.TB, mebibytes, times int) []byte {
	tb.Helper()
	b := append([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}, packedZeros(tb, flatePacker, mebibytes)...)
	sum, zeros := uint32(0), make([]byte, mebibyte)
	for range mebibytes {
		sum = crc32.Update(sum, crc32.IEEETable, zeros)
	}
	b = binary.LittleEndian.AppendUint32(b, sum)
	b = binary.LittleEndian.AppendUint32(b, uint32(mebibytes*mebibyte))
	for range times - 1 {
		b = gzipped(tb, b)
	}
	return b
}

// zlibZeros end with a checksum, RFC 1950, section 2.2, of which zeros change one half.
func zlibZeros(tb testing.TB, mebibytes int) []byte {
	tb.Helper()
	const modulus = 65521
	sum := uint32(mebibytes*mebibyte%modulus)<<16 | adler32.Checksum(nil)
	return binary.BigEndian.AppendUint32(append([]byte{0x78, 0x9c}, packedZeros(tb, flatePacker, mebibytes)...), sum)
}

// TestPackedZeros: others read from them what they say, to the checksum, so that a bomb is refused for its size and not for damage.
func TestPackedZeros(t *testing.T) {
	const mebibytes = 3 // the third is the first that was not packed
	for coding, c := range map[string]struct {
		packed []byte
		open   func(io.Reader) (io.Reader, error)
	}{
		"gzip":    {gzipZeros(t, mebibytes, 1), func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		"deflate": {zlibZeros(t, mebibytes), func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }},
		"br":      {packedZeros(t, brotliPacker, mebibytes), func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil }},
		"zstd":    {packedZeros(t, zstdPacker, mebibytes), func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) }},
	} {
		r, err := c.open(bytes.NewReader(c.packed))
		if err != nil {
			t.Fatal(coding, err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, make([]byte, mebibytes*mebibyte)) {
			t.Errorf("%s: %d bytes, and not only zeros: %v", coding, len(got), err)
		}
	}
}
