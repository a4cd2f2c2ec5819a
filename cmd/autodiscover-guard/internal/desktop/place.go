package desktop

import (
	"context"
	"maps"
)

// ID says which place an entry of the journal is about.
type ID struct {
	// Name is the family that a user selects by: gnome, kde, firefox, thunderbird, environment, macos, wininet, winhttp.
	Name string `json:"name"`
	// Kind says how it is written.
	Kind string `json:"kind"`
	// Where is the file, the schema, the registry key or the network service.
	Where string `json:"where"`
}

// The kinds of places.
const (
	kindGnome       = "gsettings"
	kindKDE         = "kioslaverc"
	kindEnvironment = "environment.d"
	kindPolicies    = "policies.json"
	kindUserJS      = "user.js"
	kindPrefsJS     = "prefs.js"
	kindMacOS       = "networksetup"
	kindWinINET     = "wininet"
	kindWinHTTP     = "winhttp"
)

// Target is what the places point at.
type Target struct {
	// PAC is the URL of the proxy auto-configuration.
	PAC string `json:"pac"`
	// Proxy is the guard's own URL, http or https, host and port, for the environment, which knows no PAC.
	Proxy string `json:"proxy,omitempty"`
}

// place is one store of settings. Reading and planning change nothing.
type place interface {
	id() ID
	// absent says why the place cannot be used here; it is empty where it can.
	absent(ctx context.Context) string
	// wanted is what the keys hold when they point at the target.
	wanted(t Target) Values
	read(ctx context.Context) (Snapshot, error)
	// plan is what the place holds once these keys do. Keys that are not named stay.
	plan(ctx context.Context, now Snapshot, values Values) (Snapshot, error)
	// write makes it so. A kill in the middle leaves each key as it was or as it is to be.
	write(ctx context.Context, now, then Snapshot) error
}

// displacer is a place that can tell that it pointed at another proxy before.
type displacer interface {
	// displaced names that other proxy; it is empty where there was none.
	displaced(before Values) string
}

// effectChecker is a place that can tell whether programs act on what it holds.
type effectChecker interface {
	// ignoredBy says which programs do not act on it, and what helps; it is empty where they do, or nobody knows. The PAC has to be served.
	ignoredBy(ctx context.Context, pac string) string
}

// alwaysInPAC is sent to the guard by every PAC: a back-off host, which is refused whatever the policy.
const alwaysInPAC = "https://autodiscover.com/"

// follower is a place that a program fills by itself from another one: nothing is written to put it in place, but it has to be restored.
type follower interface {
	follows() bool
	// busy says why it cannot be restored at the moment; it is empty where it can.
	busy() string
}

// follows reports whether a place is one that fills by itself.
func follows(p place) bool {
	f, ok := p.(follower)
	return ok && f.follows()
}

// busy says why a place has to wait.
func busy(p place) string {
	if f, ok := p.(follower); ok {
		return f.busy()
	}
	return ""
}

// overlay is a plan for places that are keys and nothing else.
func overlay(now Snapshot, values Values) Snapshot {
	then := Snapshot{Values: Values{}, Unset: now.Unset}
	maps.Copy(then.Values, now.Values)
	maps.Copy(then.Values, values)
	return then
}
