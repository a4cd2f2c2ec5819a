package review

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"
)

// Sources says what is read.
type Sources struct {
	// Files are read in this order; "-" is Stdin. What begins like a gzip or a Zstandard file is decompressed, whatever its name.
	Files []string
	Stdin io.Reader
	// Progress, if not nil, is told from time to time how many of all bytes have been read; total is zero where it cannot be known.
	Progress func(done, total int64)
}

// CutShortError is about files whose rest could not be read, compressed ones most of all whose writer died. What could be read of them, and all of the others, has been handed
// over.
type CutShortError struct{ Err error }

func (e *CutShortError) Error() string { return e.Err.Error() }

func (e *CutShortError) Unwrap() error { return e.Err }

// Read hands every decision and every event in the sources to c, in the order in which they stand there, and says what it found. An error names
// the file; what was read before it has been handed over.
func Read(ctx context.Context, s Sources, c Consumer) (Log, error) {
	in := &classifier{to: c}
	meter := &meter{tell: s.Progress}
	for _, name := range s.Files {
		if name == "-" {
			meter.total = 0
			break
		}
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			meter.total += info.Size()
		}
	}
	var short []error
	for _, name := range s.Files {
		in.log.Files++
		err := readFile(ctx, name, s.Stdin, meter, in)
		in.log.Bytes = meter.done
		if cut, ok := errors.AsType[*CutShortError](err); ok && ctx.Err() == nil {
			short = append(short, cut.Err)
			in.log.CutShort++
			continue
		}
		if err != nil {
			return in.log, err
		}
	}
	if len(short) > 0 {
		return in.log, &CutShortError{errors.Join(short...)}
	}
	return in.log, nil
}

func readFile(ctx context.Context, name string, stdin io.Reader, m *meter, to sink) error {
	in := stdin
	if name != "-" {
		f, err := openLog(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	m.from = in
	plain, done, err := decompress(m)
	if err != nil {
		return &CutShortError{fmt.Errorf("%s: %w", name, err)}
	}
	defer done()
	if err := readLines(ctx, plain, to); err != nil {
		return &CutShortError{fmt.Errorf("%s: %w", name, err)}
	}
	return nil
}

// openLog opens a file, or what has become of it since it was named: the guard compresses what it has moved aside.
func openLog(name string) (*os.File, error) {
	f, err := open(name)
	if errors.Is(err, fs.ErrNotExist) {
		if later, gone := open(name + ".gz"); gone == nil {
			return later, nil
		}
	}
	return f, err
}

// maxWindow bounds the memory of the Zstandard decoder: what "zstd -19" makes needs 8 MiB, and only its options --ultra and --long ask for more.
const maxWindow = 8 << 20

// decompress looks at the first bytes: log rotation adds suffixes of its own.
func decompress(r io.Reader) (plain io.Reader, done func(), err error) {
	b := bufio.NewReaderSize(r, 4<<10) // reads of more go past it
	magic, err := b.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}): // RFC 1952, section 2.3.1
		z, err := gzip.NewReader(b)
		return z, func() {}, err
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}): // RFC 8878, section 3.1.1
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	}
	return b, func() {}, nil
}

// meter counts what is read of all files, compressed as they are.
type meter struct {
	from        io.Reader
	tell        func(done, total int64)
	done, total int64
}

// Read implements io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	m.done += int64(n)
	if m.tell != nil {
		m.tell(m.done, m.total)
	}
	return n, err
}
