package intercept_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"autodiscover-guard/intercept"
)

// A server that says more than it was asked for has it quoted by net/http's transport, whatever that is: here what the client has said to it.
func TestStandardLog_answersThatNobodyAskedFor(t *testing.T) { // not parallel: the transport knows the standard logger alone
	said := make(chan string, 1)
	core, _ := observer.New(zap.DebugLevel)
	logger := zap.New(core, zap.Hooks(func(e zapcore.Entry) error {
		select {
		case said <- e.Message:
		default:
		}
		return nil
	}))
	old, flags := log.Writer(), log.Flags()
	log.SetOutput(intercept.StandardLog(logger).Writer())
	log.SetFlags(0)
	defer func() {
		log.SetOutput(old)
		log.SetFlags(flags)
	}()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
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
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/?token="+password, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("mailbox.name", password)
	transport := new(http.Transport)
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	response.Body.Close()
	if got := await(t, said); got != "Unsolicited response received on idle HTTP channel starting with …; err=<nil>" {
		t.Errorf("got %q", got)
	}
}

// A client that takes HTTP/2 in the handshake and then speaks HTTP/1 has what it says quoted by the server.
func TestStandardLog_questionsThatAreNone(t *testing.T) {
	t.Parallel()
	var j journal
	w := newWorld(t, jsonAnswer("{}"), j.keep)
	c, err := w.tls(docHost+":443", &tls.Config{ServerName: docHost, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /?mailbox.name@x.org HTTP/1.1\r\nHost: "+docHost+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, c) // until it is closed: then the line is written
	w.stop()
	_, life := j.text()
	checkAbsent(t, "the life-cycle log", life, "mailbox.name")
	if !strings.Contains(life, "bogus greeting") {
		t.Errorf("the log has nothing of it any more: %s", life)
	}
}
