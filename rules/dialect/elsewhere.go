package dialect

// Elsewhere composes a refusal behind which a client asks the next place of its look-up, as it does behind a web site's 404. [Refuse] ends the look-up of many, who take it for the whole
// domain's word: any document of autoconfig that of Evolution and GNOME Online Accounts, a POX or SOAP error that of exchangelib.
func Elsewhere(q Inquiry) Answer {
	a := Refuse(q)
	if a.Status == 404 {
		return a
	}
	if q.Dialect == Autoconfig { // KDE reads documents whatever the status is, and asks its last place again and again where there is none
		a.Status = 404
	}
	if q.Dialect == POX || q.Dialect == MobileSync || q.Dialect == SOAP { // no document, which exchangelib 4 takes whatever the status is; something, because npm's autodiscover fails where there is nothing
		a = composed("text/plain; charset=utf-8", "not found\n")
		a.Status = 404
	}
	return a
}
