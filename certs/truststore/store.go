package truststore

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// The stores. Not every system has each of them: [User] exists on macOS and Windows only.
const (
	System   = "system"
	User     = "user"
	NSS      = "nss"
	Policies = "policies"
	Java     = "java"
)

// Names returns the stores in the order in which they are worked on: the system's programs fill Java keystores, too, so it comes first.
func Names() []string { return []string{System, User, Policies, NSS, Java} }

// namePrefix begins whatever this program calls a certificate: in a store, in its subject, and as a nickname on the admin listener's /setup.
const namePrefix = "autodiscover-guard"

// Config says what is installed, and where. Root, RootFile, Journal and Home are needed.
type Config struct {
	// Root is the certificate to install. It must be a CA certificate.
	Root *x509.Certificate
	// RootFile is the absolute path of a PEM file with Root in it, for the programs that read it from there.
	RootFile string
	// Journal is the directory that keeps what is needed to undo. It is made if need be, private to its owner.
	Journal string
	// Home is the home directory whose profiles are looked at.
	Home string
	// Places names, per store, the exact places to work on, where the usual ones are not to be looked for: directories of NSS databases, Java
	// keystores, policies files. The stores System and User are where they are.
	Places map[string][]string
	// Admin says that this process may change what belongs to the whole computer.
	Admin bool
	// Getenv reads the environment (HOME, XDG_CONFIG_HOME, JAVA_HOME, and on Windows ProgramFiles); nil is os.Getenv.
	Getenv func(string) string
	// Run runs programs; nil is [Exec].
	Run Runner

	// system and prefix are for tests: another operating system, and a directory that stands for its root.
	system, prefix string
}

// Stores installs one root. Make one with [New]. Several that have one journal take turns, in one process or in several; with different journals, two of them on
// one computer would undo each other.
type Stores struct {
	Config
	name    string // of the certificate, wherever a store wants one
	journal *journal
}

// New checks the configuration. Nothing is read or changed yet.
func New(c Config) (*Stores, error) {
	switch {
	case c.Root == nil || !c.Root.IsCA:
		return nil, errors.New("truststore: the root is not a CA certificate")
	case !filepath.IsAbs(c.RootFile) || !filepath.IsAbs(c.Journal) || !filepath.IsAbs(c.Home):
		return nil, errors.New("truststore: the root's file, the journal and the home directory must be absolute paths")
	}
	if c.Getenv == nil {
		c.Getenv = os.Getenv
	}
	if c.Run == nil {
		c.Run = Exec
	}
	if c.system == "" {
		c.system = runtime.GOOS
	}
	sum := fingerprint(c.Root)
	return &Stores{Config: c, name: namePrefix + "-" + sum[:16], journal: &journal{dir: c.Journal, root: c.Root}}, nil
}

// Name is what the certificate is called in every store, as nickname, alias and file name: it holds the first 16 digits of its SHA-256.
func (s *Stores) Name() string { return s.name }

// under puts the tests' root before an absolute path of the system.
func (s *Stores) under(path string) string { return filepath.Join(s.prefix, filepath.FromSlash(path)) }

// places finds all places of the named stores, in the order of [Names].
func (s *Stores) places(ctx context.Context, names []string) []place {
	var all []place
	for _, store := range []struct {
		name string
		find func(context.Context) []place
	}{
		{System, s.systemPlaces},
		{User, s.userPlaces},
		{Policies, s.policyPlaces},
		{NSS, s.nssPlaces},
		{Java, s.javaPlaces},
	} {
		if slices.Contains(names, store.name) {
			all = append(all, store.find(ctx)...)
		}
	}
	return all
}

// fingerprint is the SHA-256 of a certificate, in lower-case hexadecimal digits.
func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// isRoot reports whether text is PEM and holds the root, among whatever else: bundles hold comments and a hundred certificates.
func (s *Stores) isRoot(text []byte) bool {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return false
		}
		if block.Type == "CERTIFICATE" && slices.Equal(block.Bytes, s.Root.Raw) {
			return true
		}
		text = rest
	}
}

// rootPEM is the root as stores import it.
func (s *Stores) rootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Root.Raw})
}

// readBack is the sentence that says how a certificate was recognised.
func readBack(where string) string { return fmt.Sprintf("read back from %s, SHA-256 compared", where) }
