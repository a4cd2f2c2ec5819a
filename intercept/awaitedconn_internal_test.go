package intercept

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptrace"
	"testing"
	"time"
)

// A server that begins another handshake and does not go on keeps its reader, and nobody who is given the connection: he has to hear of his client's departure.
func TestAwaitReader_handshakeUnderWay(t *testing.T) {
	near, far := tcpPair(t)
	conn := tls.Client(&notifyingConn{Conn: awaited(near)}, &tls.Config{ServerName: "opened.net", MinVersion: tls.VersionTLS12})
	over := make(chan error, 1)
	go func() { over <- conn.Handshake() }()
	if _, err := io.ReadFull(far, make([]byte, 5)); err != nil { // it is under way
		t.Fatal(err)
	}
	awaitedReader := make(chan struct{})
	go func() {
		awaitReader(httptrace.GotConnInfo{Conn: conn, Reused: true})
		close(awaitedReader)
	}()
	select {
	case <-awaitedReader:
	case <-time.After(10 * time.Second):
		t.Error("it waits for the handshake")
	}
	_ = far.Close()
	if <-over == nil {
		t.Error("the handshake ended well")
	}
	_ = conn.Close()
	<-awaitedReader
}

// tcpPair is a connection on loopback, from both of its ends.
func tcpPair(tb testing.TB) (near, far net.Conn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		tb.Fatal(err)
	}
	return near, far
}
