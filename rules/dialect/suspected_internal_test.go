package dialect

import "testing"

// TestSuspect: a host together with a mail protocol or a mail port reads like discovery, wherever the two stand; neither does alone.
func TestSuspect(t *testing.T) {
	for body, want := range map[string]bool{
		"<a><server>x.stranger.net</server><port>993</port></a>":  true,
		"<a><server>x.stranger.net</server><kind>IMAP</kind></a>": true,
		"<a><b>https://x.stranger.net/</b><c>ews</c></a>":         true,
		`<a server="x.stranger.net" port="465"/>`:                 true,
		`{"server":"x.stranger.net","port":993}`:                  true,
		`[{"server":"x.stranger.net"},"pop3"]`:                    true,

		"<a><server>x.stranger.net</server><port>443</port></a>": false,
		"<a><server>x.stranger.net</server></a>":                 false,
		"<a><port>993</port><kind>imap</kind></a>":               false,
		"<a><server>x.stranger.net</server><b>imaps4</b></a>":    false,
		`{"server":"x.stranger.net","port":443}`:                 false,
		`{"port":993,"kind":"imap"}`:                             false,
		"server: x.stranger.net, port: 993":                      false,
	} {
		if got := readsLikeDiscovery(text{data: []byte(body)}); got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
}
