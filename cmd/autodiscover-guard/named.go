package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"

	"autodiscover-guard/cmd/autodiscover-guard/internal/namedpipe"
	"autodiscover-guard/cmd/autodiscover-guard/internal/secretfile"
)

// maxNamed is far above any file that a person or a configuration names, and keeps a wrong path such as a device from being read for ever.
const maxNamed = 16 << 20

// readWhole reads a file, or whatever else a path leads to, such as a pipe of the shell.
func readWhole(file string) ([]byte, error) {
	f, err := namedpipe.Open(file)
	if err != nil {
		return nil, err
	}
	return readAll(f)
}

// readAll reads what is open, and closes it.
func readAll(f *os.File) ([]byte, error) {
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxNamed+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxNamed {
		return nil, fmt.Errorf("%s is larger than %d MiB: is it the right file?", f.Name(), maxNamed>>20)
	}
	return text, nil
}

// readNamed reads a file that a key of the configuration names.
func readNamed(key, file string) ([]byte, error) {
	text, err := readWhole(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return text, nil
}

// readPEM reads a file of certificates.
func readPEM(key, file string) ([]byte, error) {
	text, err := readNamed(key, file)
	if err != nil {
		return nil, err
	}
	return text, checkPEM(key, file, text)
}

// checkPEM refuses certificates that are not whole. Readers of PEM pass over what they cannot read, without a word: the end of a file that is still being written, the
// first certificate behind a byte order mark, two between which a line break is missing.
func checkPEM(key, file string, text []byte) error {
	said, read := bytes.Count(text, []byte("-----BEGIN CERTIFICATE-----")), 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			read++
		}
	}
	if read < said {
		return fmt.Errorf("%s: %s: %d of %d certificates cannot be read: is it still being written, or a line break missing before one?", key, file, said-read, said)
	}
	return nil
}

// addCertificates adds those of a PEM file.
func addCertificates(pool *x509.CertPool, key, file string) error {
	text, err := readPEM(key, file)
	if err != nil {
		return err
	}
	if !pool.AppendCertsFromPEM(text) {
		return fmt.Errorf("%s: no certificate in %q: want PEM, -----BEGIN CERTIFICATE-----", key, file)
	}
	return nil
}

// readPrivate reads a file with a secret, as secretfile allows it.
func readPrivate(key, file string) ([]byte, error) {
	f, err := secretfile.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	text, err := readAll(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return text, nil
}
