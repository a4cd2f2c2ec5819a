package intercept

import (
	"errors"
	"io"
)

// clientBody is a request's body as the transport reads it, in a goroutine of its own, which may go on when upstream has answered already. net/http (go1.26, server.go:
// connReader) panics where that meets its own reading of the connection, and in that goroutine nothing would stand between the panic and the end of the process.
type clientBody struct{ io.ReadCloser }

var errBodyTaken = errors.New("the request's body is read by somebody else")

// Read implements io.Reader.
func (b clientBody) Read(p []byte) (n int, err error) {
	defer func() {
		if recover() != nil {
			n, err = 0, errBodyTaken
		}
	}()
	return b.ReadCloser.Read(p)
}

// Close implements io.Closer.
func (b clientBody) Close() (err error) {
	defer func() {
		if recover() != nil {
			err = errBodyTaken
		}
	}()
	return b.ReadCloser.Close()
}
