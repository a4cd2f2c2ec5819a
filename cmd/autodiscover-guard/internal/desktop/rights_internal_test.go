//go:build linux

package desktop

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// What may be written decides whether a policy file is, or what stands in for it. It is asked by a thread that has lost root's right to everything, and does
// not come back.
func TestMayWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"open/file", "open/fixed", "shut/file"} {
		w.write(t, name, "")
	}
	must(t, os.Chmod(w.path("open/fixed"), 0o400))
	must(t, os.Chmod(w.path("shut"), 0o500))
	t.Cleanup(func() { _ = os.Chmod(w.path("shut"), 0o700) })
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		var none [2]unix.CapUserData
		err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0])
		for name, want := range map[string]bool{
			"open/file": true, "open/fixed": false, "open/new": true, "open/new/new/new": true,
			"shut/file": false /* it is replaced, not written */, "shut/new": false, "shut/new/new/new": false,
		} {
			if got := mayWrite(w.path(name)); got != want {
				t.Errorf("%s: got %t, want %t", name, got, want)
			}
		}
		done <- err
	}()
	must(t, <-done)
}
