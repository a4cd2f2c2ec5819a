package main

import (
	"os"
	"time"
)

// pollEvery is how often the configuration file is looked at besides: of a directory that was replaced, or of a link to one, and of what another computer has
// written to a network's file system, the system tells nobody.
const pollEvery = time.Second

// fileStamp is a file as it was when it was last looked at.
type fileStamp struct {
	file string // empty for none
	info os.FileInfo
}

// changed reports whether the file is another one now, or has been written to, and remembers how it is. One that is not there is on its way, or a reload would say so.
func (s *fileStamp) changed() bool {
	if s.file == "" {
		return false
	}
	info, err := os.Stat(s.file)
	if err != nil {
		return false
	}
	old := s.info
	s.info = info
	return old != nil && !(os.SameFile(old, info) && old.ModTime().Equal(info.ModTime()) && old.Size() == info.Size())
}
