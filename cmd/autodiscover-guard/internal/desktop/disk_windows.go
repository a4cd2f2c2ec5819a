package desktop

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// keepOwner does nothing: a new file inherits the directory's access list.
func keepOwner(*os.File, string) error { return nil }

// setDirMode does nothing: a new directory inherits the access list of the one that it is in.
func setDirMode(string, fs.FileMode) error { return nil }

// mayFollow asks nothing: nobody makes links here but administrators.
func mayFollow(string) error { return nil }

// mayWrite asks for the rights of an administrator, without which nothing below Program Files is written.
func mayWrite(string) bool { return windows.GetCurrentProcessToken().IsElevated() }

// profileInUse asks whether a program of Mozilla's holds a profile: it keeps parent.lock open and shares it with nobody
// (toolkit/profile/nsProfileLock.cpp).
func profileInUse(dir string) bool {
	f, err := os.Open(filepath.Join(dir, "parent.lock"))
	if err == nil {
		_ = f.Close()
	}
	return err != nil && !errors.Is(err, fs.ErrNotExist)
}

// Options of InternetSetOption (wininet.h).
const (
	optionRefresh         = 37
	optionSettingsChanged = 39
)

// notifyWinINET tells programs that run that the settings have changed; others read them when they start.
func notifyWinINET() {
	option := windows.NewLazySystemDLL("wininet.dll").NewProc("InternetSetOptionW")
	if option.Find() != nil {
		return
	}
	for _, what := range []uintptr{optionSettingsChanged, optionRefresh} {
		_, _, _ = option.Call(0, what, 0, 0)
	}
}
