package desktop

import (
	"bytes"
	"io/fs"
	"maps"
	"regexp"
	"slices"
)

// Value is what a key holds, in the notation of its place. The zero Value is a key that is not set, which is not the same as an empty one.
type Value struct {
	Set  bool   `json:"set"`
	Text string `json:"text,omitempty"`
}

func set(text string) Value { return Value{Set: true, Text: text} }

// userinfo is a name and a password in a URL. It ends at the last @ of the authority: to most programs a password may have one, or an apostrophe (WHATWG URL, authority state).
var userinfo = regexp.MustCompile(`//[^/\s"]*@`)

// String is the value for people, without a password that a proxy's URL may hold.
func (v Value) String() string {
	if !v.Set {
		return "not set"
	}
	return userinfo.ReplaceAllString(v.Text, "//…@")
}

// Values are the keys that belong to a place, each of them, set or not.
type Values map[string]Value

// keys are in a fixed order, for output and for writing.
func (v Values) keys() []string { return slices.Sorted(maps.Keys(v)) }

// File is a place that is a text file, as it is or as it will be.
type File struct {
	Exists bool        `json:"exists"`
	Mode   fs.FileMode `json:"mode,omitempty"`
	Data   []byte      `json:"data,omitempty"`
	// Missing are the directories above it that do not exist, the outermost first.
	Missing []string `json:"missing,omitempty"`
	// Vacant is a file that says nothing, so that nobody misses it.
	Vacant bool `json:"vacant,omitempty"`
}

func (f *File) equal(g *File) bool {
	if f == nil || g == nil {
		return f == g
	}
	return f.Exists == g.Exists && bytes.Equal(f.Data, g.Data)
}

// Snapshot is all that a place holds and that concerns us.
type Snapshot struct {
	Values Values `json:"values"`
	// File is the whole file around the values; nil where the place is no file, or where only the values count.
	File *File `json:"file,omitempty"`
	// Unset is what keys hold where they are not set, because somebody gave it to the whole computer. Nil is nothing.
	Unset Values `json:"-"`
}

// inForce are the values that programs follow.
func (s Snapshot) inForce() Values {
	all := maps.Clone(s.Values)
	for k, v := range all {
		if !v.Set {
			all[k] = s.Unset[k]
		}
	}
	return all
}

func (s Snapshot) equal(t Snapshot) bool {
	return maps.Equal(s.Values, t.Values) && s.File.equal(t.File)
}
