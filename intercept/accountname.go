package intercept

import (
	"net/url"
	"slices"
	"strings"

	"autodiscover-guard/rules/dialect"
)

// accountName is what may stand for an account in a path, and no record may have: the local parts of the addresses that the exchange is about, and whom the client logs in as.
// The zero accountName hides nothing.
type accountName struct {
	mailboxes dialect.Mailboxes
	login     string // where it is no address
}

func (x *exchange) accountName() accountName {
	if x.p.privacy == PrivacyFull {
		return accountName{}
	}
	subjects := x.plan.Inquiry.Subjects
	n := accountName{mailboxes: dialect.MailboxesOf(subjects)}
	if slices.ContainsFunc(subjects, func(s dialect.Subject) bool { return s.Carrier == dialect.CarrierLogin && s.Address != "" }) {
		return n
	}
	for _, value := range x.plan.Inquiry.Request.Header["Authorization"] {
		if user, _, ok := dialect.BasicUser(value); ok {
			n.login = user[strings.LastIndexByte(user, '\\')+1:]
		}
	}
	return n
}

// redactAll returns the suggestions without the account's name; the same slice, where it is in none.
func (n accountName) redactAll(all []dialect.Suggestion) []dialect.Suggestion {
	own := false
	for i := range min(len(all), maxSuggestions) {
		s := all[i]
		s.Path, s.Was, s.Now = n.redact(s.Path), n.redactURL(s.Was), n.redactURL(s.Now)
		if s.Path == all[i].Path && s.Was == all[i].Was && s.Now == all[i].Now {
			continue
		}
		if !own {
			all, own = slices.Clone(all), true
		}
		all[i] = s
	}
	return all
}

// redactURL is the same for a value that may have a query, which no record has: where the name is, it goes.
func (n accountName) redactURL(value string) string {
	end := strings.IndexAny(value, "?#")
	if end < 0 {
		return n.redact(value)
	}
	if hidden := n.redact(value[:end]); hidden != value[:end] {
		return hidden
	}
	return value
}

// redact is a path, or a URL, without the segments that are the account's name: servers put their users' there (WebDAV's principals), and beside the domain they are the
// address.
func (n accountName) redact(path string) string {
	if n.mailboxes.None() && n.login == "" {
		return path
	}
	for start := 0; start < len(path); {
		end := strings.IndexByte(path[start:], '/')
		if end < 0 {
			end = len(path) - start
		}
		if !n.is(path[start : start+end]) {
			start += end + 1
			continue
		}
		segments := strings.Split(path, "/")
		for i, s := range segments {
			if n.is(s) {
				segments[i] = "…"
			}
		}
		return strings.Join(segments, "/")
	}
	return path
}

// is reports whether a segment of a path is the name, as such, of a directory (~name) or of a file (name.mobileconfig).
func (n accountName) is(segment string) bool {
	if strings.IndexByte(segment, '%') >= 0 {
		if plain, err := url.PathUnescape(segment); err == nil {
			segment = plain
		}
	}
	segment = strings.TrimPrefix(segment, "~")
	dot := strings.LastIndexByte(segment, '.')
	return n.equal(segment) || dot > 0 && n.equal(segment[:dot])
}

func (n accountName) equal(text string) bool {
	return text != "" && (strings.EqualFold(text, n.login) || n.mailboxes.Have(text))
}
