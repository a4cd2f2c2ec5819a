package passwords

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// hash is what is kept of a password.
type hash interface {
	// matches takes equally long for every password.
	matches(password string) bool
}

const wantHash = "want bcrypt ($2y$…, as htpasswd -B writes it) or argon2id ($argon2id$…)"

func parseHash(text string) (hash, error) {
	switch {
	case strings.HasPrefix(text, "$2"):
		cost, err := bcrypt.Cost([]byte(text))
		switch {
		case err != nil || len(text) != 60:
			return nil, errors.New("the bcrypt hash is damaged; " + wantHash)
		case cost < 10 || cost > 16:
			return nil, fmt.Errorf("the bcrypt hash has cost %d; want 10 to 16, such as htpasswd -B -C 12 writes", cost)
		}
		return bcryptHash(text), nil
	case strings.HasPrefix(text, "$argon2id$"):
		return parseArgon2(text)
	}
	return nil, errors.New("no hash that resists guessing; " + wantHash)
}

type bcryptHash string

// matches computes the hash also where bcrypt would not read the whole password: an answer at once would tell that the name is there.
func (h bcryptHash) matches(password string) bool {
	return bcrypt.CompareHashAndPassword([]byte(h), []byte(password)) == nil && len(password) <= 72
}

// argon2Hash is argon2id (RFC 9106) in the form of its reference implementation: $argon2id$v=19$m=65536,t=3,p=1$salt$key.
type argon2Hash struct {
	memory, time uint32 // KiB, passes
	lanes        uint8
	salt, key    []byte
}

func parseArgon2(text string) (hash, error) {
	bad := errors.New("the argon2id hash is damaged; " + wantHash)
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[2] != "v=19" {
		return nil, bad
	}
	var h argon2Hash
	for p := range strings.SplitSeq(parts[3], ",") {
		name, value, _ := strings.Cut(p, "=")
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return nil, bad
		}
		switch name {
		case "m":
			h.memory = uint32(n)
		case "t":
			h.time = uint32(n)
		case "p":
			h.lanes = uint8(min(n, 255))
		default:
			return nil, bad
		}
	}
	// RFC 9106, section 4 recommends 64 MiB; OWASP's least is 7 MiB. What is above would let one log-in take the computer.
	if h.memory < 7<<10 || h.memory > 256<<10 || h.time < 1 || h.time > 16 || h.lanes < 1 || h.lanes > 16 {
		return nil, fmt.Errorf("the argon2id hash has m=%d,t=%d,p=%d; want m from 7168 to 262144, t and p from 1 to 16", h.memory, h.time, h.lanes)
	}
	var err, err2 error
	h.salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	h.key, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || err2 != nil || len(h.salt) < 8 || len(h.key) < 16 || len(h.key) > 64 {
		return nil, bad
	}
	return h, nil
}

func (h argon2Hash) matches(password string) bool {
	got := argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.lanes, uint32(len(h.key))) //nolint:gosec // parseArgon2: 64 at most
	return subtle.ConstantTimeCompare(got, h.key) == 1
}
