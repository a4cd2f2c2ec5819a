package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"autodiscover-guard/certs/durable"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/intercept"
)

// privacies are the words of log.privacy.
var privacies = map[string]intercept.Privacy{"domain": intercept.PrivacyDomain, "hash": intercept.PrivacyHash, "full": intercept.PrivacyFull}

// keyBytes is the length of the key for hashed accounts: that of the hash (RFC 2104, section 3).
const keyBytes = 32

// privacyKey reads the installation's key for hashed accounts, and makes it at first use. Whoever has the key can test guesses of addresses,
// so it is its owner's alone; without it, the hashes of old records say nothing any more.
func (s *stateDir) privacyKey() ([]byte, error) {
	key, err := readPrivacyKey(s.path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, keyBytes)
	_, _ = rand.Read(key) // never fails since Go 1.24
	if err := durable.Replace(privacyKeyFile(s.path), key); err != nil {
		return nil, fmt.Errorf("log.privacy: %w", err)
	}
	return key, nil
}

// readPrivacyKey reads it from a state directory; where there is none, the error is fs.ErrNotExist.
func readPrivacyKey(state string) ([]byte, error) {
	file := privacyKeyFile(state)
	key, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("log.privacy: %w", err)
	}
	if len(key) != keyBytes {
		return nil, hint(fmt.Errorf("log.privacy: %q has %d bytes, not %d", file, len(key), keyBytes), "restore it from a backup, or remove it to have a new one made: accounts then get new hashes")
	}
	return key, nil
}

// wouldBePrivacyKey is the key that a start would have, and makes none: where there is none yet it is of zeros, and nil where accounts are not hashed.
func wouldBePrivacyKey(c *config.Config, state string) ([]byte, error) {
	if c.Log.Privacy != "hash" {
		return nil, nil
	}
	key, err := readPrivacyKey(state)
	if errors.Is(err, fs.ErrNotExist) {
		return make([]byte, keyBytes), nil
	}
	return key, err
}

func privacyKeyFile(state string) string { return filepath.Join(state, "privacy.key") }
