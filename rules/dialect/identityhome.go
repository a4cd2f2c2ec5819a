package dialect

import (
	"fmt"
	"strings"
)

// Outlook and Outlook Lite ask Office in which of Microsoft's two directories an address is, and are answered in words: OrgId, MSAccount, Both, Neither, OrgId,Placeholder (no published
// specification; as scripts that ask the same read the answers). A word names no host, and yet tells where the password goes.

// accountHomes are the words, in lower case, with the hosts that check the password then.
var accountHomes = map[string][]string{
	"orgid": {"login.microsoftonline.com"}, "msaccount": {"login.live.com"}, "both": {"login.microsoftonline.com", "login.live.com"}, "placeholder": nil, "neither": nil,
}

// readAccountHome reads the words. There is nothing to edit in them.
func readAccountHome(t text) (*Document, error) {
	d := &Document{Plain: true, fixed: true}
	for word := range strings.SplitSeq(string(t.data), ",") {
		word = strings.Trim(word, " \t\r\n\"")
		hosts, known := accountHomes[strings.ToLower(word)]
		if !known {
			return nil, fmt.Errorf("%w: an unknown word", ErrUnreadable)
		}
		for _, host := range hosts {
			d.Suggestions = append(d.Suggestions, Suggestion{Path: "text:", Kind: KindHostname, Host: host, Was: word})
		}
	}
	if len(d.Suggestions) == 0 {
		return d, fmt.Errorf("%w: an account of nobody's", ErrNoSettings)
	}
	return d, nil
}
