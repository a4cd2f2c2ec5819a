// Package companion writes what goes along with a guard onto other programs: the PAC file that sends a client's discovery to it, pieces for
// managed fleets, and pieces for what no HTTP proxy sees (SRV and MX look-ups, guessed host names, connections to mail ports).
//
// Everything but the alerts is made from the policy in force, so that it cannot say another thing than the guard does. Nothing here reads or writes files, and
// nothing here ever sees a private key: a root certificate is all that is known of the authority.
//
// Each piece is a text that its program checks by itself (dnsmasq --test, unbound-checkconf, named-checkzone, nft -c, promtool, systemd-analyze
// verify, Thunderbird's own schema, plutil); the tests run them. Outlook's registry file is the exception: no program for it exists outside
// Windows.
package companion
