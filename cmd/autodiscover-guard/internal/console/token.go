package console

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
)

const (
	// shortestToken keeps out what people make up; longestToken is what a sign-in form is read for.
	shortestToken = 32
	longestToken  = 512
)

// Token opens everything that the console has. Of its text only a digest is kept. The zero Token is nobody's.
type Token struct{ digest [sha256.Size]byte }

// ParseToken reads a token as it stands in a file: one line, with or without an end. The error does not contain it.
func ParseToken(text []byte) (Token, error) {
	text = bytes.TrimSpace(text)
	switch {
	case bytes.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return Token{}, errors.New("want one line of printable ASCII without spaces: openssl rand -hex 32 makes one")
	case len(text) < shortestToken || len(text) > longestToken:
		return Token{}, fmt.Errorf("%d characters, want %d to %d: openssl rand -hex 32 makes one", len(text), shortestToken, longestToken)
	}
	return Token{sha256.Sum256(text)}, nil
}

// String implements fmt.Stringer, so that not even the digest is printed by mistake.
func (Token) String() string { return "token" }

// GoString implements fmt.GoStringer for the same reason.
func (Token) GoString() string { return "token" }

// is reports whether a text is the token. How long it takes tells nothing, as digests are compared, and those in constant time.
func (t Token) is(text string) bool {
	digest := sha256.Sum256([]byte(text))
	return t != Token{} && subtle.ConstantTimeCompare(digest[:], t.digest[:]) == 1
}
