package truststore

import "bytes"

// What a change overwrote, so that it can be put back exactly. Only blocks that differ are kept: where the key database of a profile has changed
// in one page of its bookkeeping, the pages with keys are not copied anywhere.

const blockSize = 512 // divides the page sizes of SQLite

// content is what there is at a path: a file, a symbolic link, or, as the zero value, nothing.
type content struct {
	text []byte // not nil for a file
	link string // where a link points
}

// digest names a content: the SHA-256 of a file, the target of a link, "" for nothing.
func (c content) digest() string {
	if c.link != "" {
		return "-> " + c.link
	}
	return digest(c.text)
}

// overwritten is one path before a change, told as the difference from what is there after it.
type overwritten struct {
	Path   string  `json:"path"`
	Before string  `json:"before"` // digest
	After  string  `json:"after"`  // digest
	Link   string  `json:"link,omitempty"`
	Size   int     `json:"size,omitempty"` // before
	Blocks []block `json:"blocks,omitempty"`
}

type block struct {
	Offset int    `json:"offset"`
	Bytes  []byte `json:"bytes"`
}

// difference tells before in terms of after.
func difference(path string, before, after content) overwritten {
	o := overwritten{Path: path, Before: before.digest(), After: after.digest(), Link: before.link, Size: len(before.text)}
	for at := 0; at < len(before.text); at += blockSize {
		end := min(at+blockSize, len(before.text))
		if end <= len(after.text) && bytes.Equal(before.text[at:end], after.text[at:end]) {
			continue
		}
		if last := len(o.Blocks) - 1; last >= 0 && o.Blocks[last].Offset+len(o.Blocks[last].Bytes) == at {
			o.Blocks[last].Bytes = append(o.Blocks[last].Bytes, before.text[at:end]...)
			continue
		}
		o.Blocks = append(o.Blocks, block{at, bytes.Clone(before.text[at:end])})
	}
	return o
}

// restored makes what was before from what is after. ok is false if that is not what the change left, or if the journal is damaged.
func (o overwritten) restored(after content) (before content, ok bool) {
	if after.digest() != o.After {
		return content{}, false
	}
	if o.Before == "" || o.Link != "" {
		before.link = o.Link
		return before, before.digest() == o.Before
	}
	if o.Size < 0 || o.Size > maxFile {
		return content{}, false
	}
	before.text = make([]byte, o.Size)
	copy(before.text, after.text)
	for _, b := range o.Blocks {
		if b.Offset < 0 || b.Offset > o.Size-len(b.Bytes) {
			return content{}, false
		}
		copy(before.text[b.Offset:], b.Bytes)
	}
	return before, before.digest() == o.Before
}
