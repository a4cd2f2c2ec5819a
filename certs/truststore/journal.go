package truststore

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The journal is a directory with one file for every place where a root was put, and one copy of every such root, so that a root can be
// taken out when its authority is no longer there.
//
//	<root's SHA-256>.pem
//	<root's SHA-256>-<hash of store and path>.json

// schema is the version of a record's format.
const schema = 1

// record is one installation.
type record struct {
	Schema int           `json:"schema"`
	Store  string        `json:"store"`
	Path   string        `json:"path"`
	Files  []overwritten `json:"files"`
	Dirs   []string      `json:"dirs,omitempty"`   // made by the installation, the outer ones first
	Vacant bool          `json:"vacant,omitempty"` // the file was there before and said nothing
	Begun  bool          `json:"begun,omitempty"`  // it has not come to its end: what the files were is not in Files
}

type journal struct {
	dir  string
	root *x509.Certificate
}

func (j *journal) rootFile() string { return filepath.Join(j.dir, fingerprint(j.root)+".pem") }

func (j *journal) file(store, path string) string {
	sum := sha256.Sum256([]byte(store + "\x00" + path))
	return filepath.Join(j.dir, fingerprint(j.root)+"-"+hex.EncodeToString(sum[:8])+".json")
}

// read returns the record of a place, or nil if there is none.
func (j *journal) read(store, path string) (*record, error) {
	return readRecord(j.file(store, path))
}

func readRecord(file string) (*record, error) {
	text, err := readFile(file)
	if err != nil || text == nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("reading the journal %q: %w; without that file the certificate alone is taken out", file, err)
	}
	if r.Schema != schema {
		return nil, fmt.Errorf("reading the journal %q: schema %d, want %d: it was written by another version, which can put everything back; "+
			"without that file the certificate alone is taken out", file, r.Schema, schema)
	}
	return r, nil
}

// write keeps a record, and the root that it is about.
func (j *journal) write(r *record) error {
	if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	r.Schema = schema
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	if err := writePrivate(j.rootFile(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: j.root.Raw})); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	if err := writePrivate(j.file(r.Store, r.Path), text); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	return nil
}

// writePrivate replaces a file that only its owner can read.
func writePrivate(path string, text []byte) error { return replaceAs(path, text, 0o600) }

// forget removes a record, and the copy of the root with the last one.
func (j *journal) forget(store, path string) error {
	if err := removeFile(j.file(store, path)); err != nil {
		return fmt.Errorf("clearing the journal: %w", err)
	}
	return j.clear(store, path)
}

// clear removes what no record is there for: what a kill has left of writing that of a place, and the copy of the root where there is none at all.
func (j *journal) clear(store, path string) error {
	clearUnfinished(j.file(store, path))
	clearUnfinished(j.rootFile())
	if left, err := j.recordFiles(); err != nil || len(left) > 0 { // one that cannot be read keeps the root's copy, and is that place's to tell of
		return err
	}
	if err := removeFile(j.rootFile()); err != nil {
		return fmt.Errorf("clearing the journal: %w", err)
	}
	_ = os.Remove(j.dir) // unless another root's is in it
	return nil
}

// records are all records of the root. An absent journal has none.
func (j *journal) records() ([]*record, error) {
	names, err := j.recordFiles()
	if err != nil {
		return nil, err
	}
	var all []*record
	for _, name := range names {
		r, err := readRecord(name)
		if err != nil {
			return nil, err
		}
		if r != nil {
			all = append(all, r)
		}
	}
	return all, nil
}

func (j *journal) recordFiles() ([]string, error) {
	return journalFiles(j.dir, fingerprint(j.root)+"-", ".json")
}

func journalFiles(dir, prefix, suffix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) && strings.HasSuffix(e.Name(), suffix) {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names, nil
}

// Root is a certificate that a journal knows to be installed somewhere.
type Root struct {
	Certificate *x509.Certificate
	File        string // the journal's copy, PEM
}

// Recorded returns the roots that are installed according to a journal. Without a journal there are none.
func Recorded(dir string) ([]Root, error) {
	names, err := journalFiles(dir, "", ".pem")
	if err != nil {
		return nil, err
	}
	var all []Root
	for _, name := range names {
		text, err := readFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading the journal: %w", err)
		}
		block, _ := pem.Decode(text)
		if block == nil {
			continue // it vanished, or was never whole: the records beside it still name it
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading the journal %q: %w", name, err)
		}
		all = append(all, Root{cert, name})
	}
	return all, nil
}
