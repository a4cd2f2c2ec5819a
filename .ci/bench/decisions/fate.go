package main

// fate makes an exchange, and says what it must be counted as.
func (g *generator) fate() *record {
	r := &record{
		level: "debug", mode: "enforce", action: "pass", reason: "no subject is guarded", door: "connect", host: central, method: "GET", path: "/autodetect/detect",
		dialect: "autodetect", status: 200, asked: true, present: g.random.IntN(2) == 0, domain: g.pick(ordinary),
	}
	switch n := g.random.IntN(100); {
	case n < 66:
		r.forwarded = r.present
		r.suggest("keep", "imap."+r.domain, "smtp."+r.domain, g.pick(strangers))
	case n < 75:
		g.refused(r)
	case n < 81:
		g.neverAsked(r)
	case n < 86:
		g.edited(r)
	case n < 89:
		g.monitored(r)
	case n < 93:
		g.pin(r)
	case n < 95:
		g.unreadable(r)
	case n < 96:
		r.dialect, r.reason, r.host, r.path = "suspected", "reads like discovery of an unknown kind (1 of 1), which is not enforced", "api."+r.domain, "/config"
	case n < 97:
		r.level, r.action, r.rule, r.reason, r.domain = "warn", "answer", "lab", "the rule answers by itself", "answered.test"
		r.reservedBy, r.asked = "IETF, RFC 6761, section 6.2", false
		r.suggestions = []suggestion{{"imap", "", "mail.answered.test", "keep"}}
	case n < 98:
		r.failure, r.status, r.reason, r.forwarded = "connect", 502, "upstream gave no answer", false
	case n < 99:
		g.tunnelled(r)
	default:
		r.door, r.host = "transparent", "autoconfig."+r.domain
		r.dialect, r.path = "autoconfig", "/mail/config-v1.1.xml"
		r.suggest("keep", "imap."+r.domain)
	}
	return r
}

func (r *record) suggest(verdict string, hosts ...string) {
	for i, host := range hosts {
		s := suggestion{[]string{"imap", "smtp", "pop3"}[i%3], host, host, verdict}
		if verdict == "remove" {
			s.now = ""
		}
		r.suggestions = append(r.suggestions, s)
	}
}

// two are two strangers, not the same.
func (g *generator) two() (string, string) {
	i := g.random.IntN(len(strangers))
	return strangers[i], strangers[(i+1+g.random.IntN(len(strangers)-1))%len(strangers)]
}

func (g *generator) refused(r *record) {
	a, b := g.two()
	r.level, r.action, r.rule, r.domain = "warn", "refuse", "documentation", g.pick(documentation)
	r.reason, r.reservedBy = "2 of 2 suggestions name hosts outside the rule", "IETF, RFC 6761, section 6.5"
	r.suggest("remove", a, b)
	r.stopped = []string{a, b}
}

func (g *generator) neverAsked(r *record) {
	r.level, r.action, r.rule, r.domain, r.dialect = "warn", "refuse", "documentation", g.pick(documentation), "pox"
	r.reason, r.reservedBy = "no host may be named to the domain, and the asked host is none of its own", "IETF, RFC 6761, section 6.5"
	r.host, r.method, r.path, r.asked = "autodiscover."+r.domain, "POST", "/autodiscover/autodiscover.xml", false
	r.stopped = []string{r.host}
}

func (g *generator) edited(r *record) {
	stranger := g.pick(strangers)
	r.level, r.action, r.rule, r.domain = "warn", "edit", "private-use", g.pick(private)
	r.reason, r.reservedBy = "1 of 2 suggestions name hosts outside the rule", "IETF, RFC 6761, section 6.2"
	r.suggest("keep", "imap."+r.domain)
	r.suggest("remove", stranger)
	r.stopped = []string{stranger}
}

// monitored is a pin that only records: the client is told, and its credentials go to the central service.
func (g *generator) monitored(r *record) {
	stranger := g.pick(strangers)
	r.level, r.mode, r.would, r.rule, r.domain = "warn", "monitor", "edit", "trial", g.pick(pinned)
	r.reason, r.forwarded = "monitored only: 1 of 2 suggestions name hosts outside the rule", r.present
	r.suggest("keep", "imap."+r.domain, stranger)
	r.leaked = []string{stranger}
	if r.forwarded {
		r.secretTo = central
	}
}

// pin refuses an answer that holds the domain's own host beside a stranger, with the key strangers or, as older guards wrote it, without.
func (g *generator) pin(r *record) {
	stranger := g.pick(strangers)
	r.level, r.action, r.rule, r.domain = "warn", "refuse", "pin", g.pick(pinned)
	r.reason = "1 of 2 suggestions name hosts outside the rule"
	r.suggest("remove", "imap."+r.domain, stranger)
	if g.random.IntN(2) == 0 {
		r.strangers = []string{stranger}
	}
	r.stopped = []string{stranger}
}

func (g *generator) unreadable(r *record) {
	r.level, r.action, r.rule, r.domain = "error", "refuse", "documentation", g.pick(documentation)
	r.reason, r.reservedBy = "the answer cannot be read beyond doubt", "IETF, RFC 6761, section 6.5"
}

// tunnelled goes by unread: to nobody's domain, or by a port that is not opened to one that is guarded.
func (g *generator) tunnelled(r *record) {
	r.action, r.method, r.path, r.dialect, r.status, r.asked, r.present = "tunnel", "CONNECT", "", "none", 0, false, false
	r.domain = ordinary[g.random.IntN(2)] // of few: with each client they are a row of the report, which has 4,096
	r.host, r.reason = "autodiscover."+r.domain, "tunnelled unread: the policy guards nobody there"
	if g.random.IntN(4) > 0 {
		return
	}
	r.level, r.rule, r.domain, r.reservedBy = "warn", "documentation", documentation[0], "IETF, RFC 6761, section 6.5"
	r.host, r.reason = "autodiscover."+r.domain+":8443", "tunnelled unread: only ports 443 and 80 are opened"
	r.leaked = []string{"autodiscover." + r.domain}
}
