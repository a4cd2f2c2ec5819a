package doctor

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
)

// The domains of made-up accounts. Below .arpa nobody but the Internet Architecture Board delegates names (RFC 3172), so that a random one
// is nobody's, and no set of reserved names has it.
const (
	documentation = "example.com"
	privateUse    = ".test"
	unguarded     = ".arpa"
)

// identity is who asks: made up anew for every run.
type identity struct {
	// local is the local part of every account's address, and the first label of the made-up domains.
	local string
	// password is nobody's. It must come out nowhere.
	password string
}

func newIdentity() identity {
	return identity{local: "doctor-" + random(8), password: "no-real-password-" + random(16)}
}

// random is so many random bytes in hexadecimal digits.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand: it never fails
	return hex.EncodeToString(b)
}

// account is one made-up account.
type account struct {
	identity
	domain string
}

func (a account) address() string { return a.local + "@" + a.domain }

// basic is the value of Authorization with which clients send the password (RFC 7617).
func (a account) basic() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.address()+":"+a.password))
}

// fill puts the account into a template of a question.
func (a account) fill(template string) string {
	return strings.NewReplacer("{domain}", a.domain, "{address}", a.address(), "{query}", url.QueryEscape(a.address())).Replace(template)
}

// passwordForms are the forms in which the password would stand in a text: plain, and within the Basic credentials of any of the accounts.
func (i identity) passwordForms(accounts []account) []string {
	all := []string{i.password}
	for _, a := range accounts {
		all = append(all, strings.TrimRight(strings.TrimPrefix(a.basic(), "Basic "), "="))
	}
	return all
}
