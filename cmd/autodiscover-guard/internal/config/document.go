package config

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxFile is far above any real file, and far below what would take long to read.
const maxFile = 1 << 20

// rootNode returns the root of the file's only document, alone in a slice, or nothing where the file is empty or cannot be read.
func (r *reader) rootNode(data []byte) []*yaml.Node {
	if f, line := unreadable(data); f != nil {
		r.report(&yaml.Node{Line: line}, "", *f)
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		r.syntax(data, err)
		return nil
	}
	var first, second yaml.Node
	if err := loader.Load(&first); err != nil {
		r.syntax(data, err)
		return nil
	}
	if err := loader.Load(&second); err != nil {
		r.syntax(data, err)
	} else {
		r.report(&second, "", fault{text: "a second document begins here", want: "one file is one document"})
	}
	return first.Content
}

// unreadable finds what no YAML parser should have to see, and where: the parser itself does not say. An empty file is one that somebody is about to write
// (cp, a shell's redirection, many editors empty it first), or that a crash has left: its rules are not to be those that nobody has made.
func unreadable(data []byte) (*fault, int) {
	if len(bytes.TrimSpace(data)) == 0 {
		return &fault{text: "the file is empty", want: "is it still being written? One that has nothing to say says so in a remark (#)"}, 0
	}
	if len(data) > maxFile {
		return &fault{text: "the file is larger than 1MiB", want: "is this the right file?"}, 0
	}
	line := 1
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		switch {
		case c == utf8.RuneError && size < 2:
			return &fault{text: "not UTF-8", want: "save the file as UTF-8"}, line
		case c == '\n':
			line++
		case c < ' ' && c != '\t' && c != '\r' || c >= 0x7f && c < 0xa0 && c != 0x85:
			return &fault{text: "a control character", want: "is this the right file?"}, line
		}
		i += size
	}
	return nil, 0
}

// syntax reports an error of the YAML parser; the end of the file is none.
func (r *reader) syntax(data []byte, err error) {
	if errors.Is(err, io.EOF) {
		return
	}
	var n yaml.Node
	text := err.Error()
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		if tabbed(data, e.Mark.Line) && (strings.Contains(text, "cannot start any token") || strings.Contains(text, "tab character")) {
			r.report(&yaml.Node{Line: e.Mark.Line}, "", fault{text: "indented with a tab, which YAML does not read", want: "want spaces"})
			return
		}
		n.Line, n.Column, text = e.Mark.Line, e.Mark.Column, e.Message
		// What was left open has to be mended where it began; what is indented in its own way, in a block, where it stands.
		if e.ContextMsg != "" && e.ContextMark.Line > 0 && e.ContextMark.Line < e.Mark.Line && !strings.HasPrefix(e.ContextMsg, "while parsing a block") {
			n.Line, n.Column = e.ContextMark.Line, e.ContextMark.Column
		}
		if e.ContextMsg != "" {
			text = e.ContextMsg + ": " + text
		}
	}
	if _, rest, star := strings.Cut(text, "unknown anchor '"); star { // as patterns begin, without their quotes
		f := fault{text: "to YAML a star without quotes is a reference", want: "want quotes around it"}
		if name, _, _ := strings.Cut(rest, "'"); strings.HasPrefix(name, ".") { // what begins with a star alone may be a password
			f.want += ": " + quoted("*"+name)
		}
		r.report(&n, "", f)
		return
	}
	if strings.Contains(text, "incompatible YAML document") {
		r.report(&n, "", fault{text: "a %YAML line of another version than 1.1", want: "want no such line"})
		return
	}
	r.report(&n, "", fault{
		text: "not YAML: " + text,
		want: "indent with spaces, put one space behind each colon, close what is opened, and put quotes around what begins with *, %, @ or [ or holds a colon and a space",
	})
}

// tabbed reports whether a line, counted from 1, has a tab in its indentation.
func tabbed(data []byte, line int) bool {
	for ; line > 1; line-- {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	return bytes.HasPrefix(bytes.TrimLeft(data, " "), []byte("\t"))
}
