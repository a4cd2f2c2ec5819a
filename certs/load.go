package certs

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Reading an authority back. Whatever is not as this package writes it, or as careful hands could have put it there,
// is an error that names the file.

const (
	restore = "restore it from a backup, or remove the directory to have a new authority made, " +
		"whose root every client must then trust"
)

// load reads what is in dir. Dates are not judged here: an old issuing certificate may be renewed, and an old root is still to be shown.
func load(dir string) (*tiers, error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	root, err := loadRoot(dir)
	if err != nil {
		return nil, err
	}
	return loadTiers(dir, root)
}

// loadRoot reads the root certificate and, if it is there, checks the root's key, which is not kept. A root of ours has name constraints;
// one of another CA need not, but its key must not be here then.
func loadRoot(dir string) (*x509.Certificate, error) {
	path := filepath.Join(dir, rootFile)
	text, err := readFile(path, 0o022) // it is public, but nobody else may change it
	if err != nil {
		return nil, asDamaged(path, err)
	}
	root, rest, err := decodeCertificate(text)
	if err == nil {
		err = checkRest(rest)
	}
	if err != nil {
		return nil, &DamagedError{Path: path, Problem: "cannot be read", Remedy: restore, Err: err}
	}
	check := checkCA
	if keyState(dir) != KeyAbsent {
		check = checkAuthority
	}
	err = check(root)
	if err == nil && root.MaxPathLen == 0 && root.MaxPathLenZero {
		err = errors.New("its path length leaves no room for an issuing certificate")
	}
	if err != nil {
		return nil, &DamagedError{Path: path, Problem: "is not fit to be the root", Remedy: restore, Err: err}
	}
	if err := root.CheckSignatureFrom(root); err != nil {
		return nil, &DamagedError{Path: path, Problem: "is not signed by itself", Remedy: restore, Err: err}
	}
	if _, err := loadRootKey(dir, root); err != nil && !unavailable(err) {
		return nil, err
	}
	return root, nil
}

// checkDates refuses a root whose time has not come or is over, under which nothing can be signed.
func checkDates(dir string, root *x509.Certificate, now time.Time) error {
	if !now.Before(root.NotBefore) && !now.After(root.NotAfter) {
		return nil
	}
	return &DamagedError{
		Path: filepath.Join(dir, rootFile),
		Problem: fmt.Sprintf("is valid from %s to %s, and this computer's clock says %s",
			day(root.NotBefore), day(root.NotAfter), day(now)),
		Remedy: "check the clock; if it is right, renew the root, or remove the directory to have a new authority made, " +
			"whose root every client must then trust",
	}
}

// KeyState says where the root's private key is.
type KeyState int

// The states of the root's key. There is no use for the zero value.
const (
	// KeyAbsent is a root key that is not in the authority's directory, so that nothing can be renewed, and nobody can steal it here.
	KeyAbsent KeyState = iota + 1
	// KeyPresent is one that lies in the directory, and that this process may read.
	KeyPresent
	// KeyUnreadable is one that lies in the directory, and belongs to another user.
	KeyUnreadable
)

// String is a word for people and scripts.
func (s KeyState) String() string {
	switch s {
	case KeyAbsent:
		return "absent"
	case KeyPresent:
		return "present"
	case KeyUnreadable:
		return "unreadable"
	}
	return fmt.Sprintf("KeyState(%d)", int(s))
}

func keyState(dir string) KeyState {
	f, err := os.Open(filepath.Join(dir, rootKeyFile))
	if err == nil {
		_ = f.Close()
		return KeyPresent
	}
	if errors.Is(err, fs.ErrNotExist) {
		return KeyAbsent
	}
	return KeyUnreadable
}

