package truststore_test

import (
	"bytes"
	"slices"
	"testing"

	"autodiscover-guard/certs/truststore"
)

// FuzzUndo: from what a file is after a change, and what the journal kept, comes what it was before, and from anything else nothing.
func FuzzUndo(f *testing.F) {
	page := bytes.Repeat([]byte("page"), 1024)
	f.Add([]byte("before"), []byte("after"))
	f.Add([]byte{}, page)
	f.Add(page, []byte{})
	f.Add(append(bytes.Clone(page), "tail"...), page)
	f.Add(page, append(bytes.Clone(page), page...))
	f.Add(slices.Concat([]byte("first"), page, []byte("last")), slices.Concat([]byte("FIRST"), page, []byte("LAST"))) // and what is between
	f.Fuzz(func(t *testing.T, before, after []byte) {
		if got, ok, _ := truststore.Undo(before, after, after); !ok || !bytes.Equal(got, before) {
			t.Fatalf("got %q, %v, want %q", got, ok, before)
		}
		if _, ok, _ := truststore.Undo(before, after, append(bytes.Clone(after), '!')); ok {
			t.Fatal("what the change did not leave is taken for it")
		}
	})
}

// TestUndo_keepsNoKeys: of a database in which one page changes, only that is kept.
func TestUndo_keepsNoKeys(t *testing.T) {
	t.Parallel()
	before := bytes.Repeat([]byte("secret key "), 4096)
	after := bytes.Clone(before)
	copy(after[8192:], "changed")
	if _, ok, kept := truststore.Undo(before, after, after); !ok || kept > 512 {
		t.Errorf("%d bytes of %d are kept, ok %v", kept, len(before), ok)
	}
}
