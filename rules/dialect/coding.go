package dialect

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// Bounds of content decoding: a discovery answer has 1 to 30 KB; no text that people write reaches a ratio of two hundred.
const (
	maxDecoded = 1 << 20
	maxRatio   = 200
	maxCodings = 3
)

// decodeContent undoes the content codings of an answer (RFC 9110, section 8.4), as the header names them and, because servers mislabel,
// as the first bytes show them. It reports whether the body was exactly as labelled. With an error it gives what could be read all the same: many a
// client is content with that.
func decodeContent(a Answer) (body []byte, asLabelled bool, err error) {
	codings, err := namedCodings(a.Header)
	if err != nil {
		return a.Body, false, err // clients take what they do not know for no coding
	}
	body, asLabelled = a.Body, true
	for _, coding := range slices.Backward(codings) { // the last one named was applied last
		packed := body
		body, err = decodeCoding(coding, packed)
		text := looksLikeText(packed) // as Brotli of 64 KiB and more does, and some of deflate
		switch {
		case err != nil && text && (len(body) == 0 || isText(packed)):
			return packed, false, nil // labelled but not coded
		case err != nil:
			return body, false, err
		}
		asLabelled = asLabelled && !(text && isText(packed)) && readAlike(coding, packed, body)
	}
	for range maxCodings { // coded but not labelled, or more often than labelled
		coding := magic(body)
		if coding == "" {
			return body, asLabelled, nil
		}
		asLabelled = false
		if body, err = decodeCoding(coding, body); err != nil {
			return body, false, err
		}
	}
	return nil, false, fmt.Errorf("%w: more than %d content codings", ErrUnreadable, maxCodings)
}

// readAlike reports whether all clients see the same in something coded. Some end with the first of several gzip members or zstd frames (python-zstandard 0.20 does), and a document
// that is cut off there may say another name to a lenient reader (RFC 1952, section 2.3.1: a member ends with how long it is).
func readAlike(coding string, packed, body []byte) bool {
	switch coding {
	case "gzip", "x-gzip":
		return int(binary.LittleEndian.Uint32(packed[len(packed)-4:])) == len(body)
	case "zstd":
		return oneFrame(packed)
	case "deflate":
		return deflatedOnce(packed)
	}
	return true
}

// deflatedOnce reports whether a body that could be decoded is one stream of deflate and nothing else, to whoever looks for zlib's header first, as here, and to whoever knows raw deflate
// alone: DeflateStream of .NET, by which Microsoft's EWS Managed API reads, and to which the header may begin a block of bytes as they stand.
func deflatedOnce(packed []byte) bool {
	r := bytes.NewReader(packed)
	stream, err := zlib.NewReader(r)
	if err != nil {
		r.Reset(packed)
		stream = flate.NewReader(r)
	} else if n, _ := flate.NewReader(bytes.NewReader(packed)).Read(make([]byte, 1)); n > 0 {
		return false
	}
	_, err = io.Copy(io.Discard, io.LimitReader(stream, maxDecoded+1))
	return err == nil && r.Len() == 0
}

// oneFrame reports whether a body is one zstd frame (RFC 8878, section 3.1.1) and nothing else.
func oneFrame(packed []byte) bool {
	var h zstd.Header
	if h.Decode(packed) != nil || h.Skippable {
		return false
	}
	at := h.HeaderSize
	for last := false; !last; {
		if at+3 > len(packed) {
			return false
		}
		block := int(packed[at]) | int(packed[at+1])<<8 | int(packed[at+2])<<16
		size := block >> 3
		if block>>1&3 == 1 { // one byte, that many times
			size = 1
		}
		at, last = at+3+size, block&1 == 1
	}
	if h.HasCheckSum {
		at += 4
	}
	return at == len(packed)
}

func namedCodings(h Header) ([]string, error) {
	var codings []string
	for _, value := range h["Content-Encoding"] {
		for coding := range strings.SplitSeq(value, ",") {
			switch coding = strings.ToLower(strings.TrimSpace(coding)); coding {
			case "", "identity", "none", "utf-8", "utf8": // curl takes none for identity; servers put their charset there, which most clients pass over
			case "7bit", "8bit", "binary": // what mail calls uncoded (RFC 2045, section 6.2); scripts that send files say so
			case "gzip", "x-gzip", "deflate", "br", "zstd":
				codings = append(codings, coding)
			default:
				return nil, fmt.Errorf("%w: unknown content coding", ErrUnreadable)
			}
		}
	}
	if len(codings) > maxCodings {
		return nil, fmt.Errorf("%w: more than %d content codings", ErrUnreadable, maxCodings)
	}
	return codings, nil
}

// magic recognises codings that announce themselves (RFC 1952, section 2.3.1; RFC 8878, section 3.1.1).
func magic(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte{0x1f, 0x8b}):
		return "gzip"
	case bytes.HasPrefix(b, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "zstd"
	}
	return ""
}

// looksLikeText reports whether b starts as an XML or JSON document does, in any charset.
func looksLikeText(b []byte) bool {
	t := bytes.TrimLeft(b, leadingSpace)
	return len(t) > 0 && (t[0] == '<' || t[0] == '{' || t[0] == '[')
}

// isText reports whether b is text and nothing else, in UTF-8.
func isText(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' })
}

// decodeCoding undoes one content coding. With an error it gives what could be decoded all the same.
func decodeCoding(coding string, b []byte) ([]byte, error) {
	r, err := decoder(coding, b)
	if err != nil {
		return nil, fmt.Errorf("%w: broken %s coding", ErrUnreadable, coding)
	}
	defer r.Close()
	limit := min(int64(maxDecoded), int64(len(b)+64)*maxRatio)
	out, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return out, fmt.Errorf("%w: broken %s coding", ErrUnreadable, coding)
	}
	if int64(len(out)) > limit {
		return out, fmt.Errorf("%w: %s expands beyond %d bytes", ErrUnreadable, coding, limit)
	}
	return out, nil
}

func decoder(coding string, b []byte) (io.ReadCloser, error) {
	switch coding {
	case "gzip", "x-gzip":
		return gzip.NewReader(bytes.NewReader(b))
	case "deflate": // zlib by the standard (RFC 9110, section 8.4.1.2), raw deflate by some servers
		if z, err := zlib.NewReader(bytes.NewReader(b)); err == nil {
			return z, nil
		}
		return flate.NewReader(bytes.NewReader(b)), nil
	case "zstd":
		z, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(16<<20))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	default:
		return io.NopCloser(brotli.NewReader(bytes.NewReader(b))), nil
	}
}
