package dialect

import (
	"strconv"
	"strings"
)

// urlFields are response header fields whose value is one URL that a client follows or remembers. X-MS-Location: MS-ASHTTP 2.2.4.1.
var urlFields = [...]string{"Location", "Content-Location", "X-Ms-Location"}

// headerSuggestions lists what the header fields of an answer suggest. AutoDetect repeats the servers of its body in x-debug-support
// (base64 of JSON) and x-feedback-token (a JWT), which is how the incident's answer was found to come from a database row of 2020.
func headerSuggestions(q Inquiry, h Header) (found []Suggestion, about []Subject) {
	for _, name := range urlFields {
		for _, value := range h[name] {
			s, ok := suggestURL(KindRedirect, "header:"+strings.ToLower(name), "", value)
			if !ok && name == "Location" && q.Request.URL != nil { // relative: the asked host once more
				s, ok = Suggestion{Path: "header:location", Kind: KindRedirect, Host: hostName(q.Request.Host()), Was: value}, true
			}
			if ok {
				found = append(found, s)
			}
		}
	}
	for _, value := range h["Refresh"] {
		if _, target, ok := strings.Cut(value, "="); ok {
			if s, ok := suggestURL(KindRedirect, "header:refresh", "", strings.Trim(target, ` '"`)); ok {
				found = append(found, s)
			}
		}
	}
	for _, value := range h["X-Debug-Support"] {
		decoded, err := decodeBase64(strings.TrimSpace(value))
		if err != nil {
			continue
		}
		if x, err := readJSON(decoded); err == nil {
			w := serverWalk{prefix: "header:x-debug-support|base64|", carrier: "header:X-Debug-Support"}
			w.value(x.root, jsonPlace{})
			x.free()
			found, about = append(found, w.found...), append(about, w.about...)
		}
	}
	for _, value := range h["X-Feedback-Token"] {
		s, who := feedbackToken(strings.TrimSpace(value))
		found, about = append(found, s...), append(about, who...)
	}
	return found, about
}

// feedbackToken reads the payload of AutoDetect's feedback token: P holds server URLs, D the account's domain.
func feedbackToken(token string) (found []Suggestion, about []Subject) {
	payload, err := tokenPayload(token)
	if err != nil {
		return nil, nil
	}
	defer payload.free()
	for i, item := range payload.root.member("P").list() {
		path := "header:x-feedback-token|jwt-payload|/P/" + strconv.Itoa(i)
		if s, ok := suggestURL(KindURL, path, "", item.string()); ok {
			found = append(found, s)
		}
	}
	if domain := domainOf(payload.root.member("D").string()); domain != "" {
		about = []Subject{{Domain: domain, Carrier: "header:X-Feedback-Token"}}
	}
	return found, about
}
