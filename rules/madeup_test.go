package rules_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// Made-up answers: accounts of own hosts and strangers in every mixture, in the forms that servers and their administrators write. Of each it is known what must become of it, so an own
// server that is lost is seen, too, which the properties of the corpus do not look for.

// madeUp is one answer that is written with chance.
type madeUp struct {
	chance  *rand.Rand
	text    strings.Builder
	own     []string // accounts of own hosts alone, by what they log in with
	strange int      // accounts and pages of strangers
	odd     bool     // values are written in odd ways
}

var (
	ownHosts   = []string{"mail.corp.example.net", "IMAP.Corp.Example.net", "mail.corp.example.net.", "mail.hoster.net", "10.1.2.3"}
	otherHosts = []string{"stranger.net", "hoster.net", "imap.mail.hoster.net", "8.8.8.8", "[2606:4700::1111]", "corp.example.net", "mail.corp.example.net.stranger.net", "mail-hoster.net"}
)

func (m *madeUp) pick(all ...string) string { return all[m.chance.IntN(len(all))] }

// host is an own one where own says so, or where chance does.
func (m *madeUp) host(own bool) string {
	if own {
		return m.pick(ownHosts...)
	}
	return m.pick(otherHosts...)
}

// value is a text as it stands in XML.
func (m *madeUp) value(s string) string {
	if !m.odd {
		return s
	}
	at := 1 + m.chance.IntN(len(s)-1)
	return m.pick(s, " "+s+"\n", s[:at]+"<!-- -->"+s[at:], "<![CDATA["+s+"]]>", fmt.Sprintf("%s&#%d;%s", s[:at], s[at], s[at+1:]))
}

// account notes one, and gives whether it is an own one and what it logs in with.
func (m *madeUp) account() (own bool, user string) {
	own, user = m.chance.IntN(2) == 0, fmt.Sprintf("user%d", len(m.own)+m.strange)
	if own {
		m.own = append(m.own, user)
	} else {
		m.strange++
	}
	return own, user
}

func (m *madeUp) config() {
	m.text.WriteString(`<clientConfig version="1.1"><emailProvider id="corp.example.net"><domain>corp.example.net</domain><displayName>corp.example.net</displayName>`)
	for range 1 + m.chance.IntN(4) {
		own, user := m.account()
		element, protocol := "incomingServer", m.pick("imap", "pop3")
		if m.chance.IntN(3) == 0 {
			element, protocol = "outgoingServer", "smtp"
		}
		fmt.Fprintf(&m.text, `<%s type="%s"><hostname>%s</hostname>%s<socketType>SSL</socketType><username>%s</username></%s>`, element, protocol, m.value(m.host(own)), m.pick("", "<port>993</port>"), user, element)
	}
	page := m.pick("corp.example.net", "mail.hoster.net", "hoster.net")
	if page != "mail.hoster.net" {
		m.strange++
	}
	fmt.Fprintf(&m.text, `<documentation url="https://%s/help?id=1"><descr>Help</descr></documentation></emailProvider></clientConfig>`, page)
}

func (m *madeUp) pox() {
	m.text.WriteString(`<Autodiscover><Response><User><AutoDiscoverSMTPAddress>user@corp.example.net</AutoDiscoverSMTPAddress></User><Account><Action>settings</Action>`)
	for range 1 + m.chance.IntN(4) {
		own, user := m.account()
		fmt.Fprintf(&m.text, `<Protocol><Type>%s</Type>%s<Server>%s</Server>%s<LoginName>%s</LoginName></Protocol>`, m.pick("IMAP", "POP3", "SMTP"), m.pick("", "<Port>143</Port>"), m.value(m.host(own)),
			m.pick("", "<EwsUrl>"+m.pick("https://", "")+strings.TrimSuffix(m.host(own), ".")+"/EWS</EwsUrl>"), user)
	}
	m.text.WriteString(`</Account></Response></Autodiscover>`)
}

