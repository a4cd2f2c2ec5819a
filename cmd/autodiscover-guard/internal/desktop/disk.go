package desktop

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"autodiscover-guard/certs/durable"
)

// temporarySuffix ends the name of a file while it is being written. The name is fixed, so that what a kill leaves behind is found and removed; that
// is why no library for atomic writing is used: they make names up.
const temporarySuffix = ".autodiscover-guard-new"

// disk changes files. Its step is called before each change, with what is about to happen; tests stop there.
type disk struct{ step func(string) }

// replace puts a whole file in the place of another, or of none, in one step that survives a loss of power. A symbolic link stays, and what it
// points at is replaced.
func (d disk) replace(path string, data []byte, mode fs.FileMode) error {
	if err := mayFollow(path); err != nil {
		return err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	d.step("write " + path + temporarySuffix)
	_ = os.Remove(path + temporarySuffix) // what a kill has left, or a link that root is to follow
	f, err := os.OpenFile(path+temporarySuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode) // a umask may have taken some of it
	}
	if err == nil {
		err = keepOwner(f, path)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path+temporarySuffix))
	}
	d.step("rename to " + path)
	if err := os.Rename(path+temporarySuffix, path); err != nil {
		return errors.Join(err, os.Remove(path+temporarySuffix))
	}
	d.step("synchronise " + filepath.Dir(path))
	return durable.SyncDir(filepath.Dir(path))
}

// makeDir makes a directory, where there is none.
func (d disk) makeDir(path string, mode fs.FileMode) error {
	if err := mayFollow(path); err != nil {
		return err
	}
	d.step("make directory " + path)
	if err := os.Mkdir(path, mode); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	return setDirMode(path, mode) // a umask may have taken some of it
}

// remove takes a file away, and what a kill may have left beside it. That there is none is fine.
func (d disk) remove(path string) error {
	if err := mayFollow(filepath.Dir(path)); err != nil {
		return err
	}
	d.clear(path)
	d.step("remove " + path)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := durable.SyncDir(filepath.Dir(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// clear removes what a kill left of a replace.
func (d disk) clear(path string) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	d.step("clear " + path + temporarySuffix)
	_ = os.Remove(path + temporarySuffix)
}

// missingDirs are the directories above a file that do not exist, the outermost first.
func missingDirs(path string) []string {
	var missing []string
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); err == nil || dir == filepath.Dir(dir) {
			return missing
		}
		missing = append([]string{dir}, missing...)
	}
}
