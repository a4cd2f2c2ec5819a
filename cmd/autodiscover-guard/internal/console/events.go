package console

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"autodiscover-guard/cmd/autodiscover-guard/internal/review"
)

const (
	// maxListeners bounds the pages that are open at the same time.
	maxListeners = 32
	// heartbeat is how often a listener hears of us when nothing happens: a connection that is gone is noticed, and no proxy between takes it for idle.
	heartbeat = 15 * time.Second
	// writeTimeout is how long a listener may take for what it is sent. It loses nothing by being dropped: it comes back with the last number that it got.
	writeTimeout = 5 * time.Second
)

// events sends decisions as they come, as server-sent events (HTML Living Standard, section 9.2):
//
//	decision  a row of the page, as HTML
//	at        nothing has happened that fits; its id is where the listener stands
//	gap       how many records had left the ring before the listener could be told of them
//	restart   the listener's last number is that of another process
//
// A listener that says what it had last, as Last-Event-ID or after, gets what has come since then; any other one what comes from now on.
func events(c Config) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead { // there is nothing to listen to, and what its sender asks for next would wait behind it
			secure(w.Header(), "text/event-stream", noContent)
			return
		}
		wake, leave, ok := c.Recent.listen(maxListeners)
		if !ok {
			w.Header().Set("Retry-After", "10")
			sendText(w, http.StatusServiceUnavailable, "as many pages are open as may be")
			return
		}
		defer leave()
		s := stream{ring: c.Recent, query: readQuery(r), w: w, control: http.NewResponseController(w)}
		_ = s.control.SetReadDeadline(time.Time{}) // the server's own is for requests: it would end this one
		secure(w.Header(), "text/event-stream", noContent)
		s.begin(r)
		tick := time.NewTicker(heartbeat)
		defer tick.Stop()
		for s.send() {
			select {
			case <-wake:
			case <-tick.C:
				s.at()
			case <-r.Context().Done():
				return
			}
		}
	}
}

// stream is one listener.
type stream struct {
	ring    *Ring
	query   query
	w       http.ResponseWriter
	control *http.ResponseController
	last    uint64 // the number that it knows of
	out     bytes.Buffer
}

// begin finds out where the listener stands.
func (s *stream) begin(r *http.Request) {
	s.last = s.ring.latest()
	s.out.WriteString("retry: 2000\n\n")
	name := r.Header.Get("Last-Event-ID")
	if name == "" {
		name = r.URL.Query().Get("after")
	}
	switch n, ok := s.ring.numbered(name); {
	case ok:
		s.last = min(n, s.last)
	case name != "":
		s.event("restart", "-")
	}
	s.at()
}

// at says where the listener stands.
func (s *stream) at() { s.event("at", "-") }

// event writes an event. Each line of it is a field of its own.
func (s *stream) event(kind, data string) {
	fmt.Fprintf(&s.out, "event: %s\nid: %s\n", kind, s.ring.name(s.last))
	for line := range bytes.Lines([]byte(data)) {
		s.out.WriteString("data: ")
		s.out.Write(bytes.TrimRight(line, "\r\n"))
		s.out.WriteByte('\n')
	}
	s.out.WriteByte('\n')
}

// send sends what has been written, and what is new. False means that the listener is gone, or too slow.
func (s *stream) send() bool {
	for {
		all, missed := s.ring.after(s.last)
		if missed > 0 {
			s.last += missed
			s.event("gap", strconv.FormatUint(missed, 10))
		}
		for _, k := range all {
			s.last = k.number
			s.row(k)
			if s.out.Len() > 64<<10 && !s.flush() {
				return false
			}
		}
		if len(all) == 0 {
			return s.flush()
		}
	}
}

// row writes a decision, if it fits.
func (s *stream) row(k kept) {
	var rec review.Record
	if !parse(k.line, &rec) || !s.query.fits(&rec) {
		return
	}
	var b bytes.Buffer
	if err := liveTemplate.ExecuteTemplate(&b, "row", newRow(s.ring.name(k.number), &rec)); err == nil { // into memory; a row always renders
		s.event("decision", b.String())
	}
}

func (s *stream) flush() bool {
	if s.out.Len() == 0 {
		return true
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // a test's writer knows none
	_, err := s.w.Write(s.out.Bytes())
	s.out.Reset()
	return err == nil && s.control.Flush() == nil
}

// decisions gives the records that are kept and fit, the oldest first, in the form in which the log has them:
//
//	{"missed":0,"decisions":[{"id":"…","record":{…}}, …]}
//
// With after=ID only those that came later; missed is how many of them are not kept any more.
func decisions(c Config) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := readQuery(r)
		if q.Problem != "" { // a program would take an empty list for the answer
			sendText(w, http.StatusBadRequest, q.Problem)
			return
		}
		after, known := c.Recent.numbered(r.URL.Query().Get("after"))
		all, missed := c.Recent.after(after)
		if !known {
			missed = 0
		}
		var b bytes.Buffer
		b.WriteString(`{"missed":` + strconv.FormatUint(missed, 10) + `,"decisions":[`)
		first := true
		for _, k := range all {
			var rec review.Record
			if !parse(k.line, &rec) || !q.fits(&rec) || !jsontext.Value(k.line).IsValid() {
				continue
			}
			if !first {
				b.WriteString(",\n")
			}
			first = false
			b.WriteString(`{"id":"` + c.Recent.name(k.number) + `","record":`)
			b.Write(k.line)
			b.WriteByte('}')
		}
		b.WriteString("]}\n")
		send(w, "application/json", b.Bytes())
	}
}