func (m *madeUp) detect() {
	m.text.WriteString(`{"email":"user@corp.example.net","services":[],"protocols":[`)
	for i := range 1 + m.chance.IntN(4) {
		own, user := m.account()
		fmt.Fprintf(&m.text, `%s{"protocol":"%s","hostname":"%s"%s,"username":"%s"}`, strings.Repeat(", ", min(i, 1)), m.pick("imap", "pop3", "smtp"), m.host(own), m.pick("", `,"port":993`, `,"port":"143"`), user)
	}
	m.text.WriteString("]}")
}

// TestMadeUp holds what becomes of them against what is known of each, beside the properties of any answer: an own account is there afterwards, no stranger is to another parser, and the record has
// what is there.
func TestMadeUp(t *testing.T) {
	servers := []dialect.Server{{Protocol: "imap", Host: "new.corp.example.net"}, {Protocol: "smtp", Host: "new.corp.example.net", Encryption: "starttls"}}
	base := rules.Rule{Name: "corp", Domains: []string{"corp.example.net", "*.corp.example.net"}, Allow: []string{"*.corp.example.net", "mail.hoster.net", "10.0.0.0/8"}}
	policies := map[rules.Otherwise]*rules.Policy{}
	for _, o := range []rules.Otherwise{rules.Block, rules.RemoveStrangers, rules.Rewrite} {
		r := base
		if r.Otherwise = o; o == rules.Rewrite {
			r.Servers = servers
		}
		policies[o] = withRules(t, r)
	}
	detect := question("https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect")
	detect.Header["X-Email"] = []string{"user@corp.example.net"}
	forms := []struct {
		question  dialect.Request
		mediaType string
		write     func(*madeUp)
	}{
		{question("https://autoconfig.corp.example.net/mail/config-v1.1.xml?emailaddress=user%40corp.example.net"), "text/xml", (*madeUp).config},
		{poxQuestion("corp.example.net"), "text/xml", (*madeUp).pox},
		{detect, "application/json", (*madeUp).detect},
	}
	for seed := range uint64(150) {
		chance := rand.New(rand.NewPCG(seed, 24))
		f := forms[chance.IntN(len(forms))]
		m := &madeUp{chance: chance, odd: chance.IntN(2) == 0}
		f.write(m)
		a := dialect.Answer{Status: 200, Header: dialect.Header{"Content-Type": {f.mediaType}}, Body: []byte(m.text.String())}
		for otherwise, p := range policies {
			if err := m.verify(p, f.question, a, otherwise); err != nil {
				t.Errorf("%d, %v: %v\n%s", seed, otherwise, err, m.text.String())
			}
		}
	}
}

func (m *madeUp) verify(p *rules.Policy, r dialect.Request, a dialect.Answer, otherwise rules.Otherwise) error {
	if err := oracles(p, r, a); err != nil {
		return err
	}
	plan, d := decide(p, r, a)
	if d.Action == rules.ActionRefuse {
		if otherwise == rules.Block && m.strange > 0 || len(m.own) == 0 {
			return nil
		}
		return fmt.Errorf("refused: %s (%w)", d.Reason, d.Err)
	}
	out := a
	if d.Action == rules.ActionEdit {
		out = d.Answer
		if err := oneVoice(plan.Inquiry, out); err != nil {
			return err
		}
	}
	for _, user := range m.own {
		if !strings.Contains(string(out.Body), user) {
			return fmt.Errorf("%s is lost: %s: %s", user, d.Reason, out.Body)
		}
	}
	read, err := otherReading(out)
	if err != nil {
		return err
	}
	for path, values := range read {
		if name := strings.ToLower(path[strings.LastIndexByte(path, '/')+1:]); (name == "server" || name == "hostname") && !slices.ContainsFunc(values, m.allowed) {
			return fmt.Errorf("%q is told at %s", values, path)
		}
	}
	return nil
}

func (m *madeUp) allowed(host string) bool {
	return slices.Contains(ownHosts, strings.TrimSpace(host)) || host == "new.corp.example.net"
}
