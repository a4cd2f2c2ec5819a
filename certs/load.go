package certs

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
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
	certificateBlock = "CERTIFICATE"
	keyBlock         = "PRIVATE KEY" // PKCS #8 (RFC 7468, section 10)

	restore = "restore it from a backup, or remove the directory to have a new authority made, " +
		"whose root every client must then trust"
)

// loadRoot reads the root certificate and, if it is there, checks the root's key, which is not kept.
func loadRoot(dir string, now time.Time) (*x509.Certificate, error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, rootFile)
	text, err := readFile(path, 0o022) // it is public, but nobody else may change it
	if err != nil {
		return nil, missing(path, err)
	}
	root, rest, err := decodeCertificate(text)
	if err == nil {
		err = checkRest(rest)
	}
	if err != nil {
		return nil, &DamagedError{Path: path, Problem: "cannot be read", Remedy: restore, Err: err}
	}
	err = checkAuthority(root)
	if err == nil && root.MaxPathLen == 0 {
		err = errors.New("its path length leaves no room for an issuing certificate")
	}
	if err != nil {
		return nil, &DamagedError{Path: path, Problem: "is not fit to be the root", Remedy: restore, Err: err}
	}
	if err := root.CheckSignatureFrom(root); err != nil {
		return nil, &DamagedError{Path: path, Problem: "is not signed by itself", Remedy: restore, Err: err}
	}
	if !(&issuer{cert: root}).validAt(now) {
		return nil, &DamagedError{
			Path: path,
			Problem: fmt.Sprintf("is valid from %s to %s, and this computer's clock says %s",
				day(root.NotBefore), day(root.NotAfter), day(now)),
			Remedy: "check the clock; if it is right, remove the directory to have a new authority made, " +
				"whose root every client must then trust",
		}
	}
	if _, err := loadRootKey(dir, root); err != nil && !unavailable(err) {
		return nil, err
	}
	return root, nil
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

// loadIssuer reads the issuing certificate and its key, and proves that root vouches for it. Its dates are not judged
// here: an old one may be renewed.
func loadIssuer(dir string, root *x509.Certificate) (*issuer, error) {
	path := filepath.Join(dir, issuingFile)
	text, err := readFile(path, 0o077)
	if err != nil {
		return nil, missing(path, err)
	}
	iss, err := decodeIssuer(text)
	if err != nil {
		return nil, &DamagedError{Path: path, Problem: "cannot be read", Remedy: restore, Err: err}
	}
	if err := checkAuthority(iss.cert); err != nil {
		return nil, &DamagedError{Path: path, Problem: "is not fit to sign leaves", Remedy: restore, Err: err}
	}
	if !matches(iss.cert, iss.key) {
		return nil, &DamagedError{
			Path: path, Problem: "has a key that is not the key of its certificate", Remedy: restore,
		}
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	_, err = iss.cert.Verify(x509.VerifyOptions{
		Roots:       roots,
		CurrentTime: latest(iss.cert.NotBefore, root.NotBefore),
		KeyUsages:   []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return nil, &DamagedError{
			Path: path, Problem: "is not vouched for by " + rootFile, Remedy: restore, Err: err,
		}
	}
	return iss, nil
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

// missing makes a lost file damage, and leaves other errors of the file system as they are.
func missing(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &DamagedError{Path: path, Problem: "is missing", Remedy: restore}
	}
	return err
}

func matches(cert *x509.Certificate, key crypto.Signer) bool {
	pub, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && pub.Equal(key.Public())
}

func encodeCertificate(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: cert.Raw})
}

func encodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der}), nil
}

// encodeIssuer puts the key first, as OpenSSL's tools do, and the certificate behind it.
func encodeIssuer(iss *issuer) ([]byte, error) {
	text, err := encodeKey(iss.key)
	if err != nil {
		return nil, err
	}
	return append(text, encodeCertificate(iss.cert)...), nil
}

func decodeIssuer(text []byte) (*issuer, error) {
	key, rest, err := decodeKey(text)
	if err != nil {
		return nil, err
	}
	cert, rest, err := decodeCertificate(rest)
	if err != nil {
		return nil, err
	}
	return &issuer{cert: cert, key: key}, checkRest(rest)
}

func decodeCertificate(text []byte) (*x509.Certificate, []byte, error) {
	der, rest, err := decodeBlock(text, certificateBlock)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, rest, err
}

func decodeKey(text []byte) (crypto.Signer, []byte, error) {
	der, rest, err := decodeBlock(text, keyBlock)
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("a %T cannot sign", key)
	}
	return signer, rest, nil
}

func decodeBlock(text []byte, kind string) (der, rest []byte, err error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, nil, fmt.Errorf("there is no %q block where one belongs", kind)
	}
	if block.Type != kind {
		return nil, nil, fmt.Errorf("there is a %q block where a %q one belongs", block.Type, kind)
	}
	return block.Bytes, rest, nil
}

func checkRest(rest []byte) error {
	if len(bytes.TrimSpace(rest)) != 0 {
		return errors.New("there is more in it than belongs there")
	}
	return nil
}
