package intercept_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// A server that would like a client's certificate in one place asks for it when it has read the request, in a second handshake, and answers whoever has
// none as well. crypto/tls can play no such server.
func TestUpstream_wantsACertificateBehindTheRequest(t *testing.T) {
	openssl := program(t, "openssl", "openssl")
	web := newAuthority(t, "other web")
	s := startRenegotiating(t, openssl, web)
	w := newWorld(t, jsonAnswer(""), everywhere(s.addr), timeouts(func(u *intercept.UpstreamConfig) { u.Roots = web.roots() }))
	client := w.client(false)
	served := make(chan error, 1)
	go func() { served <- s.serve(2) }()
	for range 2 { // over one connection
		if got := send(t, client, request(t, http.MethodGet, "https://opened.net/", "")); got.StatusCode != http.StatusOK || got.body != "reached" {
			t.Fatalf("got %d %q", got.StatusCode, got.body)
		}
	}
	if err := await(t, served); err != nil {
		t.Error(err)
	}
}

// renegotiating is OpenSSL's server, which shows what it gets and sends what it is given. Its stdin takes R for a handshake that asks for a certificate.
type renegotiating struct {
	addr string
	out  *bufio.Reader
	in   io.Writer
}

func startRenegotiating(t *testing.T, openssl string, web *authority) *renegotiating {
	t.Helper()
	cert, err := web.sign(&x509.Certificate{DNSNames: []string{"opened.net"}})
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "server.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cmd := exec.CommandContext(ctx, openssl, "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-cert", file)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	s := &renegotiating{out: bufio.NewReader(out), in: in}
	line, err := s.await("ACCEPT ")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = strings.TrimSpace(strings.TrimPrefix(line, "ACCEPT "))
	return s
}

// serve answers n requests, each behind a handshake.
func (s *renegotiating) serve(n int) error {
	for range n {
		for _, step := range []struct{ until, then string }{
			{"Host: opened.net", ""},
			{"\n", "R\n"},
			{"Read BLOCK", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nreached"}, // the client has begun the handshake
		} {
			if _, err := s.await(step.until); err != nil {
				return err
			}
			if _, err := io.WriteString(s.in, step.then); err != nil {
				return err
			}
		}
	}
	return nil
}

// await reads to a line that begins so.
func (s *renegotiating) await(start string) (string, error) {
	for {
		line, err := s.out.ReadString('\n')
		if err != nil || strings.HasPrefix(strings.ReplaceAll(line, "\r", ""), start) {
			return line, err
		}
	}
}
