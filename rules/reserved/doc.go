// Package reserved knows which domain names are set aside, by whom, and what follows for a mail account that uses one.
//
// Nobody can own a mailbox at example.com, and a mailbox at lab.test exists on one private network only. A server that a discovery
// service suggests for such an account therefore belongs to somebody else, and whoever follows the suggestion hands a password to a
// stranger. The package answers whether a name is of that kind. It does not decide what happens then (package rules does), does not
// split mail addresses, and does not validate host names.
//
//	entry, ok := reserved.Default().Match("mail.eu.example.com")
//	// ok, entry.Name "example.com", entry.Nature Documentation, entry.Citation "RFC 6761, section 6.5"
//
// # Sets
//
// The names come in sets that an operator switches by name; [Sets] lists them. What the IETF and ICANN set aside for everybody is on
// by default. Names that are merely customary inside private networks, and real domains that vendors own for their manuals, are off.
// A name stands in one set only, with one citation. Address literals (user@[192.0.2.1]) belong to the set "ietf" and have a table and a
// question of their own, [MatchAddr], so that a host that is asked for by its private address is not mistaken for a reserved name;
// [Set.MatchSubject] asks both questions of a mail domain.
//
// # How a name is compared
//
// [Canonical] gives the one spelling in which names are compared: percent-decoded, without brackets and port, mapped by UTS #46 (full
// width letters, ideographic dots, invisible characters), lower case, A-labels, no trailing dots. [Set.Match] accepts any spelling. A name
// matches an entry if it is that entry or stands below it, label by label: notexample.com and example.com.evil.net are not reserved.
// The longest entry wins.
//
// What IDNA refuses is read leniently instead of being left alone, so that a name which some client might read as reserved is reserved.
//
// # Promises
//
//   - Canonical is idempotent, and does not allocate for a name that is already canonical.
//   - Match gives one answer for all spellings of a name, and does not allocate for a plain ASCII name, whatever its case.
//   - The work is linear in the length of the input, apart from IDNA, which is applied to at most 1024 bytes.
//   - A nil or zero [Set] is [Default], never an empty one.
//   - No I/O, no clock, no log; everything is safe for concurrent use.
//
// The sources are the IANA registry "Special-Use Domain Names", the RFCs that its rows cite, resolutions of the ICANN board, and IANA's
// page of reserved domains. Reverse zones of documentation addresses are in none of them and so are not here.
package reserved
