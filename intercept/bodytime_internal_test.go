package intercept

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// deadlines is a connection that counts how often it is given time.
type deadlines struct {
	http.ResponseWriter

	given, taken int
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	if t.IsZero() {
		d.taken++
	} else {
		d.given++
	}
	return nil
}

// What a client may take for its body it may take once: before, who was refused with half a body got as long again, since that is read twice.
func TestExchange_oneTimeForABody(t *testing.T) {
	for name, c := range map[string]struct {
		err          error
		given, taken int
	}{
		"half a body": {os.ErrDeadlineExceeded, 1, 0},
		"a whole one": {nil, 2, 2},
	} {
		conn := new(deadlines)
		x := &exchange{p: &Plugin{limits: Limits{BodyBytes: 4 << 10, Body: time.Second}}, control: http.NewResponseController(conn)}
		r := &http.Request{Body: io.NopCloser(strings.NewReader("<Auto"))}
		if c.err != nil {
			r.Body = io.NopCloser(io.MultiReader(r.Body, iotest.ErrReader(c.err)))
		}
		head, over, err := x.read(r.Body, 100)
		x.body = head
		x.drain(x.reread(r, over, err))
		if conn.given != c.given || conn.taken != c.taken {
			t.Errorf("%s: given %d times and taken back %d, want %d and %d", name, conn.given, conn.taken, c.given, c.taken)
		}
	}
}
