package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// A server that says more than it was asked for has it quoted by net/http, whatever that is: here what the client has said to it.
func TestDebugLog_quotesNobody(t *testing.T) { // not parallel: the transport knows the standard logger alone
	said := make(chan string, 1)
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoderConfig()), zapcore.AddSync(io.Discard), zap.DebugLevel), zap.Hooks(func(e zapcore.Entry) error {
		said <- e.Message
		return nil
	}))
	old := log.Writer()
	log.SetOutput(debugLog(logger).Writer())
	defer log.SetOutput(old)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	defer l.Close()
	go func() {
		c, err := l.Accept() // which the listener's end ends, too
		if err != nil {
			return
		}
		defer c.Close()
		head := make([]byte, 4096)
		n, _ := c.Read(head)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 \"oops\"\r\n\r\n%s", head[:n])
		_, _ = io.Copy(io.Discard, c) // until the transport has gone
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/?token=geheim", nil)
	must(err)
	r.SetBasicAuth("mailbox.name", "geheim")
	transport := new(http.Transport)
	response, err := transport.RoundTrip(r)
	must(err)
	_, _ = io.Copy(io.Discard, response.Body)
	response.Body.Close()
	got := await(t, said)
	if !strings.Contains(got, "Unsolicited response") || !strings.HasSuffix(got, "starting with …; err=<nil>") {
		t.Errorf("got %q", got)
	}
}
