//go:build unix

package desktop

import (
	"os"
	"slices"
	"syscall"
	"testing"
)

func TestOff_keepsTheGroup(t *testing.T) {
	t.Parallel()
	groups, err := os.Getgroups()
	must(t, err)
	if os.Geteuid() == 0 {
		groups = append(groups, 12345)
	}
	groups = slices.DeleteFunc(groups, func(g int) bool { return g == os.Getegid() })
	w := newWorld(t)
	name := w.path("home/.config/kioslaverc")
	if len(groups) == 0 || os.Chown(name, -1, groups[0]) != nil {
		t.Skip("this user is in one group alone")
	}
	on(t, w, Options{})
	off(t, w, Options{})
	info, err := os.Stat(name)
	must(t, err)
	if s, ok := info.Sys().(*syscall.Stat_t); !ok || int(s.Gid) != groups[0] {
		t.Errorf("its group is not %d as before: %+v", groups[0], info.Sys())
	}
}
