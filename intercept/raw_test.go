package intercept_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"
)

// raw sends bytes to the guard and reads one answer.
func (w *world) raw(tb testing.TB, text string) reply {
	tb.Helper()
	c, err := dial(w.addr)
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, text)
	return answer(tb, c, http.MethodGet)
}

var readers sync.Map // net.Conn → *bufio.Reader, so that nothing buffered is lost between two answers

// answer reads one answer from a connection.
func answer(tb testing.TB, c net.Conn, method string) reply {
	tb.Helper()
	_ = c.SetReadDeadline(time.Now().Add(enough()))
	r, _ := readers.LoadOrStore(c, bufio.NewReader(c))
	resp, err := http.ReadResponse(r.(*bufio.Reader), &http.Request{Method: method})
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			waitedInVain.Add(1)
		}
		tb.Fatalf("reading an answer: %v", err)
	}
	if method == http.MethodConnect && resp.StatusCode == http.StatusOK {
		return reply{Response: resp} // what follows is the tunnel's
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp, string(body), err}
}

func clientFor(name string) *tls.Config { return &tls.Config{ServerName: name} }
