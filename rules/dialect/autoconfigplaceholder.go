package dialect

import (
	"fmt"
	"slices"
	"strings"

	"autodiscover-guard/rules/reserved"
)

// placeholders are what clients fill in for the variables of a clientConfig (draft-ietf-mailmaint-autoconfig, section "Placeholders"), as
// far as the request tells. They may stand in host names: mail.%EMAILDOMAIN% is a host of the account's own domain, whichever that is.
type placeholders struct {
	domain, local string // "" where the request does not tell, or says two things
}

// placeholdersOf goes by the addresses in the request, because the client fills in its own address; where there is none (KDE, Delta Chat
// and the ISPDB ask without), by what the request is about.
func placeholdersOf(subjects []Subject) placeholders {
	var p placeholders
	own := make([]Subject, 0, len(subjects))
	for _, s := range subjects {
		if s.Address != "" {
			own = append(own, s)
		}
	}
	if len(own) == 0 {
		own = subjects
	}
	for i, s := range own {
		local, domain := "", s.Domain
		if at := lastAt(s.Address); at >= 0 {
			local = s.Address[:at]
		}
		if i == 0 {
			p = placeholders{domain, local}
			continue
		}
		if p.domain != domain {
			p.domain = ""
		}
		if p.local != local {
			p.local = ""
		}
	}
	if strings.Trim(strings.ToLower(p.local), "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		p.local = "" // not fit for a host name, so nobody knows what a client makes of it
	}
	return p
}

// EmailDomain is what clients fill in for %EMAILDOMAIN% in an answer to the inquiry; "" where its dialect has no such variable, or where the
// request does not tell.
func (q Inquiry) EmailDomain() string {
	if q.Dialect != Autoconfig && q.Dialect != ISPDB {
		return ""
	}
	return placeholdersOf(q.Subjects).domain
}

// expand fills in what may stand in a host. %EMAILADDRESS% may not, because of the @, and neither may what the user is asked for
// (inputField). ok is false where a variable or anything else with a percent sign is left.
func (p placeholders) expand(value string) (expanded string, ok bool) {
	if !strings.Contains(value, "%") {
		return value, true
	}
	if p.domain != "" {
		value = strings.ReplaceAll(value, "%EMAILDOMAIN%", p.domain)
	}
	if p.local != "" {
		value = strings.ReplaceAll(value, "%EMAILLOCALPART%", p.local)
	}
	return value, !strings.Contains(value, "%")
}

// errMadeUpLogin says that a user name becomes an address at a domain that stands nowhere.
var errMadeUpLogin = fmt.Errorf("%w: a user name at a domain that is made of a variable", ErrUnreadable)

// LoginDomains are the domains in a user name: behind each @, the first one to Thunderbird 153, which looks there for address books with the account's password
// (RemoteAddressBookUtils.sys.mjs). Variables are left in them as they are, but for that of the whole address.
func LoginDomains(username string) []string {
	if !strings.ContainsAny(username, "@%") {
		return nil
	}
	whole := strings.ReplaceAll(strings.ToUpper(username), "%EMAILADDRESS%", "%EMAILLOCALPART%@%EMAILDOMAIN%")
	return strings.Split(whole, "@")[1:]
}

// login checks that a client's own address puts no other domain together in a user name: to lab.te, %EMAILADDRESS%st is at lab.test. Domains that stand there are words like others.
func (p placeholders) login(username string) error {
	for _, domain := range LoginDomains(username) {
		if !strings.Contains(domain, "%") || domain == "%EMAILDOMAIN%" {
			continue
		}
		filled, ok := p.expand(domain)
		if !ok || p.domain == "" || !reserved.Below(strings.ToLower(filled), p.domain) {
			return errMadeUpLogin
		}
	}
	return nil
}

// isOwnLogin reports whether there is nothing to be said of a user name, as of nearly all: it is a word, the client's own address, or a part of that.
func isOwnLogin(username string, asked []Subject) bool {
	if strings.Contains(username, "%") {
		return username == "%EMAILADDRESS%" || username == "%EMAILLOCALPART%"
	}
	_, domain, address := strings.Cut(username, "@")
	return !address || isAccountDomain(asked, domain)
}

// isAccountDomain reports whether an account that is asked about is at a domain. The asked host may be a hoster's.
func isAccountDomain(asked []Subject, domain string) bool {
	return slices.ContainsFunc(asked, func(s Subject) bool { return s.Domain == domain && s.Carrier != CarrierHost })
}

// suggestLogin makes a suggestion of a user name that is an address at another domain than those of the addresses that are asked about. Words without a dot (jane@CORP) are realms.
func suggestLogin(path, protocol, username string, asked []Subject) (Suggestion, bool) {
	domains := LoginDomains(username)
	for _, domain := range domains {
		host := reserved.Canonical(domain)
		if strings.Contains(domain, "%") || !strings.Contains(host, ".") || isAccountDomain(asked, host) {
			continue
		}
		s := Suggestion{Path: path, Kind: KindAddress, Protocol: protocol, Was: username}
		if len(domains) == 1 {
			s.Host = hostName(domain)
		}
		return s, true
	}
	return Suggestion{}, false
}

// host makes a suggestion of a host name, or of the URL that somebody wrote instead. What cannot be filled in beyond doubt names a stranger.
func (p placeholders) host(path, protocol, value string) (Suggestion, bool) {
	value = strings.TrimSpace(value)
	if absolute(value) {
		return p.url(path, protocol, value)
	}
	return p.hostname(path, protocol, value)
}

// url makes a suggestion of a URL. A relative one has no meaning in these formats; a lenient reader could take it for a host name.
func (p placeholders) url(path, protocol, value string) (Suggestion, bool) {
	value = strings.TrimSpace(value)
	if value == "" || relative(value) {
		return p.hostname(path, protocol, value)
	}
	filled := value
	if start := strings.Index(value, "//"); start >= 0 { // only what stands before the path decides about the host
		end := len(value)
		if i := strings.IndexAny(value[start+2:], "/?#"); i >= 0 {
			end = start + 2 + i
		}
		if authority, ok := p.expand(value[:end]); ok {
			filled = authority + value[end:]
		}
	}
	s, ok := suggestURL(KindURL, path, protocol, filled)
	s.Was = value
	return s, ok
}

// hostname makes a suggestion of a host name and nothing else: of the host that the client will fill in, while Was is what is written.
func (p placeholders) hostname(path, protocol, value string) (Suggestion, bool) {
	if value == "" {
		return Suggestion{}, false
	}
	s := Suggestion{Path: path, Kind: KindHostname, Protocol: protocol, Was: value}
	if expanded, ok := p.expand(value); ok {
		s.Host, s.Port = hostName(expanded), portBehind(expanded)
	}
	return s, true
}

// absolute reports whether value has an authority and is no relative reference.
func absolute(value string) bool { return strings.Contains(value, "//") && !relative(value) }
