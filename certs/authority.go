package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io/fs"
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
	dir        string
	revocation string // see RevocationAt
	scope      atomic.Pointer[activeScope]
	tiers      atomic.Pointer[tiers]
	crl        atomic.Pointer[crl]
	template   atomic.Pointer[derTemplate]

	leafKey *ecdsa.PrivateKey // see newLeafKey
	leafID  []byte
	leaves  *otter.Cache[string, *leaf]
	closed  atomic.Bool

	renewing  sync.Mutex // guards what follows, and is held while files are replaced
	lastTry   time.Time
	renewErr  error
	reloadErr error // why what is on disk was not taken over the last time
	saveErr   error // why what is in use is not on disk
}

// Open loads the authority in dir, or makes one for scope if dir does not exist or is empty. Directories above dir are
// made if need be. If several processes open an absent dir at once, all get the same authority.
//
// An issuing certificate with less than 30 days left is renewed if root.key is there. If that does not work and the
// certificate is still good, Open succeeds, and [Authority.RenewalErr] tells.
//
// The errors to expect are [*NameError] for a bad scope, [*DamagedError] for a directory that holds no working
// authority, [*ScopeError] for an authority that was made for fewer names, and those of the file system.
func Open(dir string, scope Scope, options ...Option) (*Authority, error) {
	names, err := scope.canonical()
	if err != nil {
		return nil, err
	}
	a, err := newAuthority(dir, options)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if err := a.open(names, now); err != nil {
		_ = a.Close()
		return nil, err
	}
	return a, nil
}

// OpenExisting loads the authority in dir with everything that it permits, for a command that shows, renews or exports it. It makes and renews
// nothing, and does not mind an authority whose time is over. Without an authority in dir the error is [fs.ErrNotExist]; others are as those
// of [Open].
func OpenExisting(dir string, options ...Option) (*Authority, error) {
	a, err := newAuthority(dir, options)
	if err != nil {
		return nil, err
	}
	if err := a.loadExisting(); err != nil {
		_ = a.Close()
		return nil, err
	}
	return a, nil
}

// newAuthority is an authority that has no certificates yet.
func newAuthority(dir string, options []Option) (*Authority, error) {
	a := &Authority{}
	for _, option := range options {
		if err := option(a); err != nil {
			return nil, err
		}
	}
	var err error
	if a.dir, err = resolveDir(dir); err != nil {
		return nil, fmt.Errorf("opening authority %q: %w", a.dir, err)
	}
	if a.leafKey, a.leafID, err = newLeafKey(); err != nil {
		return nil, err
	}
	a.leaves, err = newLeafCache(maxLeaves)
	return a, err
}

func (a *Authority) open(names []string, now time.Time) error {
	sweep(a.dir)
	empty, err := absent(a.dir)
	if err == nil && empty {
		err = makeParents(a.dir)
	}
	if err == nil && empty {
		err = a.create(names, now)
	}
	if err != nil {
		return fmt.Errorf("opening authority %q: %w", a.dir, err)
	}
	// A new authority is read as well, so that what was written is known to be readable.
	t, err := load(a.dir)
	if err != nil {
		return err
	}
	if err := checkDates(a.dir, t.root, now); err != nil {
		return err
	}
	a.tiers.Store(t)
	a.updateDistributionPoint(now)
	if _, err := a.tiersAt(now); err != nil {
		return err
	}
	return a.setScope(names)
}

func (a *Authority) loadExisting() error {
	empty, err := absent(a.dir)
	if err == nil && empty {
		err = fs.ErrNotExist
	}
	if err != nil {
		return fmt.Errorf("opening authority %q: %w", a.dir, err)
	}
	t, err := load(a.dir)
	if err != nil {
		return err
	}
	a.tiers.Store(t)
	names, err := Scope{Names: t.names()}.canonical()
	if err != nil {
		names = nil // no constraints, or none that ours would make: show it, sign nothing
	}
	a.scope.Store(&activeScope{asked: names, set: newNameSet(names)})
	return nil
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
func (a *Authority) Root() *x509.Certificate { return a.tiers.Load().root }

// RootPEM returns the root certificate, and nothing secret, in the form that trust stores import.
func (a *Authority) RootPEM() []byte {
	return encodeCertificate(a.Root())
}

// RootFile returns the absolute path of the root certificate. The directory is private, so others cannot read it there.
func (a *Authority) RootFile() string { return filepath.Join(a.dir, rootFile) }

// Dir returns the absolute path of the authority's directory, with symbolic links resolved.
func (a *Authority) Dir() string { return a.dir }

// Fingerprint returns the SHA-256 of the root certificate as browsers and "openssl x509 -fingerprint -sha256" show it:
// upper-case hexadecimal with colons.
func (a *Authority) Fingerprint() string {
	return a.tiers.Load().fingerprint()
}

func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// Issuing returns the certificate that signs leaves at the moment. The caller must not modify it.
func (a *Authority) Issuing() *x509.Certificate { return a.tiers.Load().cert }

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
