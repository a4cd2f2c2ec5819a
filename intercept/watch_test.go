package intercept_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
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
