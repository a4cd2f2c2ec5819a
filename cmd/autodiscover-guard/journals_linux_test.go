package main

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A directory of root's and of its group's that an access list opens to somebody else is not root's alone, whatever its mode says (acl(5)).
func TestJournalDir_accessList(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root's directories are looked at")
	}
	const nobody = ^uint32(0)
	list := binary.LittleEndian.AppendUint32(nil, 2) // the version
	for _, entry := range []struct {
		tag, rights uint16
		id          uint32
	}{{0x01, 7, nobody}, {0x02, 7, 4711}, {0x04, 5, nobody}, {0x10, 7, nobody}, {0x20, 0, nobody}} { // owner, a user, group, mask, others
		list = binary.LittleEndian.AppendUint16(list, entry.tag)
		list = binary.LittleEndian.AppendUint16(list, entry.rights)
		list = binary.LittleEndian.AppendUint32(list, entry.id)
	}
	dir := t.TempDir()
	chmod(t, dir, 0o770)
	if got := journalDir(dir); got != dir {
		t.Errorf("without a list: %s", got)
	}
	if err := unix.Setxattr(dir, "system.posix_acl_access", list, 0); errors.Is(err, unix.EOPNOTSUPP) {
		t.Skip("the file system has no access lists")
	} else if err != nil {
		t.Fatal(err)
	}
	if got := journalDir(dir); got == dir {
		t.Error("with a list: the directory itself")
	}
}
