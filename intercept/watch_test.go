package intercept_test

import (
	"compress/flate"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"autodiscover-guard/rules"
)

// Settings at a place that nobody published, under a guarded name: seen for what they are, whatever the Content-Type says.
func TestWatch_settingsWhereNobodyLooks(t *testing.T) {
	const settings = `<?xml version="1.0"?><Autodiscover><Response><Account><Protocol><Type>IMAP</Type><Server>` + stranger +
		`</Server></Protocol></Account></Response></Autodiscover>`
	page := "<!DOCTYPE html><html><body>" + stranger + strings.Repeat(" much text", 1000) + "</body></html>"
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if strings.HasSuffix(r.URL.Path, "settings") {
			_, _ = io.WriteString(w, settings)
			return
		}
		_, _ = io.WriteString(w, page)
	})
	for i, door := range doors {
		client := door.client(w)
		if got := send(t, client, request(t, http.MethodGet, door.scheme+"://example.com/my/settings", "")); strings.Contains(got.body, stranger) || got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d %q", door.name, got.StatusCode, got.body)
		}
		if record := w.decision(i + 1); record["action"] != "refuse" || record["dialect"] != "pox" || record["rule"] != "documentation" {
			t.Errorf("%s: recorded %v", door.name, record)
		}
		// A page for people on the same host is not ours, whatever it names.
		if got := send(t, client, request(t, http.MethodGet, door.scheme+"://example.com/", "")); got.body != page {
			t.Errorf("%s: the page has %d bytes, want %d", door.name, len(got.body), len(page))
		}
		// Nobody guarded: as it is.
		if got := send(t, client, request(t, http.MethodGet, door.scheme+"://opened.net/my/settings", "")); got.body != settings {
			t.Errorf("%s: got %q", door.name, got.body)
		}
	}
	if n := w.decisions.Len(); n != len(doors) {
		t.Errorf("%d records, want %d", n, len(doors))
	}
}

// The rest of a WebDAV client's discovery: a PROPFIND is sent on, and the principal names the host of the calendars.
func TestWatch_calendars(t *testing.T) {
	const home = `<multistatus xmlns="DAV:"><response><href>/p/</href><propstat><prop><calendar-home-set xmlns="urn:ietf:params:xml:ns:caldav">` +
		`<href xmlns="DAV:">https://` + stranger + `/</href></calendar-home-set></prop></propstat></response></multistatus>`
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "https://"+stranger+"/", http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, home)
		w.(http.Flusher).Flush()
	})
	for i, door := range doors {
		for j, path := range []string{"/", "/p/"} {
			got := send(t, door.client(w), request(t, "PROPFIND", door.scheme+"://example.com"+path, ""))
			if strings.Contains(got.body, stranger) || got.Header.Get("Location") != "" || got.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s: got %d %v %q", door.name, path, got.StatusCode, got.Header, got.body)
			}
			if record := w.decision(2*i + j + 1); record["action"] != "refuse" || record["dialect"] != "dav" || record["rule"] != "documentation" {
				t.Errorf("%s %s: recorded %v", door.name, path, record)
			}
		}
		// Nobody guarded: as it is. A page of somebody guarded that has moved has nothing to do with it.
		for method, url := range map[string]string{"PROPFIND": "://opened.net/", http.MethodGet: "://example.com/"} {
			if got := send(t, door.client(w), request(t, method, door.scheme+url, "")); got.Header.Get("Location") != "https://"+stranger+"/" {
				t.Errorf("%s %s %s: got %d %v", door.name, method, url, got.StatusCode, got.Header)
			}
		}
	}
}

// A WebDAV client that looks for its principal says so in the question, wherever it asks it, and may log in with it: a host that nobody may be told is not asked.
// Whoever looks for something else there, or is nobody guarded, asks in the client's own words.
func TestWatch_calendarsAskedFor(t *testing.T) {
	const principal = `<propfind xmlns="DAV:"><prop><resourcetype/><current-user-principal/></prop></propfind>`
	const files = `<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/></prop></propfind>`
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		name, password, _ := r.BasicAuth()
		w.Header().Set("Www-Authenticate", `Basic realm="files"`)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, r.ContentLength, name, password, string(body))
	})
	for i, door := range doors {
		client := door.client(w)
		for _, c := range []struct {
			host, body string
			length     int64
			asked      bool
		}{
			{"example.com", principal, int64(len(principal)), false},
			{"example.com", files, int64(len(files)), true},
			{"opened.net", principal, int64(len(principal)), true},
			{"opened.net", principal, -1, true}, // chunked
		} {
			r := request(t, "PROPFIND", door.scheme+"://"+c.host+"/", c.body)
			r.SetBasicAuth("user", "no-real-password")
			r.ContentLength = c.length
			status, answer := http.StatusNotFound, ""
			if c.asked {
				status, answer = http.StatusUnauthorized, fmt.Sprint(c.length, "user", "no-real-password", c.body)
			}
			if got := send(t, client, r); got.StatusCode != status || got.body != answer {
				t.Errorf("%s: %s asked for %s: got %d %q", door.name, c.host, c.body, got.StatusCode, got.body)
			}
		}
		if t.Failed() {
			return // without a record to wait for
		}
		record := w.decision(i + 1)
		if record["action"] != "refuse" || record["dialect"] != "dav" || record["credentials"].(map[string]any)["forwarded"] != false {
			t.Errorf("%s: recorded %v", door.name, record)
		}
	}
	if n := w.decisions.Len(); n != len(doors) {
		t.Errorf("%d records, want %d", n, len(doors))
	}
}

