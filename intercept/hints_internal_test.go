package intercept

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"testing"

	"autodiscover-guard/rules"
)

// sayings is a ResponseWriter that remembers the informational answers.
type sayings struct {
	*httptest.ResponseRecorder
	hints []http.Header
}

func (s *sayings) WriteHeader(code int) {
	if code < http.StatusOK {
		s.hints = append(s.hints, maps.Clone(s.Header()))
		return
	}
	s.ResponseRecorder.WriteHeader(code)
}

func newHinted() (*responseWriter, *sayings) {
	said := &sayings{ResponseRecorder: httptest.NewRecorder()}
	x := &exchange{p: new(Plugin), http1: true}
	x.plan.Step = rules.Ignore
	x.p.stopping = context.Background()
	return &responseWriter{inner: said, x: x}, said
}

// A hint has the fields that upstream gave it and no others, and leaves those alone that stand ready for the answer. What belongs to upstream's connection ends here.
func TestHints_fields(t *testing.T) {
	rw, said := newHinted()
	said.Header().Set("Server", "ours")
	_ = rw.hint(http.StatusEarlyHints, textproto.MIMEHeader{"Link": {"</a>"}, "Connection": {"X-Own, Upgrade"}, "X-Own": {"1"}, "Upgrade": {"websocket"}})
	if len(said.hints) != 1 {
		t.Fatalf("got %d hints", len(said.hints))
	}
	hint := said.hints[0]
	if hint.Get("Link") != "</a>" || hint.Get("Server")+hint.Get("Connection")+hint.Get("X-Own")+hint.Get("Upgrade") != "" {
		t.Errorf("the hint has %v", hint)
	}
	if h := said.Header(); len(h) != 1 || h.Get("Server") != "ours" {
		t.Errorf("for the answer stands ready %v", h)
	}
}

// The Transport hints from a goroutine of its own, which may be late: behind the beginning of the answer it would write into the answer's header, and behind the
// exchange into another one's.
func TestHints_late(t *testing.T) {
	for name, begin := range map[string]func(*responseWriter){
		"a handler asks for the header": func(rw *responseWriter) { rw.Header() },
		"the header is written":         func(rw *responseWriter) { rw.WriteHeader(http.StatusOK) },
		"the body is written":           func(rw *responseWriter) { _, _ = rw.Write([]byte("x")) },
		"the connection is taken over":  func(rw *responseWriter) { _, _, _ = rw.Hijack() },
		"we answer ourselves":           func(rw *responseWriter) { rw.answer(&http.Response{StatusCode: http.StatusOK, Body: http.NoBody}) },
		"the exchange ends":             func(rw *responseWriter) { rw.finish() },
	} {
		t.Run(name, func(t *testing.T) {
			rw, said := newHinted()
			begin(rw)
			_ = rw.hint(http.StatusEarlyHints, textproto.MIMEHeader{"Link": {"</a>"}})
			if len(said.hints) != 0 || said.Header().Get("Link") != "" {
				t.Errorf("got %v, and %v in the header", said.hints, said.Header())
			}
		})
	}
}
