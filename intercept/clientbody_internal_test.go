package intercept

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// A server may take half a body for the whole and answer, where TLS says the end of it before the connection is closed.
func TestClientBody_answered(t *testing.T) {
	gone := errors.New("gone")
	for _, c := range []struct {
		name        string
		body        io.Reader
		leaves      bool // the client, as far as net/http knows
		bereft      bool // upstream has closed its connection
		failed      error
		want        error
		closed, end bool
	}{
		{"whole", strings.NewReader("a"), false, false, nil, nil, false, true},
		{"whole, and the client left", strings.NewReader("a"), true, false, nil, nil, false, true},
		{"it broke off", iotest.ErrReader(gone), false, false, nil, errBodyCut, true, true},
		{"it broke off, and so did the answer", iotest.ErrReader(gone), false, false, gone, errBodyCut, false, true},
		{"it breaks off, and only net/http knows", strings.NewReader("a"), true, false, nil, errBodyCut, true, false},
		{"upstream was quicker", strings.NewReader("a"), true, true, nil, nil, false, false},
		{"upstream fails", strings.NewReader("a"), false, false, gone, gone, false, false},
		{"early", strings.NewReader("a"), false, false, nil, nil, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			b := &clientBody{ReadCloser: io.NopCloser(c.body), ctx: ctx, h1: true, awaited: true}
			if c.end {
				_, _ = io.ReadAll(b)
			}
			if c.bereft {
				b.bereft()
			}
			if c.leaves {
				leave()
			}
			answer := &closing{Reader: strings.NewReader("ok")}
			resp := &http.Response{Body: answer}
			if c.failed != nil {
				resp = nil
			}
			if err := b.answered(resp, c.failed); !errors.Is(err, c.want) || answer.closed != c.closed {
				t.Errorf("got %v, closed: %t; want %v, %t", err, answer.closed, c.want, c.closed)
			}
		})
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}
