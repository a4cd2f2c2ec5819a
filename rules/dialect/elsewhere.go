package dialect

import (
	"strings"

	"autodiscover-guard/rules/reserved"
)

// Elsewhere composes a refusal behind which a client asks the next place of its look-up, as it does behind a web site's 404. [Refuse] ends the look-up of many, who take it for the whole
// domain's word: any document of autoconfig that of Evolution and GNOME Online Accounts, the ISPDB's that of KDE, a POX or SOAP error that of exchangelib.
func Elsewhere(q Inquiry) Answer {
	a := Refuse(q)
	if a.Status == 404 {
		return a
	}
	status := 404
	switch q.Dialect {
	case ISPDB:
		// GNOME Online Accounts 3.54 asks it at its draft's name, behind the domain's own places. It ends at any document, and else asks those of whoever takes the domain's mail (MX).
		if reserved.Below(reserved.Canonical(q.Request.Host()), ispdbRoot) {
			return a
		}
		status = 410 // Evolution asks those of whoever serves the domain's names (NS) behind a 404, and only there (e-mail-autoconfig.c)
	case Autoconfig:
		// KDE (22.12) goes on behind a 404 that says anything, in a circle behind its last place, and ends behind one that is empty.
		if strings.HasPrefix(normalPath(q.Request.URL.Path), "/.well-known/autoconfig/") {
			return notFound()
		}
	case POX, MobileSync, SOAP: // no document, which exchangelib 4 takes whatever the status is; something, because npm's autodiscover fails where there is nothing
	default:
		return a
	}
	a = composed("text/plain; charset=utf-8", "not found\n")
	a.Status = status
	return a
}
