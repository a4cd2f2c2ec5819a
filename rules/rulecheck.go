package rules

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

// RuleError is one mistake in one rule of a configuration.
type RuleError struct {
	// Rule is the index of the rule; Name its name, as far as it has one.
	Rule int
	Name string
	// Key is the field in the words of the configuration (domains, servers …), and Item the index in it, or -1.
	Key  string
	Item int
	// Text says what is wrong, Want what to write instead.
	Text, Want string
	// Word is none of Known, where one of those has to stand; otherwise both are empty.
	Word  string
	Known []string
}

func (e *RuleError) Error() string {
	name := e.Name
	if name == "" {
		name = fmt.Sprintf("number %d", e.Rule+1)
	}
	return fmt.Sprintf("rule %s: %s: %s; want %s", name, e.Key, e.Text, e.Want)
}

// checker turns the operator's rules into those that are asked, and collects everything that is wrong with them.
type checker struct {
	problems []error
	at       int
	name     string
}

func (c *checker) wrong(key string, item int, want, format string, args ...any) {
	c.problems = append(c.problems, &RuleError{Rule: c.at, Name: c.name, Key: key, Item: item, Text: fmt.Sprintf(format, args...), Want: want})
}

// unknown is wrong where a word is none of those that are known.
func (c *checker) unknown(key string, item int, what, word string, known []string) {
	c.problems = append(c.problems, &RuleError{
		Rule: c.at, Name: c.name, Key: key, Item: item, Text: fmt.Sprintf("%q is not a known %s", word, what), Want: "one of " + strings.Join(known, ", "), Word: word, Known: known,
	})
}

// checkRules gives the rules ready for use. The error joins a *[RuleError] for every mistake.
func checkRules(operator []Rule) ([]*rule, *domainIndex, error) {
	c := &checker{}
	names := map[string]bool{RuleDocumentation: true, RulePrivateUse: true, RuleBackOff: true}
	all := make([]*rule, 0, len(operator))
	index := newDomainIndex()
	for i, r := range operator {
		c.at, c.name = i, r.Name
		switch {
		case r.Name == "":
			c.wrong("name", -1, "a word that records can name it by", "a rule without a name")
		case strings.ContainsFunc(r.Name, func(r rune) bool { return r <= ' ' || r == 0x7f }):
			c.wrong("name", -1, "one word, such as "+quote(strings.Join(strings.Fields(r.Name), "-")), "%q has spaces in it", r.Name)
		case !utf8.ValidString(r.Name) || strings.ContainsFunc(r.Name, isUnprintable):
			want := "a word that records can name it by"
			if seen := strings.Map(dropUnprintable, strings.ToValidUTF8(r.Name, "")); seen != "" {
				want = "it without them, " + quote(seen)
			}
			c.wrong("name", -1, want, "%q has characters in it that nobody can see", r.Name)
		case names[r.Name]:
			c.wrong("name", -1, "another name", "%q is the name of another rule", r.Name)
		}
		names[r.Name] = true
		made := c.rule(r)
		made.index = i
		if shadow := shadowing(made, index); shadow != nil {
			c.wrong("domains", -1, "it moved before "+quote(shadow.Name)+", or left out", "no request reaches the rule: %q comes first and is for the same domains and clients", shadow.Name)
		}
		all = append(all, made)
		index.add(made)
	}
	return all, index, errors.Join(c.problems...)
}

// isUnprintable reports whether a character cannot be seen: nobody can look for it in records, nor type it into a query of metrics.
func isUnprintable(r rune) bool { return !unicode.IsPrint(r) }

// dropUnprintable is for strings.Map, which then leaves out what isUnprintable.
func dropUnprintable(r rune) rune {
	if isUnprintable(r) {
		return -1
	}
	return r
}

func (c *checker) rule(r Rule) *rule {
	made := &rule{Rule: r}
	if len(r.Domains) == 0 {
		c.wrong("domains", -1, "at least one, such as [corp.example.net]", "a rule for no domain")
	}
	for i, text := range r.Domains {
		p, err := ParseDomain(text)
		if c.pattern("domains", i, err) {
			made.domains = append(made.domains, p)
		}
	}
	for i, text := range r.Allow {
		p, err := ParsePattern(text)
		if c.pattern("allow", i, err) {
			made.allow = append(made.allow, p)
		}
	}
	c.selectors(made)
	c.consistency(r)
	c.servers(made)
	return made
}

func (c *checker) pattern(key string, item int, err error) bool {
	if err == nil {
		return true
	}
	if p, ok := errors.AsType[*PatternError](err); ok {
		c.wrong(key, item, p.Want, "%q %s", p.Text, p.Problem)
		return false
	}
	c.wrong(key, item, "a pattern", "%v", err)
	return false
}