// loadRootKey reads the key of the root. That it is not there, or not for this user, is no damage; see unavailable.
func loadRootKey(dir string, root *x509.Certificate) (crypto.Signer, error) {
	path := filepath.Join(dir, rootKeyFile)
	text, err := readFile(path, 0o077)
	if err != nil {
		return nil, err
	}
	key, rest, err := decodeKey(text)
	if err == nil {
		err = checkRest(rest)
	}
	if err != nil {
		return nil, &DamagedError{Path: path, Problem: "cannot be read", Remedy: restore, Err: err}
	}
	if !matches(root, key) {
		return nil, &DamagedError{Path: path, Problem: "is not the key of " + rootFile, Remedy: restore}
	}
	return key, nil
}

// unavailable tells an operator's wish from damage: a root key that was moved away, or given to another user.
func unavailable(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}

// loadTiers reads the issuing certificate, its key and what lies between it and root, and proves that root vouches for it.
func loadTiers(dir string, root *x509.Certificate) (*tiers, error) {
	path := filepath.Join(dir, issuingFile)
	text, err := readFile(path, 0o077)
	if err != nil {
		return nil, asDamaged(path, err)
	}
	t, err := decodeTiers(text, root)
	if err != nil {
		return nil, &DamagedError{Path: path, Problem: "cannot be read", Remedy: restore, Err: err}
	}
	for _, c := range t.all() {
		if err := checkCA(c); err != nil {
			return nil, &DamagedError{Path: path, Problem: "is not fit to sign leaves", Remedy: restore, Err: err}
		}
	}
	if missing := missingChainConstraints(t); missing != nil && !t.consent {
		return nil, &DamagedError{Path: path, Problem: "is not fit to sign leaves", Remedy: restore, Err: missing[0]}
	}
	if !matches(t.cert, t.key) {
		return nil, &DamagedError{
			Path: path, Problem: "has a key that is not the key of its certificate", Remedy: restore,
		}
	}
	if err := t.verify(t.begin()); err != nil {
		return nil, &DamagedError{
			Path: path, Problem: "is not vouched for by " + rootFile, Remedy: restore, Err: err,
		}
	}
	return t, nil
}

// verify asks the standard library whether the root vouches for the issuing certificate at a time.
func (t *tiers) verify(at time.Time) error {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(t.root)
	for _, c := range t.intermediates {
		intermediates.AddCert(c)
	}
	_, err := t.cert.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

// loadFormer reads the roots that this one has succeeded, the latest first. None is usual.
func loadFormer(dir string) ([]*x509.Certificate, error) {
	path := filepath.Join(dir, formerFile)
	text, err := readFile(path, 0o022)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for len(bytes.TrimSpace(text)) != 0 {
		var c *x509.Certificate
		if c, text, err = decodeCertificate(text); err != nil {
			return nil, &DamagedError{Path: path, Problem: "cannot be read", Remedy: "restore it from a backup, or remove it", Err: err}
		}
		all = append(all, c)
	}
	return all, nil
}

// checkDir tells a directory that is private and ours from one that was named by mistake.
func checkDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	ours := false
	for _, name := range []string{rootFile, rootKeyFile, issuingFile} {
		_, err := os.Lstat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrPermission) {
			return unreadableError(dir, dir, err)
		}
		ours = ours || err == nil
	}
	if !ours {
		return &DamagedError{
			Path:    dir,
			Problem: "has files in it, and none of them is an authority's",
			Remedy:  "name a directory that is empty or does not exist",
		}
	}
	return checkMode(dir, info, 0o077)
}

// asDamaged makes a [*DamagedError] of a file that is missing or may not be read, and leaves other errors of the file system as they are.
func asDamaged(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &DamagedError{Path: path, Problem: "is missing", Remedy: restore}
	case errors.Is(err, fs.ErrPermission):
		return unreadableError(path, filepath.Dir(path), err)
	}
	return err
}

// unreadableError is for a file or directory that belongs to another user than this process.
func unreadableError(path, dir string, err error) error {
	return &DamagedError{
		Path: path, Problem: "cannot be read by the user that this process runs as",
		Remedy: fmt.Sprintf("give it to that user, with all that is beside it: chown -R USER %q", dir), Err: err,
	}
}

func matches(cert *x509.Certificate, key crypto.Signer) bool {
	pub, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && pub.Equal(key.Public())
}
