package console_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

// exchanges are the names of the exchanges on a page, as the page has them: the latest first.
func exchanges(page string) string {
	var all []string
	for _, m := range regexp.MustCompile(`<dt>exchange</dt><dd><a href="[^"]*">([^<]*)<`).FindAllStringSubmatch(page, -1) {
		all = append(all, m[1])
	}
	return strings.Join(all, " ")
}

func TestPage_filters(t *testing.T) {
	ring := console.NewRing()
	h := pageOver(t, ring)
	for n, change := range []func(map[string]any){
		nil,
		func(f map[string]any) {
			f["subjects"], f["client"] = []string{"sub.example.com", "other.test"}, "198.51.100.9"
		},
		func(f map[string]any) { f["action"], f["rule"], f["reason"] = "pass", "", "no subject is guarded" },
		func(f map[string]any) {
			f["action"], f["would"], f["mode"], f["rule"] = "pass", "refuse", "monitor", "watch"
		},
		func(f map[string]any) { f["dialect"], f["host"], f["repeat"] = "pox", "autodiscover.example.com", 12 },
	} {
		ring.Show(decision(n, change))
	}
	for query, want := range map[string]string{
		"":                               "run-4 run-3 run-2 run-1 run-0",
		"domain=example.com":             "run-4 run-3 run-2 run-1 run-0",
		"domain=SUB.example.com.":        "run-1",
		"domain=ＳＵＢ。example.com":         "run-1",
		"domain=ample.com":               "",
		"client=198.51.100.0/24":         "run-1",
		"client=192.0.2.7&dialect=pox":   "run-4",
		"action=pass":                    "run-3 run-2",
		"action=would+change":            "run-3",
		"rule=watch":                     "run-3",
		"text=NO+subject":                "run-2",
		"text=imap.stranger":             "run-4 run-3 run-2 run-1 run-0",
		"text=suggestions":               "", // a key
		"text=run-1":                     "run-1",
		"text=autodiscover.example.com":  "run-4",
		"action=pass&rule=documentation": "",
	} {
		w := ask(t, h, "GET", "localhost", "/?"+query)
		if got := exchanges(w.Body.String()); w.Code != 200 || got != want {
			t.Errorf("%s: %d %q, want %q", query, w.Code, got, want)
		}
		ids, _, _ := kept(t, h, query)
		if got := len(strings.Fields(want)); len(ids) != got {
			t.Errorf("%s: %d records in JSON, want %d", query, len(ids), got)
		}
	}
	for query, want := range map[string]string{"domain=jane@example.com": "jane@example.com&#34; is not a domain", "client=nonsense": "nonsense&#34; is not a client"} {
		page, records := ask(t, h, "GET", "localhost", "/?"+query), ask(t, h, "GET", "localhost", "/decisions.json?"+query)
		if !strings.Contains(page.Body.String(), want) || page.Code != 200 || exchanges(page.Body.String()) != "" || records.Code != 400 {
			t.Errorf("%s: %d and %d, want %q", query, page.Code, records.Code, want)
		}
	}
	page := ask(t, h, "GET", "localhost", "/?client=nonsense&text=%22%3E%3Cscript%3E").Body.String()
	for _, want := range []string{"is not a client", `value="nonsense"`, `value="&#34;&gt;&lt;script&gt;"`, "No decision fits.", "×12", "not stopped"} {
		if strings.Contains(page, want) == (want == "×12" || want == "not stopped") {
			t.Errorf("%q on the page of nothing: %v", want, strings.Contains(page, want))
		}
	}
	if page = ask(t, h, "GET", "localhost", "/?action=pass").Body.String(); !strings.Contains(page, "Of the latest records (5), 2 fit the filter.") {
		t.Error("the page does not say how many fit")
	}
	page = ask(t, h, "GET", "localhost", "/?rule=gone").Body.String()
	for _, want := range []string{ // what occurs, and what was chosen
		`<select name="action"><option value="">any</option><option>pass</option>`,
		`<select name="dialect"><option value="">any</option><option>autodetect</option><option>pox</option></select>`,
		`<select name="rule"><option value="">any</option><option>documentation</option><option selected>gone</option><option>watch</option></select>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	page = ask(t, h, "GET", "localhost", "/").Body.String()
	for _, want := range []string{"Latest records: 5, of 1000 at most", "×12", "not stopped: imap.stranger.net", "kept back: imap.stranger.net", "(would refuse)", ">imap.stranger.net</td>", ">nothing</td>", "Strangers suggested, by domain"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// Whatever of a record's own words somebody remembers finds it.
func TestPage_text(t *testing.T) {
	ring := console.NewRing()
	h := pageOver(t, ring)
	words := []string{}
	word := func() string {
		words = append(words, fmt.Sprintf("word-%d.", len(words)))
		return "x " + words[len(words)-1] + " y"
	}
	ring.Show(decision(0, nil))
	ring.Show(decision(1, func(f map[string]any) {
		for _, key := range []string{"exchange", "rule", "reason", "client", "door", "host", "path", "reserved_by"} {
			f[key] = word()
		}
		f["subjects"], f["accounts"], f["strangers"] = []string{"a", word()}, []string{word()}, []string{word()}
		f["suggestions"] = []any{map[string]any{"was": "a"}, map[string]any{"was": word()}, map[string]any{"now": word()}}
		f["upstream"] = map[string]any{"asked": true, "status": 200, "error": word(), "check": ""}
	}))
	for _, text := range words {
		if ids, records, _ := kept(t, h, "text="+strings.ToUpper(text)); len(ids) != 1 || !strings.Contains(fmt.Sprint(records[0]), text) {
			t.Errorf("%s: %d records", text, len(ids))
		}
	}
}

// Older decisions are a page away, and that page does not move while somebody reads it.
func TestPage_older(t *testing.T) {
	ring := console.NewRing()
	h := pageOver(t, ring)
	for n := range 250 {
		ring.Show(decision(n, nil))
	}
	seen, path := 0, "/?domain=example.com"
	for range 3 {
		page := ask(t, h, "GET", "localhost", path).Body.String()
		if live := strings.Contains(page, "<script>"); live != (seen == 0) {
			t.Errorf("%s: live is %v", path, live)
		}
		seen += len(strings.Fields(exchanges(page)))
		ring.Show(decision(999, nil))
		older := regexp.MustCompile(`<a href="([^"]*)">Older`).FindStringSubmatch(page)
		if older == nil {
			break
		}
		path = html.UnescapeString(older[1])
	}
	if seen != 250 {
		t.Errorf("%d decisions on three pages, want 250", seen)
	}
}

