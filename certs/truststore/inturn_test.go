package truststore_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"autodiscover-guard/certs/truststore"
	"autodiscover-guard/certs/turn"
)

// TestInstall_inTurn: of several that install at once one does it, and the others find it done. Whoever does not want to wait changes nothing.
func TestInstall_inTurn(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", true, "/usr/lib/firefox/")
	end, err := turn.Take(t.Context(), c.root, 0) // the journal's directory is in there
	if err != nil {
		t.Fatal(err)
	}
	if second, err := turn.Take(t.Context(), c.root, 0); err == nil {
		second()
		t.Skip("directories cannot be locked here")
	}
	before := c.tree(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, change := range []func(context.Context, ...string) []truststore.Report{c.stores.Install, c.stores.Uninstall} {
		if r := only(t, change(ctx, truststore.Policies)); r.Status != truststore.Failed || !strings.Contains(r.Note, "waiting for") || before != c.tree(t) {
			t.Errorf("got %+v", r)
		}
	}
	end()
	done := map[truststore.Status]int{}
	var counting sync.Mutex
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			reports := c.stores.Install(t.Context(), truststore.Policies)
			counting.Lock()
			defer counting.Unlock()
			for _, r := range reports {
				done[r.Status]++
			}
		})
	}
	all.Wait()
	if done[truststore.Installed] != 1 || done[truststore.Present] != 5 {
		t.Errorf("got %v", done)
	}
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.Policies)); r.Status != truststore.Removed || !r.Exact || before != c.tree(t) {
		t.Errorf("got %+v", r)
	}
}

// TestUninstall_unfinishedJournal: a kill at the journal's first files leaves no record to clear them by.
func TestUninstall_unfinishedJournal(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", true, "/usr/lib/firefox/")
	if r := only(t, c.stores.Install(t.Context(), truststore.Policies)); r.Status != truststore.Installed {
		t.Fatalf("got %+v", r)
	}
	journal := filepath.Join(c.root, "journal")
	entries, err := os.ReadDir(journal)
	if err != nil || len(entries) != 2 {
		t.Fatalf("got %v, %v", entries, err)
	}
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.Policies)); r.Status != truststore.Removed {
		t.Fatalf("got %+v", r)
	}
	if err := os.Mkdir(journal, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		c.write(t, "journal/."+e.Name()+".new-ABCDEFGHIJKLMNOPQRSTUVW234", "half")
		if strings.HasSuffix(e.Name(), ".pem") {
			c.write(t, "journal/"+e.Name(), string(c.pem))
		}
	}
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.Policies)); r.Status != truststore.Absent {
		t.Errorf("got %+v", r)
	}
	if _, err := os.Stat(journal); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the journal in the end: %v", err)
	}
}

// TestInstall_rootRenewedMeanwhile: the file that a program reads is the root that is installed, whatever is put in the place of the authority's own meanwhile.
func TestInstall_rootRenewedMeanwhile(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", false, "/home/.pki/nssdb/cert9.db")
	var stored []byte
	c.answer = func(command truststore.Command) ([]byte, error) {
		if i := slices.Index(command.Args, "-i"); i > 0 {
			c.write(t, "root.pem", string(encoded(selfSigned(t))))
			var err error
			stored, err = os.ReadFile(command.Args[i+1])
			return nil, err
		}
		switch {
		case stored == nil:
			return nil, nil
		case slices.Contains(command.Args, "-a"):
			return stored, nil
		}
		return []byte(c.stores.Name() + "   C,,\n"), nil
	}
	if r := only(t, c.stores.Install(t.Context(), truststore.NSS)); r.Status != truststore.Installed {
		t.Errorf("got %+v", r)
	}
}
