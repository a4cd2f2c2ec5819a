package intercept

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"autodiscover-guard/rules/dialect"
)

// Privacy says how much of an account's address a record holds. Passwords and tokens are never in one.
type Privacy uint8

// The kinds of privacy. The zero value is the most private.
const (
	// PrivacyDomain records the mail domain alone.
	PrivacyDomain Privacy = iota
	// PrivacyHash adds a keyed hash of the address: one account can be followed through the log without being known.
	PrivacyHash
	// PrivacyFull adds the address.
	PrivacyFull
)

// leastKey is the shortest key that a hash is made with. A short one could be guessed, and with it every address.
const leastKey = 32

func checkPrivacy(p Privacy, key []byte) error {
	switch {
	case p > PrivacyFull:
		return errors.New("checking Privacy: want PrivacyDomain, PrivacyHash or PrivacyFull")
	case p == PrivacyHash && len(key) < leastKey:
		return fmt.Errorf("checking PrivacyKey: it has %d bytes; want at least %d random ones", len(key), leastKey)
	}
	return nil
}

// accounts are the addresses of a record, as far as the operator wants to see them: each once, at most maxSubjects.
func (p *Plugin) accounts(subjects []dialect.Subject) []string {
	all := []string{}
	if p.privacy == PrivacyDomain {
		return all
	}
	for _, s := range subjects {
		if s.Address == "" || len(all) == maxSubjects {
			continue
		}
		account := clip(address(s))
		if p.privacy == PrivacyHash {
			account = p.pseudonym(s)
		}
		if !slices.Contains(all, account) {
			all = append(all, account)
		}
	}
	return all
}

// pseudonym is the keyed hash (HMAC-SHA256, RFC 2104) of an address; upper and lower case are the same account, and 64 bits tell the accounts of
// one log apart.
func (p *Plugin) pseudonym(s dialect.Subject) string {
	mac := hmac.New(sha256.New, p.privacyKey)
	mac.Write([]byte(strings.ToLower(address(s))))
	return hex.EncodeToString(mac.Sum(nil)[:8]) + "@" + s.Domain
}

// address is the subject's address, and nothing that stands around it where it was found: neither what follows it, nor a URL with a password before the @.
func address(s dialect.Subject) string {
	local := s.LocalPart()
	if !strings.HasPrefix(local, `"`) {
		if _, user, isURL := strings.Cut(local, "://"); isURL {
			local = user
		}
		local, _, _ = strings.Cut(local, ":") // no unquoted local part has one (RFC 5321, section 4.1.2)
	}
	return local + "@" + s.Domain
}
