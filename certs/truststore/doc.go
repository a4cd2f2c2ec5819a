// Package truststore puts one root certificate into the trust stores of a computer, proves that it is there, and takes it out again.
//
// It is for the root of an authority that one user or one administrator wants this computer's clients to believe. It makes no certificates
// and removes none but that one.
//
//	stores, err := truststore.New(truststore.Config{Root: root, RootFile: file, Journal: dir, Home: home})
//	…
//	for _, report := range stores.Install(ctx, truststore.Names()...) { … }
//
// # Stores and places
//
// A store is a kind: [System] (the operating system's, for everybody), [User] (the keychain or the store of one user, on macOS and Windows),
// [NSS] (databases of Firefox, Thunderbird, Chromium and what else uses NSS), [Policies] (enterprise policies of Firefox and Thunderbird)
// and [Java] (keystores of Java runtimes). Each has places, such as the profiles of Thunderbird, and every place gets a [Report]
// of its own: what was done, how it was verified, how to undo it by hand.
//
// # Promises
//
//   - Idempotent: what is there already is left as it is, and reported so.
//   - Verified, not assumed: after a change the certificate is read back from the store and its SHA-256 is compared. What was written and
//     cannot be found again, or is not trusted there, is a failure, and the files are put back.
//   - Undone to the byte: of each file that a change touches, the journal keeps what was overwritten. Where nobody has changed the file since,
//     taking the certificate out puts those bytes back, and the report says that the result is exact. Otherwise only the
//     certificate is taken out, by the store's own program, and the report says that.
//   - Foreign content is never overwritten: a policies file is edited by inserting, and one that cannot be read is refused.
//   - Nothing is asked: programs run without input and with a time limit. What needs the administrator, or a password, is reported
//     with the command for it.
//
// The journal knows of an installation before it begins: of one that a kill has ended, the certificate is taken out, and what was made for it.
//
// The journal keeps only the blocks that were overwritten, not copies: a profile's key database protects saved passwords, and a copy of
// it must not lie elsewhere.
//
// # What it does not do
//
// It makes no NSS database where there is none: the programs make theirs at their first start. It does not reach policies
// of Flatpak packages, whose profiles it does reach. Databases of the old format (cert8.db, Firefox before 58) are left alone.
// The commands for Fedora, RHEL, Arch, SUSE, macOS and Windows are tested against recorded command lines only.
package truststore
