package doctor

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// freeBytes is how much this user can still write there.
func freeBytes(dir string) (uint64, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(path, &free, nil, nil); err != nil {
		return 0, fmt.Errorf("asking for free space in %q: %w", dir, err)
	}
	return free, nil
}