// A phone's session that runs already is sent elsewhere by a header field, beside a body that is nobody's settings or none at all (MS-ASHTTP 3.1.5.2.2).
func TestWatch_movedSession(t *testing.T) {
	bodies := map[string]string{"Sync": "", "Ping": "\x03\x01j\x00", "Search": "<html><body>moved</body></html>"}
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-MS-Location", "https://"+stranger+"/Microsoft-Server-ActiveSync")
		w.WriteHeader(451)
		_, _ = io.WriteString(w, bodies[r.URL.Query().Get("Cmd")])
	})
	for _, door := range doors {
		for cmd, body := range bodies {
			for _, domain := range []string{"example.com", "opened.net"} {
				got := send(t, door.client(w), request(t, http.MethodPost, door.scheme+"://"+domain+"/Microsoft-Server-ActiveSync?Cmd="+cmd+"&User=jane%40"+domain, ""))
				switch to := got.Header.Get("X-MS-Location"); {
				case domain == "example.com" && (got.StatusCode != http.StatusNotFound || to != "" || got.body != ""):
					t.Errorf("%s, %s: guarded, got %d %v %q", door.name, cmd, got.StatusCode, got.Header, got.body)
				case domain == "opened.net" && (got.StatusCode != 451 || !strings.Contains(to, stranger) || got.body != body):
					t.Errorf("%s, %s: not guarded, got %d %v %q", door.name, cmd, got.StatusCode, got.Header, got.body)
				}
			}
		}
	}
	if t.Failed() {
		return
	}
	if r := w.decision(len(doors) * len(bodies)); r["action"] != "refuse" || r["dialect"] != "mobilesync" {
		t.Errorf("recorded %v", r)
	}
}

// Settings do not get by because of what stands between them; what is as long and something else does.
func TestWatch_padding(t *testing.T) {
	t.Parallel()
	padding := "<!-- " + strings.Repeat("x", 1<<20) + " -->"
	bodies := map[string]string{
		"/settings": "<clientConfig>" + padding + "<emailProvider><incomingServer><hostname>" + stranger + "</hostname></incomingServer></emailProvider></clientConfig>",
		"/feed":     "<feed>" + padding + "<link>" + stranger + "</link></feed>",
		"/list":     `<plist version="1.0">` + padding + "<string>" + stranger + "</string></plist>",
	}
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = io.WriteString(w, bodies[r.URL.Path])
	})
	settingsAlone(t, w, bodies, "longer than any of its kind", "", func(got reply, body string) bool { return got.body == body })
}

// Settings do not get by because they break off behind the servers that they name; what is none arrives as far as it came.
func TestWatch_brokenOff(t *testing.T) {
	for _, coding := range []string{"", "deflate"} {
		bodies := map[string]string{
			"/settings": "<clientConfig><emailProvider><incomingServer><hostname>" + stranger + "</hostname></incomingServer></emailProvider></clientConfig>",
			"/feed":     "<feed><link>" + stranger + "</link></feed>",
			"/odd":      `{"protocols":[{"protocol":"imap","hostname":"` + stranger + `","port":993}]}`, // as if, and not enforced
		}
		for path, body := range bodies {
			bodies[path] = body + strings.Repeat(" ", 9000)
			if coding != "" {
				var b strings.Builder
				z, _ := flate.NewWriter(&b, flate.NoCompression) // as long as it is
				_, _ = io.WriteString(z, bodies[path])
				_ = z.Flush()
				bodies[path] = b.String()
			}
		}
		w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
			body := bodies[r.URL.Path]
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Length", strconv.Itoa(len(body)+10))
			if coding != "" {
				w.Header().Set("Content-Encoding", coding)
			}
			_, _ = io.WriteString(w, body)
		})
		settingsAlone(t, w, bodies, "broke off", "truncated", func(got reply, body string) bool {
			return got.err != nil && got.body != "" && strings.HasPrefix(body, got.body)
		})
	}
}

