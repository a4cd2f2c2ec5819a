package companion

import (
	"bytes"
	"crypto/x509"
	_ "embed"
	"net/netip"
	"slices"
	"time"

	"autodiscover-guard/rules"
)

//go:embed alerts.yaml
var alerts []byte

// Facts are what pieces are made of. Not every piece needs all of them, see [Piece.Needs].
type Facts struct {
	Policy *rules.Policy
	// At is the time for which the policy's rules are asked.
	At time.Time
	// Proxy is where clients reach the guard, and PACURL where they get the PAC file.
	Proxy  Proxy
	PACURL string
	// Root is the root certificate.
	Root *x509.Certificate
	// Clients are the test clients' addresses; where there is none beyond this computer, its own programs are meant.
	Clients []netip.Prefix
	// Servers are addresses that mail may go to beside private ones.
	Servers []netip.Prefix
}

// Need is something that a piece cannot be made without. The zero Need is nothing.
type Need uint8

// The needs; a piece may have several of them.
const (
	// NeedProxy is an address of the proxy that clients can use.
	NeedProxy Need = 1 << iota
	// NeedPACURL is a place of the PAC file that clients can use.
	NeedPACURL
	// NeedRoot is the root certificate.
	NeedRoot
)

// Piece is one kind of text that goes along with a guard.
type Piece struct {
	// Name is how a command calls it, and About what it is for.
	Name, About string
	// Where says where the text goes, in a sentence for a person.
	Where string
	// Check is a command that validates the text, in words; empty where no program does.
	Check string
	Needs Need
	Write func(Facts) []byte
}

// Has reports whether the piece needs n.
func (p Piece) Has(n Need) bool { return p.Needs&n != 0 }

// Pieces lists all, sorted by name.
func Pieces() []Piece {
	return []Piece{
		{
			"apple", "configuration profile: the root certificate, and the proxy for macOS and supervised iOS devices",
			"Hand it out by an MDM, or open it on the device.", "plutil -lint", NeedPACURL | NeedRoot,
			func(f Facts) []byte { return Profile(f.Root, f.PACURL, f.Proxy.Open) },
		},
		{
			"bind", "response policy zone for BIND, Knot Resolver or PowerDNS: look-ups that no HTTP proxy sees",
			"Save it as the file of a zone that response-policy names.", "named-checkzone rpz.autodiscover-guard FILE", 0, responsePolicyZone,
		},
		{
			"dnsmasq", "the same look-ups, for dnsmasq", "Save it below /etc/dnsmasq.d and restart dnsmasq.", "dnsmasq --test --conf-file=FILE", 0, dnsmasq,
		},
		{
			"nftables", "no mail connections of test clients to strangers: guessed servers that no HTTP proxy sees",
			"Load it with nft -f on the gateway, or on the test computer.", "nft -c -f FILE", 0, nftables,
		},
		{
			"outlook", "registry file for Outlook and the system's proxy on Windows",
			"Import it with reg import, or take the values into a group policy.", "", NeedPACURL, outlook,
		},
		{
			"pac", "the PAC file, for a web server of yours: clients then find it while the guard is down",
			"Serve it as " + PACMediaType + ", for WPAD as http://wpad/wpad.dat.", "pactester -p FILE -u URL", NeedProxy,
			func(f Facts) []byte { return PAC(f.Policy, f.Proxy) },
		},
		{
			"prometheus", "alerts about the guard, for Prometheus", "Save it where rule_files looks, and reload Prometheus.", "promtool check rules FILE", 0,
			func(Facts) []byte { return bytes.Clone(alerts) },
		},
		{
			"systemd", "drop-in that sends a service's discovery (a webmail's, a test's) through the guard by its environment",
			"Save it as /etc/systemd/system/NAME.service.d/autodiscover-guard.conf and restart the service.", "systemd-analyze verify NAME.service", NeedProxy, systemd,
		},
		{
			"thunderbird", "policies.json for Thunderbird, and Firefox: certificate and proxy",
			"Save it as /etc/thunderbird/policies/policies.json, or distribution/policies.json beside the program, and the root certificate as " + certificateFile + " in /usr/lib/mozilla/certificates (Windows: %AppData%\\Mozilla\\Certificates).",
			"about:policies", NeedPACURL, thunderbird,
		},
		{
			"unbound", "the same look-ups, for Unbound", "Save it below /etc/unbound/unbound.conf.d and reload Unbound.", "unbound-checkconf FILE", 0, unbound,
		},
	}
}

// PieceNames lists the names of all pieces.
func PieceNames() []string {
	var names []string
	for _, p := range Pieces() {
		names = append(names, p.Name)
	}
	return names
}

// PieceNamed finds a piece.
func PieceNamed(name string) (Piece, bool) {
	all := Pieces()
	i := slices.IndexFunc(all, func(p Piece) bool { return p.Name == name })
	if i < 0 {
		return Piece{}, false
	}
	return all[i], true
}
