package config

import (
	"net/netip"
	"net/url"
	"time"
)

// Notify says who hears of what nobody should have to look for.
type Notify struct {
	// URL is where notifications are posted, empty for nowhere. It may hold a secret in its path or query: show its scheme and host alone.
	URL string
	// SecretFile holds the key that they are signed with; empty means that it is in the environment ([NotifySecretVariable]).
	SecretFile string
	// Quiet is how long the same thing is not told again.
	Quiet time.Duration
}

// NotifySecretVariable is the environment variable with the key for notifications. The key cannot stand in the configuration file, which is read by
// more people and programs than may know it.
const NotifySecretVariable = "AUTODISCOVER_GUARD_NOTIFY_SECRET"

var notifyKeys = []key{
	{
		name: "notify",
		about: "A webhook for what nobody should have to look for in a log: a stranger that was never suggested before, a leak that was not " +
			"stopped because a rule only monitors or a tunnel was not opened, a configuration that was not reloaded, an authority that is about to end.",
	},
	{
		name: "notify.url",
		about: "Where notifications are posted, as JSON, signed (Standard Webhooks). https, or http on this computer. It is dialled directly, not " +
			"through a proxy. Empty means none.",
		sample: "https://hooks.corp.example.net/guard",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Notify.URL },
			want:  "a URL",
			parse: parseHook,
			show:  word,
		},
	},
	{
		name: "notify.secret_file",
		about: "The file with the key that notifications are signed with, one line of at least 24 letters; as private as listen.key. Empty means that the environment variable " +
			NotifySecretVariable + " has it.",
		sample: "hook.secret",
		value:  secretPath(func(c *Config) *string { return &c.Notify.SecretFile }),
	},
	{
		name: "notify.quiet",
		about: "For how long the same thing is not told again; what was left out is counted in the next notification about it. From 1m to 30d. (A stranger " +
			"is new only once.)",
		value: single[time.Duration]{
			at:    func(c *Config) *time.Duration { return &c.Notify.Quiet },
			want:  "a length of time such as 1h or 1d",
			parse: longTime.within(bounds[time.Duration]{time.Minute, 30 * day}),
			show:  showDays,
		},
	},
}

// parseHook reads the address of a webhook. What was read is in no message: such addresses are secrets, often.
func parseHook(text string) (string, *fault) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return "", &fault{text: "not a URL with a scheme and a host", want: "want one such as https://hooks.corp.example.net/guard"}
	case !dialable(u):
		return "", &fault{text: "a port in the URL that there is not", want: "want one from 1 to 65535"}
	case u.User != nil:
		return "", &fault{text: "a user or a password in the URL", want: "leave it out: notifications are signed, with the key of notify.secret_file"}
	case u.Fragment != "":
		return "", &fault{text: "a fragment in the URL, which is never sent", want: "leave out # and what follows"}
	case u.Scheme == "http" && !onThisComputer(u.Hostname()):
		return "", &fault{text: "http to another computer, where anybody on the way reads it", want: "want https"}
	}
	return text, nil
}

func onThisComputer(host string) bool {
	addr, _ := netip.ParseAddr(host)
	return host == "localhost" || addr.IsLoopback()
}
