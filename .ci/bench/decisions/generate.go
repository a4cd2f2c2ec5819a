package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

const central = "prod.autodetect.outlook.cloud.microsoft"

// suggestion is what an answer suggests, and what the client got.
type suggestion struct{ protocol, was, now, verdict string }

// record is one exchange, with what it must be counted as.
type record struct {
	level, mode, action, would, rule, reason, reservedBy string
	client, door, host, method, path, dialect, domain    string
	status, tookMS, repeat                               int64
	present, forwarded                                   bool
	asked                                                bool
	failure                                              string
	suggestions                                          []suggestion
	strangers                                            []string // the key; empty leaves it out
	policy                                               string

	stopped, leaked []string // strangers, as the review must count them
	secretTo        string   // who got credentials that must not
}

type generator struct {
	random  *rand.Rand
	out     *bufio.Writer
	written int64
	count   int64
	now     time.Time
	truth   *truth
	buffer  []byte
}

func newGenerator(seed uint64, out *bufio.Writer) *generator {
	return &generator{
		random: rand.New(rand.NewPCG(seed, 7)), out: out, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), truth: newTruth(),
	}
}

func (g *generator) pick(list []string) string { return list[g.random.IntN(len(list))] }

func names(n int, pattern string) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(pattern, i))
	}
	return all
}

var (
	documentation = []string{"example.com", "example.net", "example.org", "mail.example", "xn--mgbh0fb.xn--kgbechtv"}
	private       = []string{"lab.test", "corp.internal", "office.home.arpa", "printer.local"}
	pinned        = []string{"corp-mail.net", "second-mail.org"}
	ordinary      = names(300, "tenant-%d.net")
	strangers     = names(70, "mx%d.stranger.co.jp")
	clients       = append(names(180, "10.20.30.%d"), names(20, "2001:db8::%x")...)
	policies      = []string{"c220bfd2d474", "7f7f16c04138", "75c124913ac5"}
)

// line writes a line: a decision, mostly.
func (g *generator) line() {
	g.count++
	g.now = g.now.Add(time.Duration(g.random.Int64N(4500)) * time.Millisecond).Add(time.Duration(g.random.Int64N(1e6)))
	if g.count == 700 || g.count == 900 {
		from := g.truth.last
		g.now = g.now.Add(time.Duration(g.count-300) * time.Minute)
		g.truth.silence = append(g.truth.silence, [2]time.Time{from, g.now})
		g.decision()
		return
	}
	switch n := g.random.IntN(1000); {
	case n < 5:
		g.event()
	case n < 7:
		g.odd()
	default:
		g.decision()
	}
}

func (g *generator) put(text string) {
	n, _ := g.out.WriteString(text)
	m, _ := g.out.WriteString("\n")
	g.written += int64(n + m)
	g.truth.lines++
}

// torn ends the log in the middle of a line.
func (g *generator) torn() {
	n, _ := g.out.WriteString(`{"level":"warn","time":"2026-`)
	g.written += int64(n)
	g.truth.lines++
	g.truth.torn++
}

// event writes a message of the guard's life.
func (g *generator) event() {
	client, stamp := g.pick(clients), g.now.Format(time.RFC3339Nano)
	g.truth.events++
	switch g.random.IntN(4) {
	case 0:
		line := fmt.Sprintf(`{"level":"warn","time":%q,"msg":"handshake","schema":1,"outcome":"untrusted","reason":"the client does not trust the authority","client":%q,`+
			`"door":"connect","host":%q,"server_name":%q,"tls":"TLS 1.3","alert":"unknown certificate authority","policy":%q,"authority":""`, stamp, client, central, central, policies[0])
		times := int64(1)
		if g.random.IntN(2) == 0 {
			times = 2 + g.random.Int64N(40)
			line += fmt.Sprintf(`,"repeat":%d`, times)
		}
		g.put(line + "}")
		g.truth.clients.add([]string{client, "handshake failed: the client does not trust the authority", central}, times, 0, g.now, client)
	case 1:
		g.put(fmt.Sprintf(`%s  warn  intercept  handshake failed  {"host": %q, "client": %q, "reason": "the client went away", "error": "EOF"}`, stamp, central, client))
		g.truth.clients.add([]string{client, "handshake failed: the client went away", central}, 1, 0, g.now, client)
	case 2: // the guard's own log beside its records tells of one that is among them
		g.put(fmt.Sprintf(`%s  warn  intercept  handshake failed  {"host": %q, "client": %q, "reason": "the client does not trust the authority", "recorded": true}`, stamp, central, client))
	default:
		g.put(fmt.Sprintf(`{"level":"info","time":%q,"msg":"policy reloaded","before":"x","policy":%q,"rules":3}`, stamp, policies[0]))
		g.truth.changes.add([]string{"policy reloaded", policies[0]}, 1, 0, g.now, "")
	}
}

