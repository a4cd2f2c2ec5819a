package rules

import (
	"fmt"
	"slices"
	"strings"

	"autodiscover-guard/rules/dialect"
)

// servicesOf are the central services that speak a dialect. The three that have none of their own for Exchange are spoken where POX is.
func servicesOf(id dialect.ID) []dialect.Service {
	if id == dialect.MobileSync || id == dialect.SOAP || id == dialect.V2 {
		id = dialect.POX
	}
	for _, d := range dialect.All() {
		if d.ID == id {
			return d.Services
		}
	}
	return nil
}

// atServicesAlone are the dialects of which nothing is recognised but at the hosts of their services.
var atServicesAlone = []dialect.ID{dialect.Autodetect, dialect.ISPDB, dialect.Identity}

// unasked says why a rule looks as if it held and does not: what it selects is not opened, or not spoken there. It is empty where there is no such reason.
func (p *Policy) unasked(r *rule) string {
	open := func(s dialect.Service) bool { return slices.ContainsFunc(s.Hosts, p.Opens) }
	never := func(id dialect.ID) bool {
		if id == dialect.Suspected {
			return !p.suspected
		}
		return slices.Contains(atServicesAlone, id) && !slices.ContainsFunc(servicesOf(id), open)
	}
	switch {
	case len(r.services) > 0 && !slices.ContainsFunc(r.services, open):
		return fmt.Sprintf("rule %s is for %s alone, which is off: what goes there is tunnelled unread, and nobody asks the rule", r.Name, strings.Join(r.Services, ", "))
	case len(r.dialects) > 0 && !slices.ContainsFunc(dialect.All(), func(d dialect.Info) bool { return r.dialects[d.ID] && !never(d.ID) }):
		return fmt.Sprintf("rule %s is for the dialect %s alone, and its service is off: what comes over TLS passes all the same, recorded at most", r.Name, strings.Join(r.Dialects, ", "))
	case len(r.services) > 0 && len(r.dialects) > 0 && !r.dialects[dialect.Suspected] && !r.spokenAtService():
		return fmt.Sprintf("rule %s is for %s at %s alone, where it is not spoken: both must match, and nobody asks the rule", r.Name, strings.Join(r.Dialects, ", "), strings.Join(r.Services, ", "))
	}
	return ""
}

// spokenAtService reports whether some service of the rule speaks one of its dialects.
func (r *rule) spokenAtService() bool {
	for id := range r.dialects {
		if slices.ContainsFunc(servicesOf(id), func(s dialect.Service) bool { return slices.Contains(r.Services, s.Name) }) {
			return true
		}
	}
	return false
}
