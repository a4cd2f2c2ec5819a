package companion

import (
	"slices"
	"strings"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/reserved"
)

// denial is what a name server must not say of the guarded domains. Clients look it up past every proxy: SRV records (RFC 6186, RFC 6764,
// MS-OXDISCO), MX records whose target is then asked for settings, and host names that they guess.
//
// Private-use names are left alone: only their own network has names there, and its name server is the one that this is for. So are the names
// below arpa, which are no mail domains but do serve (ipv4only.arpa, RFC 8880; resolver.arpa, RFC 9462).
type denial struct {
	// zones do not exist, with everything below them: top-level names that nobody can have.
	zones []string
	// names do not exist either, and belong to domains that do.
	names []string
	// nullMX are domains that say of themselves that they take no mail (RFC 7505).
	nullMX []string
	// exempt are domains below one of zones that an operator's rule lets have servers.
	exempt []string
	// mute are domains of which this cannot be said, name by name.
	mute []string
}

// guessed are the host names that clients make up of a domain when nobody tells them any: Thunderbird (imap, pop3, pop, smtp, mail), Geary,
// Delta Chat, K-9.
var guessed = [...]string{"imap", "mail", "pop", "pop3", "smtp"}

// asked are the hosts that discovery asks. The guard answers for them; a program that goes around it finds none.
var asked = [...]string{"autoconfig", "autodiscover", "ua-auto-config"}

// serviceRecords stands above all SRV records of a domain.
const serviceRecords = "_tcp"

func denialOf(f Facts) denial {
	var d denial
	all := f.Policy.Domains(rules.From{At: f.At})
	for _, g := range all {
		if g.Empty && !g.Below && !strings.Contains(g.Name, ".") {
			d.zones = append(d.zones, g.Name)
		}
	}
	for _, g := range all {
		switch {
		case g.Nature == reserved.PrivateUse && g.BuiltIn, strings.HasSuffix(g.Name, ".arpa"):
		case g.Below && !g.Empty:
			d.exempt = appendCovered(d.exempt, d.zones, g.Name)
		case g.Below:
			d.mute = append(d.mute, "*."+g.Name)
		case covered(d.zones, g.Name) && g.Empty:
		case g.Empty:
			d.nullMX = append(d.nullMX, g.Name)
			d.names = append(d.names, serviceRecords+"."+g.Name)
			for _, label := range asked {
				d.names = append(d.names, label+"."+g.Name)
			}
			d.guesses(g)
		default:
			d.exempt = appendCovered(d.exempt, d.zones, g.Name)
			d.guesses(g)
		}
	}
	return d
}

// guesses denies the guessed hosts of a domain that may not be named to it.
func (d *denial) guesses(g rules.Domain) {
	for _, label := range guessed {
		if host := label + "." + g.Name; !g.Allows(host) {
			d.names = append(d.names, host)
		}
	}
}

// covered reports whether name is one of zones or lies below one.
func covered(zones []string, name string) bool {
	return slices.ContainsFunc(zones, func(z string) bool { return reserved.Below(name, z) })
}

func appendCovered(list, zones []string, name string) []string {
	if covered(zones, name) && !covered(list, name) {
		return append(list, name)
	}
	return list
}

// about is the head of a name server's piece, as lines without a comment sign.
func (d denial) about(f Facts) []string {
	lines := []string{
		"autodiscover-guard, policy " + f.Policy.Revision() + ": look-ups that no HTTP proxy sees. Names that nobody can have do not",
		"exist; of guarded domains that do exist, SRV records, hosts of discovery and guessed mail hosts do not, and they take",
		"no mail. Deeper names (imap.eu.example.com) are not listed: a list cannot foresee them.",
	}
	if len(d.mute) > 0 {
		lines = append(lines, "Not covered, because they cannot be listed: "+strings.Join(d.mute, " "))
	}
	return lines
}

// comment writes lines behind a sign.
func comment(sign string, lines []string) string {
	return sign + " " + strings.Join(lines, "\n"+sign+" ") + "\n"
}