// A rule of some dialects has nothing to say of what breaks off in another.
func TestWatch_brokenOffInAnotherDialect(t *testing.T) {
	policy := operator(t, rules.Rule{Name: "phones", Domains: []string{"opened.net"}, Dialects: []string{"pox"}})
	bodies := map[string]string{"/autoconfig": "<clientConfig><hostname>" + stranger + "</hostname>", "/pox": "<Autodiscover><Server>" + stranger + "</Server>"}
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "9000")
		_, _ = io.WriteString(w, bodies[r.URL.Path])
	}, governed(policy))
	for _, door := range doors {
		for path, body := range bodies {
			got := send(t, door.client(w), request(t, http.MethodGet, door.scheme+"://opened.net"+path, ""))
			if passed := got.err != nil && got.body == body; passed != (path == "/autoconfig") || passed != strings.Contains(got.body, stranger) {
				t.Errorf("%s: %s: got %s %q, %v", door.name, path, got.Status, got.body, got.err)
			}
		}
	}
}

// settingsAlone asks for each path at every door, of a guarded host and of another. The guarded one's /settings must be refused, with a record each, and whatever else
// there is must arrive as it should.
func settingsAlone(t *testing.T, w *world, bodies map[string]string, reason, class string, arrives func(got reply, body string) bool) {
	t.Helper()
	for _, door := range doors {
		client := door.client(w)
		for path, body := range bodies {
			for _, host := range []string{"example.com", "opened.net"} {
				got := send(t, client, request(t, http.MethodGet, door.scheme+"://"+host+path, ""))
				ok := arrives(got, body)
				if host == "example.com" && path == "/settings" {
					ok = !strings.Contains(got.body, stranger) && strings.Contains(got.body, "<clientConfig") && got.err == nil
				}
				if !ok {
					t.Errorf("%s: %s%s: %d bytes of %d, %v", door.name, host, path, len(got.body), len(body), got.err)
				}
			}
		}
	}
	if t.Failed() {
		return
	}
	r := w.decision(len(doors))
	if r["action"] != "refuse" || r["dialect"] != "autoconfig" || !strings.HasSuffix(r["reason"].(string), reason) || r["upstream"].(map[string]any)["error"] != class || w.decisions.Len() != len(doors) {
		t.Errorf("%d records, want %d: %v", w.decisions.Len(), len(doors), r)
	}
}

// What a server sends piece by piece about somebody guarded, for as long as it likes, reaches the client piece by piece: notifications do not end.
func TestWatch_streams(t *testing.T) {
	const soap = `<?xml version="1.0" encoding="utf-8"?><Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>` +
		`<m:GetStreamingEventsResponse xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">`
	for name, c := range map[string]struct{ contentType, first string }{
		"events":              {"text/event-stream", "event: state\ndata: {\"changed\": {}}\n\n"},
		"ActiveSync":          {"application/vnd.ms-sync.wbxml", "\x03\x01\x6a\x00\x00\x07\x45\x5c\x4f\x50\x03\x41\x69\x72\x00\x01\x4b"},
		"Exchange":            {"text/xml; charset=utf-8", soap},
		"objects by the line": {"application/x-ndjson", "{\"changed\": {}}\n{\"changed\": {}}\n"},
		"an array":            {"application/json", "[{\"changed\": {}},\n{\"changed\": {}},\n"},
		"a page for people":   {"text/html", "<!doctype html><html><body>please wait"},
		"a page without type": {"", "<html><body>please wait"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, door := range doors {
				w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header()["Content-Type"] = nil
					if c.contentType != "" {
						w.Header().Set("Content-Type", c.contentType)
					}
					_, _ = io.WriteString(w, c.first)
					w.(http.Flusher).Flush()
					<-r.Context().Done()
				})
				resp, err := door.client(w).RoundTrip(request(t, http.MethodGet, door.scheme+"://example.com/my/notifications", ""))
				if err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(c.first))
				if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != c.first {
					t.Errorf("%s: got %q, %v", door.name, got, err)
				}
				_ = resp.Body.Close()
			}
		})
	}
}

// Settings that come piece by piece are held until they are whole, with a length or without.
func TestWatch_settingsInPieces(t *testing.T) {
	const settings = `<?xml version="1.0"?><Autodiscover><Response><Account><Protocol><Type>IMAP</Type><Server>` + stranger +
		`</Server></Protocol></Account></Response></Autodiscover>`
	for _, door := range doors {
		w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/xml")
			for piece := range strings.SplitSeq(settings, ">") {
				_, _ = io.WriteString(w, strings.TrimSuffix(piece+">", "\n>"))
				w.(http.Flusher).Flush()
			}
		})
		got := send(t, door.client(w), request(t, http.MethodGet, door.scheme+"://example.com/my/settings", ""))
		if strings.Contains(got.body, stranger) {
			t.Errorf("%s: got %d %q", door.name, got.StatusCode, got.body)
		}
	}
}
