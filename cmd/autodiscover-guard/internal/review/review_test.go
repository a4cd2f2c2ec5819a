package review_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

// entry is a record to write, with what a test cares for; the rest is as in the golden records.
type entry map[string]any

func line(tb testing.TB, change entry) string {
	tb.Helper()
	record := entry{}
	if err := json.Unmarshal([]byte(golden(tb)[3]), &record); err != nil {
		tb.Fatal(err)
	}
	delete(record, "strangers") // a case says them, or is as an older guard wrote it
	for k, v := range change {
		if v == nil {
			delete(record, k)
			continue
		}
		record[k] = v
	}
	text, err := json.Marshal(record)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

func suggests(verdict string, hosts ...string) []entry {
	var all []entry
	for _, h := range hosts {
		all = append(all, entry{"path": "/", "kind": "hostname", "protocol": "imap", "was": h, "now": "", "verdict": verdict})
	}
	return all
}

// reviewed reads a log that is given as text.
func reviewed(tb testing.TB, f review.Filter, log string) *review.Report {
	tb.Helper()
	s := review.NewSummary(f)
	read, err := review.Read(tb.Context(), review.Sources{Files: []string{"-"}, Stdin: strings.NewReader(log)}, s)
	if err != nil {
		tb.Fatal(err)
	}
	return s.Report(read, 0)
}

// rows are a section's, without first and last, which every one has.
func rows(tb testing.TB, r *review.Report, id string) []string {
	tb.Helper()
	for _, s := range r.Sections {
		if s.ID != id {
			continue
		}
		var out []string
		for _, row := range s.Rows {
			var cells []string
			for i, v := range row {
				if c := s.Columns[i]; c != "first" && c != "last" && c != "clients" {
					cells = append(cells, fmt.Sprint(v))
				}
			}
			out = append(out, strings.Join(cells, "|"))
		}
		return out
	}
	tb.Fatalf("there is no section %q", id)
	return nil
}

func TestReport_findings(t *testing.T) {
	secret := entry{"present": true, "scheme": "basic", "forwarded": true}
	none := entry{"present": false, "scheme": "", "forwarded": false}
	for _, c := range []struct {
		name    string
		record  entry
		section string
		want    string // "" is no row
	}{
		{"a stranger is kept back, with the password", entry{}, "stopped", "example.com|imapgms.jnet.sei.co.jp|refuse|1|1"},
		{"an edited answer's kept host is no stranger", entry{
			"action": "edit", "rule": "private-use", "subjects": []string{"lab.test"}, "credentials": none,
			"suggestions": append(suggests("keep", "hoster.net"), suggests("remove", "stranger.net", "", "stranger.net")...),
		}, "stopped", "lab.test|stranger.net|edit|1|0"},
		{"but one that was taken out is one, wherever it is", entry{
			"action": "edit", "rule": "pin", "reserved_by": "", "subjects": []string{"corp.net"}, "credentials": none, "suggestions": suggests("remove", "imap.corp.net"),
		}, "stopped", "corp.net|imap.corp.net|edit|1|0"},
		{"a refused answer's own host is none either", entry{
			"rule": "pin", "reserved_by": "", "subjects": []string{"corp.net"}, "credentials": none, "suggestions": suggests("remove", "imap.corp.net", "stranger.net"),
		}, "stopped", "corp.net|stranger.net|refuse|1|0"},
		{"the record says who the strangers are", entry{
			"rule": "pin", "reserved_by": "", "subjects": []string{"corp.net"}, "credentials": none, "suggestions": suggests("remove", "hoster.net", "stranger.net"),
			"strangers": []string{"stranger.net"},
		}, "stopped", "corp.net|stranger.net|refuse|1|0"},
		{"the record says that there is none", entry{
			"rule": "pin", "reserved_by": "", "subjects": []string{"corp.net"}, "suggestions": suggests("remove", "hoster.net"), "strangers": []string{},
		}, "stopped", ""},
		{"a stranger who was not asked", entry{
			"host": "autodiscover.stranger.net:8443", "suggestions": []entry{}, "upstream": entry{"asked": false, "status": 0, "error": ""},
		}, "stopped", "example.com|autodiscover.stranger.net|refuse|1|1"},
		{"a stranger who was asked, and named nobody", entry{"host": "autodiscover.stranger.net", "suggestions": []entry{}}, "stopped", ""},
		{"the domain's own host, which was not asked", entry{
			"rule": "pin", "reserved_by": "", "subjects": []string{"corp.net"}, "host": "autodiscover.corp.net", "suggestions": []entry{}, "upstream": entry{"asked": false, "status": 0, "error": ""},
		}, "stopped", ""},
		{"an answer of the rule's own", entry{
			"action": "answer", "host": "autodiscover.stranger.net", "suggestions": []entry{}, "upstream": entry{"asked": false, "status": 0, "error": ""},
		}, "stopped", ""},
		{"an answer without settings names nobody", entry{"suggestions": []entry{}, "reason": "the answer holds no settings"}, "stopped", ""},
		{"nobody is guarded", entry{"action": "pass", "rule": "", "reserved_by": "", "credentials": secret}, "stopped", ""},
		{"nor was anything leaked then", entry{"action": "pass", "rule": "", "reserved_by": "", "credentials": secret}, "not_stopped", ""},
		{"a rule that monitors", entry{"mode": "monitor", "action": "pass", "would": "refuse", "credentials": none}, "not_stopped", "example.com|imapgms.jnet.sei.co.jp|monitored|1|0"},
		{"a rule that would answer", entry{"mode": "monitor", "action": "pass", "would": "answer", "credentials": none}, "not_stopped", "example.com|imapgms.jnet.sei.co.jp|monitored|1|0"},
		{"a pin that monitors, and a password at a central service", entry{
			"rule": "pin", "reserved_by": "", "mode": "monitor", "action": "pass", "would": "refuse", "subjects": []string{"corp.net"}, "credentials": secret, "suggestions": []entry{},
		}, "not_stopped", "corp.net|prod.autodetect.outlook.cloud.microsoft|credentials forwarded|1|1"},
		{"a pin that monitors, and a password at the domain's own host", entry{
			"rule": "pin", "reserved_by": "", "mode": "monitor", "action": "pass", "would": "edit", "subjects": []string{"corp.net"}, "host": "autodiscover.corp.net",
			"credentials": secret, "suggestions": suggests("keep", "stranger.net"),
		}, "not_stopped", "corp.net|stranger.net|monitored|1|1"},
		{"a monitored answer that could not be read leaks nobody", entry{
			"mode": "monitor", "action": "pass", "would": "refuse", "credentials": none, "suggestions": []entry{},
		}, "not_stopped", ""},
		{"a tunnel", entry{"action": "tunnel", "host": "autodiscover.stranger.net", "suggestions": []entry{}, "credentials": none}, "not_stopped", "example.com|autodiscover.stranger.net|tunnelled|1|0"},
		{"a password that went where it must not", entry{"credentials": secret, "suggestions": []entry{}}, "not_stopped", "example.com|prod.autodetect.outlook.cloud.microsoft|credentials forwarded|1|1"},
		{"a password at the lab's own server", entry{
			"action": "pass", "rule": "private-use", "subjects": []string{"lab.test"}, "host": "autodiscover.lab.test", "credentials": secret, "suggestions": []entry{},
		}, "not_stopped", ""},
		{"many equal decisions", entry{"repeat": 40}, "stopped", "example.com|imapgms.jnet.sei.co.jp|refuse|40|40"},
		{"a pin", entry{
			"rule": "pin", "reserved_by": "", "subjects": []string{"corp.net"}, "suggestions": suggests("remove", "stranger.net"),
		}, "pins", "pin|corp.net|stranger.net|stopped|1"},
		{"a reserved name is no pin", entry{"rule": "lab"}, "pins", ""},
		{"a pin that only monitors", entry{
			"rule": "pin", "reserved_by": "", "mode": "monitor", "would": "edit", "action": "pass", "subjects": []string{"corp.net"}, "credentials": none,
			"suggestions": suggests("keep", "stranger.net"),
		}, "pins", "pin|corp.net|stranger.net|not stopped: monitored|1"},
		{"an answer that could not be read", entry{"level": "error", "reason": "the answer cannot be read beyond doubt"}, "shapes", "guarded, and could not be read|autodetect|prod.autodetect.outlook.cloud.microsoft|the answer cannot be read beyond doubt|1"},
		{"a shape that nobody knows", entry{"dialect": "suspected", "action": "pass", "reason": "reads like discovery"}, "shapes", "reads like discovery, of no known shape|suspected|prod.autodetect.outlook.cloud.microsoft|reads like discovery|1"},
		{"an action of a later guard", entry{"action": "quarantine"}, "shapes", "record with an unknown word|action|quarantine||1"},
		{"a verdict of a later guard", entry{"suggestions": suggests("hold", "x.net")}, "shapes", "record with an unknown word|verdict|hold||1"},
		{"a client that was redirected", entry{"door": "transparent"}, "clients", "127.0.0.1|does not use the proxy: its traffic was redirected||1"},
		{"an upstream that failed", entry{"upstream": entry{"asked": true, "status": 0, "error": "tls", "check": "name"}}, "failures", "tls|name|prod.autodetect.outlook.cloud.microsoft|1"},
		{"an authority", entry{"authority": "AB:CD", "policy": nil, "exchange": ""}, "changes", "policy||1\nauthority|AB:CD|1\nprocess||1"},
		{"a redirect with a port and a path", entry{"suggestions": []entry{{"kind": "redirect", "was": "HTTPS://Mail.Stranger.net.:8443/x", "verdict": "remove"}}}, "stopped", "example.com|mail.stranger.net|refuse|1|1"},
		{"a redirect with a path alone", entry{"suggestions": []entry{{"kind": "redirect", "was": "https://mail.stranger.net/x", "verdict": "remove"}}}, "stopped", "example.com|mail.stranger.net|refuse|1|1"},
		{"an address without brackets", entry{"suggestions": suggests("remove", "2001:db8::1")}, "stopped", "example.com|2001:db8::1|refuse|1|1"},
		{"an address literal", entry{"suggestions": []entry{{"kind": "url", "was": "imaps://[2001:db8::1]:993", "verdict": "remove"}}}, "stopped", "example.com|2001:db8::1|refuse|1|1"},
		{"a private address in a lab", entry{
			"rule": "private-use", "subjects": []string{"lab.test"}, "suggestions": suggests("remove", "192.168.1.2", "127.0.0.1", "169.254.7.7", "[fd00::1]:993", "192.0.2.7"),
		}, "stopped", "lab.test|192.0.2.7|refuse|1|1"},
		{"a private address, and a pin", entry{
			"rule": "pin", "reserved_by": "", "subjects": []string{"corp.net"}, "credentials": none, "suggestions": suggests("remove", "192.168.1.2"),
		}, "stopped", "corp.net|192.168.1.2|refuse|1|0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := reviewed(t, review.Filter{}, line(t, c.record)+"\n")
			if got := strings.Join(rows(t, r, c.section), "\n"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestReport_newStrangers(t *testing.T) {
	at := func(day int, hosts ...string) string {
		return line(t, entry{"time": fmt.Sprintf("2026-01-%02dT00:00:00Z", day), "suggestions": suggests("remove", hosts...)}) + "\n"
	}
	since := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC).UnixNano()
	for name, log := range map[string]string{
		"one log":            at(1, "old.net") + at(11, "old.net", "new.net") + at(12, "new.net"),
		"of two replicas":    at(11, "old.net", "new.net") + at(1, "old.net") + at(12, "new.net"),
		"the youngest first": at(12, "new.net") + at(11, "old.net", "new.net") + at(1, "old.net"),
	} {
		r := reviewed(t, review.Filter{Since: since}, log)
		if got := strings.Join(rows(t, r, "new_strangers"), "\n"); got != "example.com|new.net|2|2" {
			t.Errorf("%s: got %s", name, got)
		}
		for _, s := range r.Sections {
			if s.ID == "new_strangers" && s.Total != 1 {
				t.Errorf("%s: %d strangers are new", name, s.Total)
			}
		}
		if r.Decisions != 2 || r.Others != 1 {
			t.Errorf("%s: got %d decisions and %d others, want 2 and 1", name, r.Decisions, r.Others)
		}
	}
}

func TestReport_life(t *testing.T) {
	log := `{"level":"warn","time":"2026-01-01T00:00:00Z","msg":"handshake failed","host":"a.net","client":"10.0.0.1","reason":"the client does not trust the authority"}
2026-01-01T00:00:00Z  warn  intercept  handshake failed  {"host": "a.net", "client": "10.0.0.1", "reason": "the client does not trust the authority"}
{"level":"warn","time":"2026-01-01T00:00:00Z","msg":"handshake","schema":1,"outcome":"untrusted","reason":"the client does not trust the authority","client":"10.0.0.1","door":"connect","host":"a.net","server_name":"a.net","tls":"TLS 1.3","alert":"unknown certificate authority","policy":"p","authority":"","repeat":40}
{"level":"warn","time":"2026-01-01T00:00:00Z","msg":"handshake","schema":1,"outcome":"refused","reason":"the host is never dialled","client":"10.0.0.2","door":"connect","host":"b.net","policy":"p"}
2026-01-01T00:00:00Z  warn  intercept  handshake failed  {"host": "a.net", "client": "10.0.0.1", "reason": "the client does not trust the authority", "recorded": true}
2026-01-01T00:00:00Z  info  policy reloaded  {"before": "x", "policy": "p2"}
2026-01-01T00:00:00Z  error  the configuration was not reloaded; the policy in force stays  {"policy": "p2", "error": "guard.yaml:3: no"}
2026-01-01T00:00:00Z  warn  something else  {"dropped": 7}
{"level":"error","time":"2026-01-01T00:00:00Z","msg":"records dropped","schema":1,"dropped":17,"from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:00:00Z"}
2026-01-01T00:00:00Z  info  listening  {"status": "any type"}
`
	r := reviewed(t, review.Filter{}, log)
	if got := strings.Join(rows(t, r, "clients"), "\n"); got != "10.0.0.1|handshake failed: the client does not trust the authority|a.net|42\n10.0.0.2|handshake refused: the host is never dialled|b.net|1" {
		t.Errorf("clients: %s", got)
	}
	if got := strings.Join(rows(t, r, "changes"), "\n"); got != "policy not reloaded|guard.yaml:3: no|1\npolicy reloaded|p2|1" {
		t.Errorf("changes: %s", got)
	}
	if got := strings.Join(rows(t, r, "gaps"), "\n"); got != "records that the guard could not write|17" {
		t.Errorf("gaps: %s", got)
	}
	if got := strings.Join(rows(t, r, "messages"), "\n"); got != "something else|warn|1" {
		t.Errorf("messages: %s", got)
	}
	if r.Log.Events != 10 || r.Log.Odd() != 0 {
		t.Errorf("got %+v", r.Log)
	}
}

func TestRead_oddLines(t *testing.T) {
	good := line(t, nil)
	for _, c := range []struct {
		name, log string
		want      review.Log
	}{
		{"nothing", "", review.Log{}},
		{"no last newline", good + "\n" + good, review.Log{Lines: 2, Decisions: 2}},
		{"torn", good + "\n" + good[:100], review.Log{Lines: 2, Decisions: 1, Torn: 1}},
		{"carriage returns", good + "\r\n", review.Log{Lines: 1, Decisions: 1}},
		{"blank lines", "\n \n", review.Log{Lines: 2, Blank: 2}},
		{"not JSON", "hello\n{\n", review.Log{Lines: 2, Unreadable: 2}},
		{"a key twice", strings.Replace(good, `"rule":`, `"rule":"x","rule":`, 1) + "\n", review.Log{Lines: 1, Unreadable: 1}},
		{"a number that is text", line(t, entry{"status": "200"}) + "\n", review.Log{Lines: 1, Unreadable: 1}},
		{"no time", line(t, entry{"time": "yesterday"}) + "\n", review.Log{Lines: 1, Unreadable: 1}},
		{"a time before there were clocks", line(t, entry{"time": "1969-12-31T23:59:59Z"}) + "\n", review.Log{Lines: 1, Unreadable: 1}},
		{"less than no decision", line(t, entry{"repeat": -1}) + "\n", review.Log{Lines: 1, Unreadable: 1}},
		{"more decisions than there can be", line(t, entry{"repeat": int64(1) << 40}) + "\n", review.Log{Lines: 1, Unreadable: 1}},
		{"a later version", line(t, entry{"schema": 2, "status": "200"}) + "\n", review.Log{Lines: 1, OtherVersions: 1, Version: "2"}},
		{"an unknown key", line(t, entry{"later": []int{1}}) + "\n", review.Log{Lines: 1, Decisions: 1}},
		{"a line that is too long", strings.Repeat("x", 3<<20) + "\n" + good + "\n", review.Log{Lines: 2, Decisions: 1, TooLong: 1}},
		{"a last line that is too long", good + "\n" + strings.Repeat("x", 3<<20), review.Log{Lines: 2, Decisions: 1, TooLong: 1}},
		{"a long line", line(t, entry{"later": strings.Repeat("x", 600<<10)}) + "\n" + good + "\n", review.Log{Lines: 2, Decisions: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Files, c.want.Bytes = 1, int64(len(c.log))
			if got := reviewed(t, review.Filter{}, c.log).Log; got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// escaped is what Markdown takes for a character and nothing else (CommonMark, section 2.4).
var escaped = regexp.MustCompile(`\\[[:punct:]]|&[a-z]+;`)

// Whatever a client or a service puts into the log, no format lets it do more than be shown.
func TestReport_neutralises(t *testing.T) {
	evil := "\x1b[2J\x1b]0;x\x07\r\n=cmd|'/c calc'!A1<script>alert(1)</script>\u202e\u2028|`**[x](http://evil.example)"
	log := line(t, entry{"suggestions": suggests("remove", evil, "=1+1", "@SUM(A1)", "+1", "-1"), "client": evil, "rule": evil, "subjects": []string{evil}, "reason": evil, "dialect": "suspected", "policy": evil, "exchange": evil, "level": "error", "upstream": entry{"error": evil}})
	r := reviewed(t, review.Filter{}, log+"\n"+log+"\n")
	for _, format := range review.Formats() {
		t.Run(string(format), func(t *testing.T) {
			var b bytes.Buffer
			if err := r.Write(&b, format); err != nil {
				t.Fatal(err)
			}
			text := b.String()
			for _, c := range text {
				if c != '\n' && c != '\r' && !unicode.IsPrint(c) && !(format == review.FormatJSON && (c == '\u202e' || c == '\u2028')) {
					t.Errorf("%U is in the output", c)
				}
			}
			switch format {
			case review.FormatHTML:
				if strings.Contains(text, "<script") || !strings.Contains(html.UnescapeString(text), "<script>alert(1)") {
					t.Error("markup is not escaped, or the text is lost")
				}
			case review.FormatMarkdown:
				for l := range strings.Lines(text) {
					if bare := escaped.ReplaceAllString(strings.TrimPrefix(l, "* "), ""); strings.ContainsAny(bare, "<>`*[]!") || strings.Contains(bare, "://") || strings.Count(bare, "|") > 9 {
						t.Errorf("Markdown is not escaped: %s", l)
					}
				}
			case review.FormatCSV:
				cells, err := csv.NewReader(&b).ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range cells {
					for _, cell := range row {
						if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
							t.Errorf("a spreadsheet would take %q for a formula", cell)
						}
					}
				}
			case review.FormatJSON:
				if !json.Valid(b.Bytes()) {
					t.Error("not JSON")
				}
			default: // a table is judged by its characters
			}
		})
	}
}

// However many names there are, a summary does not grow without end, and its totals stay exact.
func TestTally_isBounded(t *testing.T) {
	const n = 30000
	s := review.NewSummary(review.Filter{})
	for i := range n {
		r := review.Record{
			Level: "warn", Action: "refuse", Rule: "documentation", Dialect: "pox", At: time.Date(2026, 1, 1, 0, i, 0, 0, time.UTC).UnixNano(), Subjects: []string{"example.com"},
			Client: fmt.Sprint("client-", i%100), Suggestions: []review.Suggestion{{Kind: "hostname", Was: fmt.Sprint("s", i, ".net"), Verdict: "remove"}, {Kind: "hostname", Was: "often.net", Verdict: "remove"}},
		}
		s.Decision(&r, "")
	}
	r := s.Report(review.Log{}, 10)
	for _, section := range r.Sections {
		if section.ID != "stopped" {
			continue
		}
		if section.Total != n || len(section.Rows) != 10 || fmt.Sprint(section.Rows[0][1]) != "often.net" || fmt.Sprint(section.Rows[0][3]) != "30,000" {
			t.Errorf("got %d, first row %v", section.Total, section.Rows[0])
		}
		shown := int64(0)
		for _, row := range section.Rows {
			shown += row[3].(review.Count).N
		}
		if shown+section.OmittedCount != 2*n || section.Omitted != n+1-10 {
			t.Errorf("shown %d and omitted %d (%d rows) are not all", shown, section.OmittedCount, section.Omitted)
		}
		if last := section.Rows[9][3].(review.Count); !last.AtLeast {
			t.Error("a key that came late does not say that its number may be too small")
		}
	}
}
