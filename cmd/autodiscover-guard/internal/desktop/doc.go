// Package desktop points a computer's proxy settings and mail clients at the guard, and takes that back exactly.
//
// A place is one store of settings: GNOME's in dconf, KDE's file, the policy file or a profile of Firefox and Thunderbird, an environment.d
// file, a network service of macOS, WinINET and WinHTTP of Windows. Each is told the address of the guard's proxy auto-configuration (PAC), which
// sends only discovery to it. What can hold no such address, the environment, is asked for by name: it would send everything through the guard.
//
//	system, err := desktop.ThisSystem()
//	d := desktop.New(desktop.Config{State: dir, System: system})
//	results, err := d.On(ctx, desktop.Target{PAC: "http://127.0.0.1:8081/proxy.pac"}, desktop.Options{})
//	…
//	results, err = d.Off(ctx, desktop.Options{})
//
// # How a change is made
//
// Every place is read first. What it holds and what it will hold goes into the journal, one file in the state directory, and the journal is on
// the disk before the first place is touched. Then the places are written one by one, and read back. An entry is intended, then applied, and
// restored in the end.
//
// # How it is taken back
//
// Per key, and by comparison: a key that still holds what was written gets back what it held, "not set" included; a key that already holds that
// is left; anything else is somebody's own later choice, which is left alone and reported, and overwritten only where Options.Force asks for it.
// A file in which nothing else has changed gets back its very bytes, and one that was not there is removed again, with the directories
// made for it. A file that others have changed meanwhile keeps their changes: so the authority's certificate in policies.json and the
// proxy there come and go in any order.
//
// The comparison does not need to know how far an earlier run came, so it is right after a kill at any moment.
//
// # Promises
//
//   - The journal is complete and synchronised before anything changes, private to its owner, and replaced in one step.
//   - After Off, or Recover after a crash, every key holds its previous value and every file its previous bytes, unless somebody changed them.
//   - A place that fails does not keep the others from being put in place or restored, and its entry stays until it is.
//
// # What it does not do
//
// A profile's user.js is copied into prefs.js by Firefox and Thunderbird when they start, and prefs.js is written when they end. Its keys
// can be restored only while the program is closed; until then the entry waits, and says so. dconf's database file is not restored byte for byte,
// its keys are: the file is the database's own business. The places of macOS and Windows are tested against the command lines of their
// documentation, not on those systems.
package desktop
