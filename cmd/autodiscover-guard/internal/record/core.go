package record

import (
	"hash/maphash"
	"slices"
	"sync"

	"go.uber.org/zap/zapcore"

	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

// volatile are the keys of a decision record that differ from one identical decision to the next.
var volatile = [...]string{"exchange", "took_ms", "bytes_in", "bytes_out"}

// core encodes records. What it is given is encoded before Write returns, because fields may point at what an exchange goes on to change.
type core struct {
	log  *Log
	full zapcore.Encoder // the whole record
	same zapcore.Encoder // what identical decisions have in common
}

// Enabled implements zapcore.Core: no record is left out.
func (*core) Enabled(zapcore.Level) bool { return true }

// With implements zapcore.Core.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	with := &core{log: c.log, full: c.full.Clone(), same: c.same.Clone()}
	for _, f := range fields {
		f.AddTo(with.full)
		f.AddTo(with.same)
	}
	return with
}

// Check implements zapcore.Core.
func (c *core) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return checked.AddCore(e, c)
}

// Write implements zapcore.Core. A record that cannot be written is no error here: it is counted, and reported when there is space again.
func (c *core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	if r := c.log.repeats; r != nil {
		id, err := c.log.identifier.of(c.same, e, fields)
		if err != nil {
			return err
		}
		held, err := r.hold(id, func() (Record, error) { return c.encode(e, fields) })
		if held || err != nil {
			return err
		}
	}
	line, err := c.full.EncodeEntry(e, fields)
	if err != nil {
		return err
	}
	defer line.Free()
	c.log.put(Record{Time: e.Time, Level: e.Level, Message: e.Message, Line: terminal.Escape(line.Bytes()), Count: 1})
	return nil
}

// encode makes a record that can be kept.
func (c *core) encode(e zapcore.Entry, fields []zapcore.Field) (Record, error) {
	line, err := c.full.EncodeEntry(e, fields)
	if err != nil {
		return Record{}, err
	}
	defer line.Free()
	return Record{Time: e.Time, Level: e.Level, Message: e.Message, Line: append([]byte(nil), terminal.Escape(line.Bytes())...), Count: 1}, nil
}

// Sync implements zapcore.Core: nothing is buffered, and what is held is meant to be.
func (*core) Sync() error { return nil }

// identity is what two decisions share if they are identical, and only then: two hashes with seeds of their own, 128 bits that nobody can
// compute beforehand, so that no two different decisions are taken for one.
type identity [2]uint64

// identifier makes identities.
type identifier struct {
	seeds [2]maphash.Seed
	// kept has space for a record's fields without the volatile ones.
	kept sync.Pool
}

func newIdentifier() *identifier {
	i := &identifier{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	i.kept.New = func() any { return new([]zapcore.Field) }
	return i
}

// of hashes the record as encoder writes it, without what is volatile.
func (i *identifier) of(encoder zapcore.Encoder, e zapcore.Entry, fields []zapcore.Field) (identity, error) {
	kept := i.kept.Get().(*[]zapcore.Field)
	defer func() {
		clear(*kept) // they point at an exchange
		*kept = (*kept)[:0]
		i.kept.Put(kept)
	}()
	for _, f := range fields {
		if !slices.Contains(volatile[:], f.Key) {
			*kept = append(*kept, f)
		}
	}
	text, err := encoder.EncodeEntry(e, *kept)
	if err != nil {
		return identity{}, err
	}
	defer text.Free()
	return identity{maphash.Bytes(i.seeds[0], text.Bytes()), maphash.Bytes(i.seeds[1], text.Bytes())}, nil
}

// identityConfig is the form of a record without its time.
func identityConfig(c zapcore.EncoderConfig) zapcore.EncoderConfig {
	c.TimeKey = zapcore.OmitKey
	return c
}
