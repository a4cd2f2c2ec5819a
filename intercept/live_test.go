package intercept_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

// flusher is what packs a stream piece by piece.
type flusher interface {
	io.Writer
	Flush() error
}

// TestWatch_codedStreams: what somebody guarded is sent compressed is looked at like the rest, and not held back because it is.
func TestWatch_codedStreams(t *testing.T) {
	t.Parallel()
	page := "<!doctype html><html><head><title>Webmail</title></head><body>" + strings.Repeat("<p>one moment, please</p>", 40)
	script := "/* nobody's settings */ " + strings.Repeat("let a = 1;\n", 100)
	const notes = `<?xml version="1.0" encoding="utf-8"?><Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>` +
		`<m:GetStreamingEventsResponse xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">`
	const event = "event: state\ndata: {\"changed\": {}}\n\n"
	for name, c := range map[string]struct {
		coding, text string
		pack         func(io.Writer) flusher
	}{
		"a page, gzip":        {"gzip", page, gzipFlusher},
		"a page, br":          {"br", page, func(w io.Writer) flusher { return brotli.NewWriter(w) }},
		"a page, deflate":     {"deflate", page, func(w io.Writer) flusher { f, _ := flate.NewWriter(w, 6); return f }},
		"a script, gzip":      {"gzip", script, gzipFlusher},
		"events, gzip":        {"gzip", event, gzipFlusher},
		"notifications, gzip": {"gzip", notes, gzipFlusher},
		"an archive":          {"", "\x00\x01\x02 a file of an archive that is packed as a whole", gzipFlusher},
	} {
		t.Run(name, func(t *testing.T) {
			var packed bytes.Buffer
			p := c.pack(&packed)
			_, _ = io.WriteString(p, c.text)
			_ = p.Flush()
			for _, door := range everyDoor {
				w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "application/octet-stream")
					if c.coding != "" {
						w.Header().Set("Content-Encoding", c.coding)
					}
					_, _ = w.Write(packed.Bytes())
					w.(http.Flusher).Flush()
					<-r.Context().Done()
				})
				r := request(t, http.MethodGet, door.scheme+"://example.com/some/page", "")
				r.Header.Set("Accept-Encoding", "gzip, deflate, br")
				resp, err := door.client(w).RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				got := make([]byte, packed.Len())
				if _, err := io.ReadFull(resp.Body, got); err != nil || !bytes.Equal(got, packed.Bytes()) {
					t.Errorf("%s: got %q, %v", door.name, got, err)
				}
				_ = resp.Body.Close()
			}
		})
	}
}

func gzipFlusher(w io.Writer) flusher { return gzip.NewWriter(w) }

// TestWatch_sessions: whoever asks for notifications in a protocol that has its own type for them gets the header before the first of them, and each
// however short.
func TestWatch_sessions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, asks, field, says, first string
	}{
		"events before the first":    {http.MethodGet, "text/event-stream", "Accept", "text/event-stream", ""},
		"a short event":              {http.MethodGet, "text/html, text/event-stream;q=0.9", "Accept", "text/event-stream;charset=utf-8", ":\n\n"},
		"MAPI that is processed":     {http.MethodPost, "application/mapi-http", "Content-Type", "application/mapi-http", "PROCESSING\r\n"},
		"MAPI, whatever it is coded": {http.MethodPost, "Application/MAPI-HTTP", "Content-Type", "application/mapi-http", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, door := range everyDoor {
				w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", c.says)
					_, _ = io.WriteString(w, c.first)
					w.(http.Flusher).Flush()
					<-r.Context().Done()
				})
				r := request(t, c.method, door.scheme+"://example.com/session", "")
				r.Header.Set(c.field, c.asks)
				resp, err := door.client(w).RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(c.first))
				if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != c.first || resp.Header.Get("Content-Type") != c.says {
					t.Errorf("%s: got %q, %v", door.name, got, err)
				}
				_ = resp.Body.Close()
			}
		})
	}
}

// TestWatch_sessionsOfNobody: settings that call themselves notifications are settings, unless somebody asked for notifications.
func TestWatch_sessionsOfNobody(t *testing.T) {
	const settings = `<clientConfig version="1.1"><emailProvider id="example.com"><incomingServer type="imap"><hostname>` + stranger + `</hostname></incomingServer></emailProvider></clientConfig>`
	for _, door := range everyDoor {
		w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", r.URL.Query().Get("as"))
			_, _ = io.WriteString(w, settings)
		})
		for _, c := range []struct{ accepts, says string }{{"*/*", "text/event-stream"}, {"", "application/mapi-http"}, {"text/event-stream", "text/xml"}} {
			r := request(t, http.MethodGet, door.scheme+"://example.com/session?as="+c.says, "")
			r.Header["Accept"] = []string{c.accepts}
			if got := send(t, door.client(w), r); strings.Contains(got.body, stranger) {
				t.Errorf("%s, %q, %q: %s", door.name, c.accepts, c.says, got.body)
			}
		}
	}
}

// TestStream_headerBeforeAnything: who subscribes to something, or talks in turns, waits for the header, behind which nothing may come for hours.
func TestStream_headerBeforeAnything(t *testing.T) {
	for _, mediaType := range []string{"text/event-stream", "application/grpc", "text/xml"} {
		for _, door := range everyDoor {
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", mediaType)
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			})
			resp, err := door.client(w).RoundTrip(request(t, http.MethodPost, door.scheme+"://opened.net/subscribe", "all"))
			if err != nil {
				t.Fatal(err)
			}
			if got := resp.Header.Get("Content-Type"); got != mediaType {
				t.Errorf("%s: %s, want %s", door.name, got, mediaType)
			}
			_ = resp.Body.Close()
		}
	}
}
