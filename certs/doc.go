// Package certs keeps the guard's certificate authority and mints a leaf for each host that the guard opens.
//
// It is for the one machine, or the few replicas, that read discovery inside TLS. It is not a general CA: it revokes
// nothing, takes no requests, has no names of its own choosing, and it logs nothing and carries no traffic.
//
//	authority, err := certs.Open(dir, certs.Scope{Names: []string{"example.com"}})
//	…
//	leaf, err := authority.Leaf("autodiscover.example.com")
//
// # The two tiers
//
// A root is what people trust, once, by hand, on every client. It signs only issuing certificates, which live for
// 90 days and sign the leaves, which live for 14. So root.key may be taken off the machine: everything works until
// the issuing certificate ends, and putting the key back for one moment is enough to go on for another 90 days.
//
//	root.pem      the root certificate, nothing secret
//	root.key      its private key, needed only to renew and to widen
//	issuing.pem   the issuing certificate, its private key and what is sent along with it, in one file so that renewing is one rename
//	former.pem    roots that this one has followed; only where there are such
//
// [Authority.Status] warns 60, 30 and 7 days before the end of what cannot be renewed. [Authority.Refresh], hourly, renews what can.
// What root writes into the directory of another user, a service, is that user's.
//
// # A root that follows another
//
// Constraints cannot grow within a certificate, so more names ([Authority.Widen]) take another root. The former one vouches for it, and
// both have one key: a client that trusts either is not cut off, and one that trusts both need not choose. A key that was stolen is another
// matter: there a new authority is what is wanted, and that its clients have to be visited.
//
// # Other authorities
//
// [Import] takes an intermediate of another CA, if it is bound to names as ours are, or by an operator's explicit word. [Authority.Replica] is what
// machines need that answer behind one address: they share an issuing certificate, and only one of them, or none, has the root's key.
//
// # Promises
//
//   - Both certificates carry critical name constraints (RFC 5280, section 4.2.1.10) with just the scope's names and
//     no IP address at all. Whoever steals a key opens no bank with it: the client refuses, not only this code.
//   - Keys come from crypto/rand, are in files that nobody else can read from their first byte on, and are never
//     half-written: a new authority appears by one rename, and so does a renewed issuing certificate.
//   - An authority that cannot be read is an error that names the file and the cure. It is never replaced silently,
//     because then every client would have to trust a new root and nobody would know why.
//
// # What it does not do
//
// It does not ask a public suffix list: a scope of "com" is taken at its word, so whoever makes the scope must not
// write one. It does not constrain names other than DNS names and IP addresses; see issue.go for why. On Windows the
// files inherit the access list of the directory above, as mode bits mean nothing there.
package certs
