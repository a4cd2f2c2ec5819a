package dialect

import (
	"bytes"
	"regexp"
)

// People and companies have names that read like hosts: Dr.med. Max Schmidt, J.de Boer, Muster GmbH & Co.KG. Answers of own servers have them in display names, which no
// client takes a server from; but no host is to be named there, either. With a space behind the dot they are names to everybody. What has more than two labels, as the
// names of servers have, stays as it is.

// displayNames finds them in documents as [Document.Edit] writes them: elements (of Autoconfig what its pages are called, too: Settings for Outlook.com), SOAP's
// setting, and what a profile says of itself and of its accounts.
var displayNames = regexp.MustCompile(`(?i)<(?:[a-z]+:)?(?:displayname|displayshortname|descr|instruction)(?: [^<>]*)?>([^<>]+)</` +
	`|>userdisplayname</(?:[a-z]+:)?name><(?:[a-z]+:)?value>([^<>]+)</` +
	`|<key>(?:payload(?:displayname|description|organization)|[a-z]+account(?:name|description))</key><string>([^<>]+)</`)

// accountNames are those of a JMAP session (RFC 8620, section 2).
var accountNames = regexp.MustCompile(`"name":"((?:[^"\\]|\\.)+)"`)

// nameWord is a word of a name.
var nameWord = regexp.MustCompile(`[^\s&;,()"'/]+`)

// SpaceOutDisplayNames is a text that [Document.Edit] wrote, with a space behind the dot of each word of two labels in its display names. Names of which stays reports true are
// left as they are. It is nil where nothing changes.
func SpaceOutDisplayNames(id ID, text []byte, stays func(name []byte) bool) []byte {
	names := displayNames
	if id == JMAP {
		names = accountNames
	}
	var out []byte
	kept := 0
	for _, at := range names.FindAllSubmatchIndex(text, -1) {
		for group := 2; group < len(at); group += 2 {
			from, to := at[group], at[group+1]
			if from < 0 || stays(text[from:to]) {
				continue
			}
			if name := nameWord.ReplaceAllFunc(text[from:to], spaceOut); len(name) > to-from {
				out, kept = append(append(out, text[kept:from]...), name...), to
			}
		}
	}
	if kept == 0 {
		return nil
	}
	return append(out, text[kept:]...)
}

func spaceOut(word []byte) []byte {
	labels := bytes.Split(bytes.TrimRight(word, "."), []byte("."))
	if len(labels) != 2 || bytes.IndexByte(word, '@') >= 0 {
		return word
	}
	return bytes.Replace(word, []byte("."), []byte(". "), 1)
}
