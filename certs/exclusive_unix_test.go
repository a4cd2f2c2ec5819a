//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package certs_test

import (
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/certs"
)

// Two commands at once, in either order: what is left is an authority, and it has what both wanted.
func TestWiden_twoAtOnce(t *testing.T) {
	t.Parallel()
	for range 4 {
		dir := place(t)
		open(t, dir, "example.com")
		changes := []func(*certs.Authority) error{(*certs.Authority).Renew, widening("lab.test"), widening("corp.test")}
		var all sync.WaitGroup
		for _, change := range changes {
			a, err := certs.OpenExisting(dir)
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				if err := change(a); err != nil {
					t.Error(err)
				}
				_ = a.Close()
			})
		}
		all.Wait()
		if names := open(t, dir, "example.com").Status(time.Now()).Names; !cmp.Equal(names, []string{"corp.test", "example.com", "lab.test"}) {
			t.Errorf("it permits %q", names)
		}
	}
}

func widening(name string) func(*certs.Authority) error {
	return func(a *certs.Authority) error {
		_, err := a.Widen(certs.Scope{Names: []string{name}})
		return err
	}
}

// Whoever would change what another process is changing waits for that, and not for ever: of a process that was stopped in the middle of it is told, and
// nothing is changed. What signs goes on with what it has.
func TestChange_takesTurns(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(a *certs.Authority, replica certs.Material) error{
		"renew":      func(a *certs.Authority, _ certs.Material) error { return a.Renew() },
		"renew root": func(a *certs.Authority, _ certs.Material) error { return a.RenewRoot() },
		"refresh":    func(a *certs.Authority, _ certs.Material) error { return a.Refresh() },
		"widen":      func(a *certs.Authority, _ certs.Material) error { return widening("lab.test")(a) },
		"import":     func(a *certs.Authority, replica certs.Material) error { return certs.Import(a.Dir(), replica) },
	} {
		synctest.Test(t, func(t *testing.T) {
			dir := place(t)
			a := open(t, dir, "example.com")
			text, err := a.Replica()
			if err != nil {
				t.Fatal(err)
			}
			replica, err := certs.ReadMaterial(text, "")
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(70 * oneDay) // renewing is due
			other, err := os.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
				t.Skip("this file system has no locks:", err)
			}
			before := contents(t, dir)
			if err := change(a, replica); err == nil || !strings.Contains(err.Error(), "another process is changing it") {
				t.Errorf("%s: got %v, want that another process is changing it", name, err)
			}
			if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			begun := time.Now()
			mint(t, a)
			if took := time.Since(begun); took > 0 {
				t.Errorf("%s: whoever wants a leaf meanwhile waits for %v", name, took)
			}
			time.AfterFunc(time.Second, func() { _ = other.Close() })
			if err := change(a, replica); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}