// How the guard is: what is wrong comes first, in words.
func TestPage_state(t *testing.T) {
	status := console.Status{Ready: true, Policy: "0123abcd"}
	h, set, a := fixtureOver(t, &status, new(string), console.NewRing())
	page := ask(t, h, "GET", "localhost", "/").Body.String()
	for _, want := range []string{
		"0123abcd", a.Fingerprint(), "127.0.0.1:8080", "/state/decisions.jsonl", "0 dropped", "Authority, urgent:", "the root ends &lt;soon&gt;. <strong>To do:</strong> renew it",
		`href="/setup"`, `href="/ca.pem"`, `href="/proxy.pac"`, `href="/metrics"`, `href="/readyz"`, a.Root().NotAfter.Format(time.DateOnly), "No decision yet.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "not reloaded") || strings.Contains(page, "No new work") {
		t.Error("the page complains of nothing")
	}
	status = console.Status{Reason: "draining", Policy: "0123abcd", Stale: true, Reload: `guard.yaml:3: "<b>" is not a domain`, ReloadedAt: time.Date(2026, 11, 24, 13, 0, 0, 0, time.UTC)}
	console.Dropped(set)(7)
	page = ask(t, h, "GET", "localhost", "/").Body.String()
	for _, want := range []string{"was not reloaded; an older policy", "guard.yaml:3: &#34;&lt;b&gt;&#34; is not a domain", "2026-11-24 13:00:00Z", "No new work is taken:</strong> draining", "7 decisions since the start have no record"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// What clients and servers have written stays text, whatever it is; nothing but the page's own script may run, and nobody may frame it.
func TestPage_hostile(t *testing.T) {
	ring := console.NewRing()
	h := pageOver(t, ring)
	const evil = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>\u202e{{.}}</style>`${1}\x1b[2J"
	ring.Show(decision(1, func(f map[string]any) {
		for _, key := range []string{"exchange", "rule", "reason", "client", "door", "host", "method", "path", "dialect", "reserved_by", "action", "would"} {
			f[key] = evil
		}
		f["subjects"], f["accounts"], f["strangers"] = []string{evil}, []string{evil}, []string{evil}
		f["suggestions"] = []any{map[string]any{"path": evil, "kind": evil, "protocol": evil, "was": evil, "now": evil, "verdict": evil}}
		f["upstream"] = map[string]any{"asked": true, "status": 200, "error": evil, "check": evil}
	}))
	w := ask(t, h, "GET", "localhost", "/")
	page := w.Body.String()
	if strings.ContainsAny(page, "\u202e\x1b") || !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Error("the record is not on the page, or as it is")
	}
	style, script := checkOwn(t, page)
	policy := w.Header().Get("Content-Security-Policy")
	want := fmt.Sprintf("default-src 'none'; style-src %s; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; script-src %s; connect-src 'self'", sha(style), sha(script))
	if policy != want {
		t.Errorf("policy\n%s, want\n%s", policy, want)
	}
	for key, want := range map[string]string{"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"} {
		if got := w.Header().Get(key); got != want {
			t.Errorf("%s: %q", key, got)
		}
	}
	if len(page) > 64<<10 {
		t.Errorf("%d bytes", len(page))
	}
}

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// checkOwn checks that a page has one style sheet and one script, without addresses, and nothing that fetches or runs; it gives both.
func checkOwn(t *testing.T, page string) (style, script string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(page))
	counts := map[string]int{}
	for {
		switch z.Next() {
		case html.ErrorToken:
			if counts["style"] != 1 || counts["script"] != 1 || counts["form"] != 1 {
				t.Errorf("parts of the page: %v", counts)
			}
			return style, script
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			counts[token.Data]++
			for _, a := range token.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" || strings.Contains(a.Val, "://") || a.Key == "href" && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") {
					t.Errorf("<%s %s=%q>", token.Data, a.Key, a.Val)
				}
			}
			switch token.Data {
			case "img", "iframe", "link", "object", "base", "embed":
				t.Errorf("<%s> on the page", token.Data)
			case "style", "script":
				z.Next()
				if token.Data == "style" {
					style = string(z.Raw())
				} else {
					script = string(z.Raw())
				}
			}
		case html.TextToken, html.EndTagToken, html.CommentToken, html.DoctypeToken:
		}
	}
}

// A page of another site could not read what it makes a browser ask for, and is not let in at all.
func TestPage_otherSites(t *testing.T) {
	h := pageOver(t, console.NewRing())
	for site, want := range map[string]int{"": 200, "none": 200, "same-origin": 200, "same-site": 403, "cross-site": 403, "new word": 403} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost/decisions.json", nil)
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%q: %d, want %d", site, w.Code, want)
		}
	}
}
