package certs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"autodiscover-guard/certs"
)

// asNobody does something as a user who owns none of the files, where they are root's.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	failed := make(chan error)
	go func() {
		defer close(failed)
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if _, err := unix.SetfsuidRetUid(65534); err != nil {
			failed <- err
			return
		}
		do()
	}()
	if err := <-failed; err != nil {
		t.Skip("cannot become another user: ", err)
	}
}

// An authority that may not be read, or for which there is no descriptor, is there: nobody is to be told that there is none, or that another one would be made.
func TestAuthority_that_may_not_be_read(t *testing.T) {
	t.Parallel()
	dir := place(t)
	a := open(t, dir, "example.com")
	above := filepath.Dir(dir) // only the directory itself may not be read
	if err := errors.Join(os.Chmod(filepath.Dir(above), 0o755), os.Chmod(above, 0o755), os.Chmod(dir, 0)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	asNobody(t, func() {
		if _, _, err := certs.ReadRoot(dir); !errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the root: %v", err)
		}
		if err := a.Refresh(); err == nil || !strings.Contains(err.Error(), "the next start would fail: ") {
			t.Errorf("taking it over: %v", err)
		}
	})
}

// What only cannot be read just now is not to be removed; what says nothing may be.
func TestStatus_former_that_cannot_be_read(t *testing.T) {
	t.Parallel()
	dir := place(t)
	a := open(t, dir, "example.com")
	former := filepath.Join(dir, "former.pem")
	write(t, former, []byte("garbage\n"))
	removable := func() bool {
		return slices.ContainsFunc(a.Status(time.Now()).Warnings, func(w certs.Warning) bool {
			return strings.Contains(w.Text, "former.pem") && strings.Contains(w.Cure, "remove")
		})
	}
	if !removable() {
		t.Error("garbage may not be removed")
	}
	if err := os.Chmod(former, 0); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		if removable() {
			t.Error("what may not be read may be removed")
		}
	})
}