// odd writes what cannot be read, or only by later programs.
func (g *generator) odd() {
	switch g.random.IntN(4) {
	case 0:
		g.put("")
		g.truth.blank++
	case 1:
		g.put(`{"level":"warn","time":"2026-01-01T00:00:00Z","msg":"decision","schema":1,"exchange":"0-1","action":"refuse","action":"pass"}`)
		g.truth.unreadable++
	case 2:
		g.put(strings.Repeat("\x00\xff binary ", 20))
		g.truth.unreadable++
	default:
		g.put(fmt.Sprintf(`{"level":"warn","time":%q,"msg":"decision","schema":2,"anything":true}`, g.now.Format(time.RFC3339Nano)))
		g.truth.versions++
	}
}

func (g *generator) decision() {
	r := g.fate()
	r.client, r.policy, r.tookMS = g.pick(clients), policies[min(int(g.count/5000), len(policies)-1)], g.random.Int64N(900)
	if g.random.IntN(1000) == 0 {
		r.tookMS = 1000 + g.random.Int64N(29000)
	}
	r.repeat = 1
	if g.random.IntN(100) == 0 {
		r.repeat = 2 + g.random.Int64N(40)
	}
	run := fmt.Sprintf("%08x", 0xabc0+g.count/20000)
	g.put(string(g.encode(r, run)))
	g.truth.count(r, g.now, run)
}

// encode writes the record's line. One in five hundred has an escape, which changes nothing but the way that reads it.
func (g *generator) encode(r *record, run string) []byte {
	reason := r.reason
	if g.random.IntN(500) == 0 {
		reason = fmt.Sprintf(`\u%04x`, reason[0]) + reason[1:]
	}
	b := fmt.Appendf(g.buffer[:0], `{"level":%q,"time":%q,"msg":"decision","schema":1,"exchange":"%s-%x","mode":%q,"action":%q,"would":%q,"rule":%q,"reason":"%s"`,
		r.level, g.now.Format(time.RFC3339Nano), run, g.count, r.mode, r.action, r.would, r.rule, reason)
	b = fmt.Appendf(b, `,"client":%q,"door":%q,"host":%q,"method":%q,"path":%q,"status":%d,"dialect":%q,"subjects":[%q],"accounts":[],"reserved_by":%q`,
		r.client, r.door, r.host, r.method, r.path, r.status, r.dialect, r.domain, r.reservedBy)
	scheme := ""
	if r.present {
		scheme = "basic"
	}
	b = fmt.Appendf(b, `,"credentials":{"present":%t,"scheme":%q,"forwarded":%t},"suggestions":[`, r.present, scheme, r.forwarded)
	for i, s := range r.suggestions {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"path":"/protocols/%d/hostname","kind":"hostname","protocol":%q,"was":%q,"now":%q,"verdict":%q},`, i, s.protocol, s.was, s.now, s.verdict)
		port := "993"
		if s.verdict == "remove" {
			port = ""
		}
		b = fmt.Appendf(b, `{"path":"/protocols/%d/port","kind":"port","protocol":%q,"was":"993","now":%q,"verdict":%q}`, i, s.protocol, port, s.verdict)
	}
	b = append(b, ']')
	for i, s := range r.strangers {
		b = fmt.Appendf(b, `%s%q`, map[bool]string{true: `,"strangers":[`, false: ","}[i == 0], s)
	}
	if len(r.strangers) > 0 {
		b = append(b, ']')
	}
	b = fmt.Appendf(b, `,"upstream":{"asked":%t,"status":%d,"error":%q,"check":""},"bytes_in":%d,"bytes_out":%d,"took_ms":%d,"policy":%q`,
		r.asked, r.status, r.failure, 300+len(r.suggestions), 58, r.tookMS, r.policy)
	if r.repeat > 1 {
		b = fmt.Appendf(b, `,"repeat":%d`, r.repeat)
	}
	g.buffer = append(b, '}')
	return g.buffer
}
