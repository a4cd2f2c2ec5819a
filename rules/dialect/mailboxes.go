package dialect

import (
	"slices"
	"strings"
)

// Mailboxes are the local parts of subjects' addresses, to ask whether a word is one of them: in any case, and without the quotes that it may have
// in the address. The zero Mailboxes are none. A question may be about as many accounts as fit, and an answer may have as many words.
type Mailboxes struct {
	few  []Subject
	many map[string]struct{} // in lower case
}

// fewMailboxes are compared one by one, which costs no memory. Nearly all exchanges have one or two.
const fewMailboxes = 16

// MailboxesOf are those of the subjects, which must not change as long as they are asked for.
func MailboxesOf(subjects []Subject) Mailboxes {
	if len(subjects) <= fewMailboxes {
		return Mailboxes{few: subjects}
	}
	m := Mailboxes{many: make(map[string]struct{}, len(subjects))}
	for _, s := range subjects {
		m.many[strings.ToLower(s.mailbox())] = struct{}{}
	}
	return m
}

// None reports whether there is not one.
func (m Mailboxes) None() bool { return len(m.few) == 0 && len(m.many) == 0 }

// Have reports whether a word is one of them. The empty word is not.
func (m Mailboxes) Have(word string) bool {
	if word == "" {
		return false
	}
	if m.many != nil {
		_, ok := m.many[strings.ToLower(word)]
		return ok
	}
	return slices.ContainsFunc(m.few, func(s Subject) bool { return strings.EqualFold(s.mailbox(), word) })
}

func (s Subject) mailbox() string { return strings.Trim(s.LocalPart(), `"`) }
