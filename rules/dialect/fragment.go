package dialect

import (
	"fmt"
	"strings"
)

// The pages of Exchange's control panel are fragments that a client appends to EcpUrl as they stand (MS-OXDSCLI 2.2.4.1.1.2, EcpUrl-um and its like; MS-OXWSADISC's UrlFragment): behind
// https://mail.corp.co, m/ecp is at mail.corp.com. Exchange ends the URL in a slash, or begins the fragment with one or a question mark.

// fragments tells of a document whether something could be appended to a host in it. The zero fragments are of one without either.
type fragments struct{ bareURL, continues bool }

var errJoined = fmt.Errorf("%w: a fragment goes on where the host of its URL ends", ErrUnreadable)

// see notes a value of an element or a setting that is called name.
func (f *fragments) see(name, value string) {
	switch {
	case len(name) > len("EcpUrl-") && strings.EqualFold(name[:len("EcpUrl-")], "EcpUrl-"), endsFold(name, "UrlFragment"):
		f.continues = f.continues || value != "" && strings.IndexByte("/?#", value[0]) < 0
	case endsFold(name, "EcpUrl"):
		_, authority, _ := strings.Cut(value, "//")
		f.bareURL = f.bareURL || !strings.ContainsAny(authority, "/?#")
	}
}

func endsFold(s, end string) bool {
	return len(s) >= len(end) && strings.EqualFold(s[len(s)-len(end):], end)
}

// verify says why a document with both cannot be judged by the URL alone.
func (f *fragments) verify() error {
	if f.bareURL && f.continues {
		return errJoined
	}
	return nil
}