// selectors looks up services and dialects by name.
func (c *checker) selectors(made *rule) {
	for i, name := range made.Services {
		service, ok := serviceNamed(name)
		if !ok {
			c.unknown("services", i, "service", name, ServiceNames())
			continue
		}
		if len(service.Hosts) == 0 {
			c.wrong("services", i, "it among dialects", "%q has no hosts of its own, so no request reaches the rule there", name)
		}
		made.services = append(made.services, service)
	}
	for i, name := range made.Dialects {
		all := dialect.All()
		at := slices.IndexFunc(all, func(d dialect.Info) bool { return d.Name == name })
		if at < 0 {
			var names []string
			for _, d := range all {
				names = append(names, d.Name)
			}
			c.unknown("dialects", i, "dialect", name, names)
			continue
		}
		if made.dialects == nil {
			made.dialects = map[dialect.ID]bool{}
		}
		made.dialects[all[at].ID] = true
	}
	for i, p := range made.Clients {
		if !p.IsValid() {
			c.wrong("clients", i, "a range such as 192.168.0.0/16", "no range of addresses")
		}
	}
}

// consistency checks the rule's modes, and that none of them contradicts another.
func (c *checker) consistency(r Rule) {
	if r.Otherwise > Rewrite || r.Answer > AnswerLocal || r.Upstream > AskNever || r.Mode != 0 && r.Mode != Enforce && r.Mode != Monitor {
		c.wrong("mode", -1, "values that this package names", "an unknown otherwise, answer, upstream or mode")
	}
	if r.Otherwise == Rewrite && len(r.Servers) == 0 {
		c.wrong("otherwise", -1, "servers, such as {imap: {host: mail.corp.example.net}}, or otherwise: remove", "rewrite, and no servers to write")
	}
	if r.Answer == AnswerLocal && len(r.Servers) == 0 {
		c.wrong("answer", -1, "servers, such as {imap: {host: mail.lab.test}}, or answer: upstream", "local, and no servers to answer with")
	}
	if len(r.Servers) > 0 && r.Otherwise != Rewrite && r.Answer != AnswerLocal {
		c.wrong("servers", -1, "answer: local, or otherwise: rewrite, or no servers", "no client is told of them")
	}
	if r.Answer == AnswerLocal && r.Upstream == AskScrubbed {
		c.wrong("upstream", -1, "one of the two left out", "scrubbed, but answer: local asks nobody")
	}
	if r.Mode == Monitor && r.Upstream == AskNever {
		c.wrong("upstream", -1, "mode: enforce, or no upstream", "never, but a rule that only monitors changes nothing")
	}
}

// protocols are what a server can be for. Those of mail, which come first, are spoken at a host and a port, the others at a URL.
var protocols = [...]string{"imap", "pop3", "smtp", "activesync", "ews", "jmap", "caldav", "carddav"}

const mailProtocols = 3

// authentications are what [dialect.Server] says that its Auth can be.
var authentications = [...]string{"password-cleartext", "password-encrypted", "NTLM", "GSSAPI", "client-IP-address", "TLS-client-cert", "OAuth2", "none"}

// placeholders are those of Mozilla's format that a user name can hold.
var placeholders = [...]string{"%EMAILADDRESS%", "%EMAILLOCALPART%", "%EMAILDOMAIN%"}

func (c *checker) servers(made *rule) {
	seen := map[string]bool{}
	for i := range made.Servers {
		s := made.Servers[i]
		switch {
		case !slices.Contains(protocols[:], s.Protocol):
			c.unknown("servers", i, "protocol that can be written", s.Protocol, protocols[:])
			continue
		case seen[s.Protocol]:
			c.wrong("servers", i, "one server for each protocol", "%s is given twice", s.Protocol)
		}
		seen[s.Protocol] = true
		host := reserved.Canonical(s.Host)
		if p, err := ParsePattern(s.Host); err != nil || p.below || p.prefix.IsValid() && !p.prefix.IsSingleIP() {
			if strings.Contains(s.Host, "@") { // and what may be a password stays out of messages
				c.wrong("servers", i, "it without one", "%s: the host names a user", s.Protocol)
				continue
			}
			want := "a host such as mail.example.net"
			if name, port, _ := strings.Cut(s.Host, ":"); port != "" && strings.Trim(port, "0123456789") == "" {
				want = "{host: " + name + ", port: " + port + "}"
			} else if u, err := url.Parse(s.Host); err == nil && u.Host != "" && !slices.Contains(protocols[:mailProtocols], s.Protocol) {
				want = "{host: " + u.Hostname() + ", url: " + quote(s.Host) + "}"
			}
			c.wrong("servers", i, want, "%s: %q is not a host", s.Protocol, s.Host)
			continue
		}
		if !made.allows(host) {
			c.wrong("allow", -1, "an entry "+quote(host)+", or another server", "the rule's own server for %s, %s, is not allowed by it", s.Protocol, host)
		}
		if e := s.Encryption; e != "" && e != "ssl" && e != "starttls" && e != "none" {
			c.wrong("servers", i, "ssl, starttls or none", "%s: %q is not a kind of encryption", s.Protocol, e)
		}
		if a := s.Auth; a != "" && !slices.Contains(authentications[:], a) {
			c.unknown("servers", i, "kind of authentication", a, authentications[:])
		}
		c.endpoint(made, i)
		left := s.Username
		for _, p := range placeholders {
			left = strings.ReplaceAll(left, p, "")
		}
		c.login(made, i)
		if strings.Contains(left, "%") {
			c.wrong("servers", i, "only "+strings.Join(placeholders[:], ", "), "%s: %q holds a placeholder that nobody knows", s.Protocol, s.Username)
		}
	}
	made.Servers = slices.Clone(made.Servers)
	for i := range made.Servers {
		made.Servers[i].Host = reserved.Canonical(made.Servers[i].Host)
	}
}

