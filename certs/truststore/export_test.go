package truststore

// At is New for another operating system, whose root is a directory.
func At(system, prefix string, c Config) (*Stores, error) {
	c.system, c.prefix = system, prefix
	return New(c)
}

// Line is String for another operating system.
func (c Command) Line(system string) string { return c.line(system) }

// What the tests of editing and undoing look at.
var (
	AddCertificate   = addCertificate
	DropCertificate  = dropCertificate
	ListsCertificate = listsCertificate
)

// WritePrivate is how the journal writes its files.
var WritePrivate = writePrivate

// Undo is before, made again from what a journal keeps and after. ok says that the journal found after to be the one that it knows.
func Undo(before, after, now []byte) (text []byte, ok bool, kept int) {
	o := difference("file", content{text: before}, content{text: after})
	for _, b := range o.Blocks {
		kept += len(b.Bytes)
	}
	c, ok := o.restored(content{text: now})
	return c.text, ok, kept
}
