package truststore

import "bytes"

// What a change overwrote, so that it can be put back exactly. Only blocks that differ are kept: where the key database of a profile has changed
// in one page of its bookkeeping, the pages with keys are not copied anywhere.

const blockSize = 512 // divides the page sizes of SQLite

// overwritten is one file before a change, told as the difference from the file after it.
type overwritten struct {
	Path   string  `json:"path"`
	Before string  `json:"before"` // SHA-256, "" if there was no file
	After  string  `json:"after"`  // SHA-256, "" if there is none
	Size   int     `json:"size"`   // before
	Blocks []block `json:"blocks,omitempty"`
}

type block struct {
	Offset int    `json:"offset"`
	Bytes  []byte `json:"bytes"`
}

// difference tells before in terms of after.
func difference(path string, before, after []byte) overwritten {
	o := overwritten{Path: path, Before: digest(before), After: digest(after), Size: len(before)}
	for at := 0; at < len(before); at += blockSize {
		end := min(at+blockSize, len(before))
		if end <= len(after) && bytes.Equal(before[at:end], after[at:end]) {
			continue
		}
		if last := len(o.Blocks) - 1; last >= 0 && o.Blocks[last].Offset+len(o.Blocks[last].Bytes) == at {
			o.Blocks[last].Bytes = append(o.Blocks[last].Bytes, before[at:end]...)
			continue
		}
		o.Blocks = append(o.Blocks, block{at, bytes.Clone(before[at:end])})
	}
	return o
}

// restored makes the file before from the file after. ok is false if after is not what the change left, or the journal is damaged.
func (o overwritten) restored(after []byte) (before []byte, ok bool) {
	if digest(after) != o.After {
		return nil, false
	}
	if o.Before == "" {
		return nil, true
	}
	if o.Size < 0 || o.Size > maxFile {
		return nil, false
	}
	before = make([]byte, o.Size)
	copy(before, after)
	for _, b := range o.Blocks {
		if b.Offset < 0 || b.Offset > len(before)-len(b.Bytes) {
			return nil, false
		}
		copy(before[b.Offset:], b.Bytes)
	}
	return before, digest(before) == o.Before
}