// login checks that clients may go to the domain of a server's user name: Thunderbird looks there for address books, with the password.
func (c *checker) login(made *rule, item int) {
	s := made.Servers[item]
	for _, domain := range dialect.LoginDomains(s.Username) {
		host := reserved.Canonical(strings.ReplaceAll(domain, "%EMAILDOMAIN%", "account"))
		if host == "account" || strings.HasSuffix(host, ".account") || made.allows(host) || slices.ContainsFunc(made.domains, func(p Pattern) bool { return p.Matches(host) }) {
			continue
		}
		c.wrong("allow", -1, "an entry "+quote(host)+", or another user name", "the rule's own user name for %s is at %s, where clients look for address books with the password, and which is not allowed by it", s.Protocol, host)
	}
}

// endpoint checks a server's URL: clients are told it as it stands, so its host is one that the rule names to them.
func (c *checker) endpoint(made *rule, item int) {
	s := made.Servers[item]
	if s.URL == "" {
		return
	}
	u, err := url.Parse(s.URL)
	switch {
	case slices.Contains(protocols[:mailProtocols], s.Protocol):
		c.wrong("servers", item, "host and port alone", "%s is not spoken at a URL", s.Protocol)
	case strings.Contains(s.URL, "@") && (err != nil || u.User != nil || u.Host == ""): // and what may be a password stays out of messages
		c.wrong("servers", item, "it without one", "%s: the URL names a user", s.Protocol)
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		c.wrong("servers", item, "one such as https://mail.example.net/ews", "%s: %q is not a URL", s.Protocol, s.URL)
	default:
		if host := reserved.Canonical(u.Hostname()); !made.allows(host) {
			c.wrong("allow", -1, "an entry "+quote(host)+", or another URL", "the rule's own URL for %s leads to %s, which is not allowed by it", s.Protocol, host)
		}
	}
}

// shadowing finds a rule before r because of which r is never asked: for each of r's domains there is one, and it is the last that is named.
func shadowing(r *rule, before *domainIndex) *rule {
	var last *rule
	for _, d := range r.domains {
		found := before.covering(d, func(earlier *rule) bool { return earlier.catchesAllOf(r) })
		if found == nil {
			return nil
		}
		last = found
	}
	return last
}

// catchesAllOf reports whether r, where its domains match, leaves nothing to later.
func (r *rule) catchesAllOf(later *rule) bool {
	if !r.Until.IsZero() && (later.Until.IsZero() || later.Until.After(r.Until)) {
		return false
	}
	if len(r.Services) > 0 && (len(later.Services) == 0 || !containsAll(r.Services, later.Services)) {
		return false
	}
	if len(r.Dialects) > 0 && (len(later.Dialects) == 0 || !containsAll(r.Dialects, later.Dialects)) {
		return false
	}
	if len(r.Clients) == 0 {
		return true
	}
	for _, p := range later.Clients {
		if !slices.ContainsFunc(r.Clients, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) }) {
			return false
		}
	}
	return len(later.Clients) > 0
}

func containsAll(set, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(set, s) })
}

// Warnings says what is right but not meant: rules that have expired by the given time, and those for services or dialects alone of which each is off, or
// which do not go together.
func (p *Policy) Warnings(at time.Time) []string {
	var all []string
	for _, r := range p.rules {
		if why := p.unasked(r); why != "" {
			all = append(all, why)
		}
		if !r.Until.IsZero() && !at.Before(r.Until) {
			all = append(all, fmt.Sprintf("rule %s has expired: it ended %s, and the rules behind it apply", r.Name, r.Until.UTC().Format("2006-01-02 15:04 UTC")))
		}
	}
	for _, host := range p.close {
		label, _, _ := strings.Cut(host, ".")
		switch {
		case !p.opensBelow(host):
			all = append(all, host+" is closed, and would not be opened without that: is its name right?")
		case DiscoveryPath(label) != "":
			all = append(all, host+" is closed: discovery there passes unread, whoever it is about")
		}
	}
	return all
}

func serviceNamed(name string) (dialect.Service, bool) {
	for _, d := range dialect.All() {
		for _, s := range d.Services {
			if s.Name == name {
				return s, true
			}
		}
	}
	return dialect.Service{}, false
}
