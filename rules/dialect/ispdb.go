package dialect

import (
	"strings"

	"autodiscover-guard/rules/reserved"
)

// ISPDB is Thunderbird's database of providers, which most other clients ask as well. It answers GET …/v1.1/DOMAIN with the document of
// Autoconfig, for anybody's domain. Clients also ask for the domain of the account's MX or name server, which is then the hoster's: that
// such a request is about a guarded account cannot be told from it.
var ispdb = wireFormat{
	info: Info{
		ID:       ISPDB,
		Name:     "ispdb",
		Title:    "ISPDB, the central database of Autoconfig (clientConfig XML)",
		Citation: "draft-ietf-mailmaint-autoconfig (Central database); github.com/thunderbird/autoconfig",
		Clients:  "Thunderbird, K-9, Evolution, Geary, KMail, FairEmail, Delta Chat, Nextcloud Mail, Horde",
		Services: []Service{{
			Name:     "ispdb",
			Hosts:    ispdbHosts,
			Enforced: true,
			Note:     "the database answers for anybody's domain and asks for no password; it also serves Thunderbird's list of add-ons, which passes",
		}},
	},
	recognise:    func(_ Request, host, path string) bool { return isISPDB(host, path) },
	pathSubjects: ispdbSubject,
	read:         readConfig,
	refuse:       refuseConfig,
	compose:      composeConfig,
}

// ispdbHosts are the names that the database has had, in the order of Thunderbird's and K-9's releases; v1.ispdb.net is the draft's.
var ispdbHosts = []string{ispdbRoot, "live.thunderbird.net", "autoconfig.thunderbird.net", "live.mozillamessaging.com"}

// ispdbRoot is the host at which the database has no path.
const ispdbRoot = "v1.ispdb.net"

func isISPDB(host, path string) bool {
	rest, ok := behindVersion(strings.TrimPrefix(path, "/autoconfig"))
	if !ok && reserved.Below(host, ispdbRoot) {
		rest, ok = strings.CutPrefix(path, "/")
	}
	return ok && rest != "" && !strings.Contains(rest, "/") && (Service{Hosts: ispdbHosts}).Covers(host)
}

// behindVersion is what follows /v1.1/, or any other version: some day there will be one.
func behindVersion(path string) (rest string, ok bool) {
	version, ok := strings.CutPrefix(path, "/v")
	if !ok {
		return "", false
	}
	version, rest, ok = strings.Cut(version, "/")
	major, minor, dotted := strings.Cut(version, ".")
	return rest, ok && digits(major) && (!dotted || digits(minor))
}

// ispdbSubject reads the domain at the end of the path; a client that is wrong about the interface may put the address there.
func ispdbSubject(path string) []Subject {
	path = normalPath(path)
	last := path[strings.LastIndexByte(path, '/')+1:]
	if found := addresses(last, "path"); len(found) > 0 {
		return found
	}
	if domain := domainOf(unescape(last)); domain != "" {
		return []Subject{{Domain: domain, Carrier: "path"}}
	}
	return nil
}
