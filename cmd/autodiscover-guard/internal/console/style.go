package console

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
)

// base.css is what all pages look like.
//
//go:embed base.css
var baseCSS string

// contentPolicy is the content security policy of a page that consists of itself alone: one style sheet and at most one script stand in it and are
// named by their digests, so that nothing that gets into the page from outside could look like a part of it or run. Empty is none. A page with a form
// sends it to us alone.
func contentPolicy(style, script string, form bool) string {
	policy := "default-src 'none'; style-src " + digest(style) + "; base-uri 'none'; frame-ancestors 'none'"
	if form {
		policy += "; form-action 'self'"
	} else {
		policy += "; form-action 'none'"
	}
	if script == "" {
		return policy
	}
	return policy + "; script-src " + digest(script) + "; connect-src 'self'"
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
