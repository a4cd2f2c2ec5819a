package reserved

// Nature says what kind of name an entry is, which decides which hosts may be named to its accounts.
type Nature uint8

// The natures. The zero Nature is invalid.
//
// The line between the two is not the word in the source but a question: can somebody's own host rightly live below this name? Below
// example.com, invalid, or an IDN test label none can, nor below the names that only a protocol speaks (eap.arpa is a realm and never
// resolved, ipv4only.arpa and resolver.arpa are asked for one record each, 6tisch.arpa names one role): Documentation. Below test,
// localhost, local, internal, home.arpa, onion, alt, the customary private names, service.arpa (where RFC 9665 registers a site's hosts),
// and the reverse zones of private addresses it can: PrivateUse.
const (
	_ Nature = iota
	// Documentation names stand for nobody. No host may be named for them: block.
	Documentation
	// PrivateUse names mean something on one network or machine only. Their own hosts and private addresses may be named: contain.
	PrivateUse
)

var natureNames = [...]string{"invalid", "documentation", "private-use"}

// String gives "documentation", "private-use", or "invalid".
func (n Nature) String() string {
	if int(n) >= len(natureNames) {
		n = 0
	}
	return natureNames[n]
}
