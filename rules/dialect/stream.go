package dialect

import (
	"slices"
	"strings"
)

// streamTypes are the media types of answers that go on for as long as somebody listens, and whose header comes long before the first event: server-sent events
// (HTML, section 9.2; JMAP has them, RFC 8620, section 7.3) and MAPI over HTTP (MS-OXCMAPIHTTP: PROCESSING at once, PENDING as long as it takes).
var streamTypes = [...]string{"text/event-stream", "application/mapi-http"}

// OpensPage reports whether a browser opens a page for a person: only it can say so (Fetch Metadata, section 2.2; Upgrade Insecure Requests, section 3.2.1, which
// is said in the clear, too).
func OpensPage(r Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" || r.Header.Get("Upgrade-Insecure-Requests") == "1"
}

// IsNotificationStream reports whether a request asks for notifications in a protocol that has a type of its own for them, and h is the header of such an answer. The
// answer's word alone is worth nothing; but no client that looks for settings says that it is waiting for events.
func IsNotificationStream(r Request, h Header) bool {
	if len(h["Content-Type"]) != 1 {
		return false
	}
	says, _ := parseMediaType(h.Get("Content-Type"))
	if !slices.Contains(streamTypes[:], says) {
		return false
	}
	if asks, _ := parseMediaType(r.Header.Get("Content-Type")); asks == says {
		return true
	}
	for _, accepts := range r.Header["Accept"] {
		for one := range strings.SplitSeq(accepts, ",") {
			if asks, _ := parseMediaType(one); asks == says {
				return true
			}
		}
	}
	return false
}
