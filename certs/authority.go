package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// Authority signs leaves for the names of its scope. All methods may be called concurrently. Make one with [Open].
type Authority struct {
	dir   string
	scope atomic.Pointer[span]
	root  *x509.Certificate

	leafKey *ecdsa.PrivateKey // see newLeafKey
	leafID  []byte
	leaves  *otter.Cache[string, *leaf]
	closed  atomic.Bool

	issuer atomic.Pointer[issuer]

	renewing sync.Mutex // guards what follows, and is held while issuing.pem is replaced
	tried    time.Time
	renewErr error
}

// Open loads the authority in dir, or makes one for scope if dir does not exist or is empty. Directories above dir are
// made if need be. If several processes open an absent dir at once, all get the same authority.
//
// An issuing certificate with less than 30 days left is renewed if root.key is there. If that does not work and the
// certificate is still good, Open succeeds, and [Authority.RenewalErr] tells.
//
// The errors to expect are [*NameError] for a bad scope, [*DamagedError] for a directory that holds no working
// authority, [*ScopeError] for an authority that was made for fewer names, and those of the file system.
func Open(dir string, scope Scope) (*Authority, error) {
	names, err := scope.canonical()
	if err != nil {
		return nil, err
	}
	dir, err = settle(dir)
	if err != nil {
		return nil, fmt.Errorf("opening authority %q: %w", dir, err)
	}
	sweep(dir)
	now := time.Now()
	empty, err := absent(dir)
	if err == nil && empty {
		err = create(dir, names, now)
	}
	if err != nil {
		return nil, fmt.Errorf("opening authority %q: %w", dir, err)
	}
	return load(dir, names, now)
}

// load reads what is in dir. A new authority goes this way too, so that what was written is known to be readable.
func load(dir string, names []string, now time.Time) (*Authority, error) {
	root, err := loadRoot(dir, now)
	if err != nil {
		return nil, err
	}
	iss, err := loadIssuer(dir, root)
	if err != nil {
		return nil, err
	}
	a := &Authority{dir: dir, root: root}
	a.issuer.Store(iss)
	if err := a.narrow(names); err != nil {
		return nil, err
	}
	if a.leafKey, a.leafID, err = newLeafKey(); err != nil {
		return nil, err
	}
	if a.leaves, err = newLeafCache(maxLeaves); err != nil {
		return nil, err
	}
	if _, err := a.signer(now); err != nil {
		_ = a.Close()
		return nil, err
	}
	return a, nil
}

// newLeafKey makes the one key pair that all leaves of this process share. That is sound: the key never leaves memory,
// where the issuing key lies beside it, so a key per host would not keep one host safe when another's is lost; every
// handshake signs fresh randomness of both sides; and each certificate still names one host only. It spares the key
// generation per host and makes the cache's worst case smaller.
func newLeafKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("generating the leaf key: %w", err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, nil, fmt.Errorf("encoding the leaf key: %w", err)
	}
	sum := sha256.Sum256(point)
	return key, sum[:20], nil // RFC 7093, section 2, method 1
}

// Root returns the certificate that clients must trust. The caller must not modify it.
func (a *Authority) Root() *x509.Certificate { return a.root }

// RootPEM returns the root certificate, and nothing secret, in the form that trust stores import.
func (a *Authority) RootPEM() []byte {
	return encodeCertificate(a.root)
}

// RootFile returns the absolute path of the root certificate. The directory is private, so others cannot read it there.
func (a *Authority) RootFile() string { return filepath.Join(a.dir, rootFile) }

// Dir returns the absolute path of the authority's directory, with symbolic links resolved.
func (a *Authority) Dir() string { return a.dir }

// Fingerprint returns the SHA-256 of the root certificate as browsers and "openssl x509 -fingerprint -sha256" show it:
// upper-case hexadecimal with colons.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.root.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// Issuing returns the certificate that signs leaves at the moment. The caller must not modify it.
func (a *Authority) Issuing() *x509.Certificate { return a.issuer.Load().cert }

// Scope returns the scope that [Open] was asked for, normalised, sorted and without names that another one covers. The
// certificates may permit more; [Authority.Leaf] does not.
func (a *Authority) Scope() Scope { return Scope{Names: slices.Clone(a.scope.Load().asked)} }

// Close forgets all leaves and stops what the cache runs. It may be called more than once and returns nil.
func (a *Authority) Close() error {
	a.closed.Store(true)
	a.leaves.StopAllGoroutines()
	a.leaves.InvalidateAll()
	return nil
}
