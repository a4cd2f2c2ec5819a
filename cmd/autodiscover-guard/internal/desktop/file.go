package desktop

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
)

// codec reads and changes the keys that concern us in a kind of text file, and leaves the rest of it alone.
type codec interface {
	// read returns all of the codec's keys. No data at all is a file in which none is set.
	read(ctx context.Context, data []byte) (Values, error)
	edit(ctx context.Context, data []byte, values Values) ([]byte, error)
	// vacant reports whether the file says nothing.
	vacant(data []byte) bool
}

// file is a place that is a text file.
type file struct {
	where   ID
	missing string // why it cannot be used, or empty
	codec   codec
	disk    disk
	// mode is that of a file, dirMode that of directories that have to be made.
	mode, dirMode fs.FileMode
	want          func(Target) Values
	// other names another proxy in force; see displacer. It may be nil.
	other func(Values) string
	// lockedBy says why programs would not follow what the file is to hold; it is empty where they do. It may be nil.
	lockedBy func(context.Context, Snapshot) string
	// written is told when the file has been replaced. It may be nil.
	written func(context.Context)
	// inUse is set for a file that a program fills by itself, from its user.js, while it runs; see follower.
	inUse func() string
}

func (f file) id() ID { return f.where }

func (f file) absent(context.Context) string {
	if _, err := os.Lstat(f.where.Where); f.missing == "" && err == nil && !exists(f.where.Where) {
		return f.where.Where + " is a symbolic link to what is not there" // a file in its place would be an end of the link
	}
	return f.missing
}

func (f file) wanted(t Target) Values { return f.want(t) }

func (f file) displaced(before Values) string {
	if f.other == nil {
		return ""
	}
	return f.other(before)
}

// unheeded says why programs would not follow what a place is to hold.
func unheeded(ctx context.Context, p place, then Snapshot) string {
	if f, ok := p.(file); ok && f.lockedBy != nil {
		return f.lockedBy(ctx, then)
	}
	return ""
}

func (f file) follows() bool { return f.inUse != nil }

func (f file) busy() string {
	if f.inUse == nil {
		return ""
	}
	return f.inUse()
}

func (f file) read(ctx context.Context) (Snapshot, error) {
	image := &File{}
	data, err := os.ReadFile(f.where.Where)
	switch {
	case err == nil:
		info, err := os.Stat(f.where.Where)
		if err != nil {
			return Snapshot{}, err
		}
		image.Exists, image.Mode, image.Data = true, info.Mode().Perm(), data
		image.Vacant = f.codec.vacant(data)
	case errors.Is(err, fs.ErrNotExist):
		image.Missing = missingDirs(f.where.Where)
	default:
		return Snapshot{}, err
	}
	values, err := f.codec.read(ctx, data)
	if err != nil {
		return Snapshot{}, fmt.Errorf("reading %q: %w", f.where.Where, err)
	}
	return Snapshot{Values: values, File: image}, nil
}

func (f file) plan(ctx context.Context, now Snapshot, values Values) (Snapshot, error) {
	data, err := f.codec.edit(ctx, now.File.Data, values)
	if err != nil {
		return now, fmt.Errorf("changing %q: %w", f.where.Where, err)
	}
	then := Snapshot{File: &File{Exists: true, Mode: now.File.Mode, Data: data, Missing: now.File.Missing, Vacant: f.codec.vacant(data)}}
	if then.File.Mode == 0 {
		then.File.Mode = f.mode
	}
	if then.Values, err = f.codec.read(ctx, data); err != nil {
		return now, fmt.Errorf("changing %q: %w", f.where.Where, err)
	}
	if !maps.Equal(then.Values, overlay(now, values).Values) {
		return now, fmt.Errorf("changing %q: the values do not take effect there", f.where.Where)
	}
	return then, nil
}

// write makes directories and the file, or removes the file and the directories that were made for it.
func (f file) write(ctx context.Context, now, then Snapshot) error {
	f.disk.clear(f.where.Where)
	if err := f.put(then.File); err != nil {
		return err
	}
	if f.written != nil && !now.File.equal(then.File) {
		f.written(ctx)
	}
	return nil
}

func (f file) put(image *File) error {
	if image.Exists {
		for _, dir := range image.Missing {
			if err := f.disk.makeDir(dir, f.dirMode); err != nil {
				return err
			}
		}
		return f.disk.replace(f.where.Where, image.Data, image.Mode)
	}
	if err := f.disk.remove(f.where.Where); err != nil {
		return err
	}
	f.removeDirs(image.Missing)
	return nil
}

// removeDirs takes away what was made for the file.
func (f file) removeDirs(made []string) {
	for _, dir := range slices.Backward(made) {
		f.disk.step("remove directory " + dir)
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return // somebody has put something into it
		}
	}
}

// removeLeftovers removes what a kill may have left of an entry that holds its previous values already.
func (f file) removeLeftovers(before *File) {
	f.disk.clear(f.where.Where)
	if before != nil && !before.Exists && !exists(f.where.Where) {
		f.removeDirs(before.Missing)
	}
}
