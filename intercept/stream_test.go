package intercept_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"autodiscover-guard/intercept"
)

// secureDoor serves the explicit door over TLS, with HTTP/2, at an address of its own.
func (w *world) secureDoor(t *testing.T) string {
	t.Helper()
	return w.serveSecurely(t, w.server.Handler)
}

// serveSecurely is the same with something in front of the front.
func (w *world) serveSecurely(t *testing.T, handler http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler: handler, ConnContext: w.plugin.ConnContext, ErrorLog: w.server.ErrorLog, ReadHeaderTimeout: w.headerTimeout,
		TLSConfig: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return w.web.Leaf("proxy.test") }},
	}
	if err := w.plugin.ConfigureHTTP2(server); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(w.plugin.SecureListener(l, server.TLSConfig))
	}()
	t.Cleanup(func() {
		_ = w.plugin.Close()
		_ = server.Close()
		await(t, done)
	})
	return l.Addr().String()
}

// h2 makes an HTTP/2 connection to the secure door.
func (w *world) h2(t *testing.T, addr string) *http.ClientConn {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{ServerName: "proxy.test", RootCAs: w.web.roots()}, Protocols: new(http.Protocols), ResponseHeaderTimeout: enough()}
	transport.Protocols.SetHTTP2(true)
	h2, err := transport.NewClientConn(t.Context(), "https", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h2.Close() })
	return h2
}

// stream is a CONNECT stream as a client's connection.
type stream struct {
	net.Conn // a pipe, to read from
	say      net.Conn
	resp     *http.Response
	ended    chan error // how the guard ended it; nil in good form
	reset    func()
}

// connectStream opens a tunnel in an HTTP/2 connection.
func connectStream(t *testing.T, h2 *http.ClientConn, target string) (*stream, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	up, body := bodyPipe(t)
	r := (&http.Request{Method: http.MethodConnect, URL: &url.URL{Scheme: "https", Host: target}, Host: target, Header: http.Header{}, Body: up, ContentLength: -1}).WithContext(ctx)
	resp, err := h2.RoundTrip(r)
	if err != nil {
		cancel()
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer cancel()
		text, _ := io.ReadAll(resp.Body)
		return nil, errors.New(resp.Status + ": " + string(text))
	}
	near, far := net.Pipe()
	said, say := net.Pipe()
	done, ended := make(chan struct{}, 2), make(chan error, 1)
	go func() { _, _ = io.Copy(body, said); _ = body.Close(); done <- struct{}{} }()
	go func() {
		_, err := io.Copy(far, resp.Body)
		ended <- err
		_ = far.Close()
		done <- struct{}{}
	}()
	t.Cleanup(func() {
		_ = near.Close()
		_ = say.Close()
		cancel()
		_ = resp.Body.Close()
		await(t, done)
		await(t, done)
	})
	return &stream{near, say, resp, ended, func() { _ = resp.Body.Close() }}, nil
}

// Write implements net.Conn.
func (s *stream) Write(p []byte) (int, error) { return s.say.Write(p) }

// CloseWrite ends what the client says.
func (s *stream) CloseWrite() error { return s.say.Close() }

// Close implements net.Conn.
func (s *stream) Close() error {
	_ = s.say.Close()
	return s.Conn.Close()
}

func TestStream_opensDiscovery(t *testing.T) {
	for _, inner := range []string{"h2", "http/1.1"} {
		t.Run(inner, func(t *testing.T) {
			w := newWorld(t, jsonAnswer(suggest("email@example.com", stranger)))
			h2 := w.h2(t, w.secureDoor(t))
			transport := &http.Transport{
				ForceAttemptHTTP2: inner == "h2", TLSClientConfig: &tls.Config{RootCAs: w.issuer.roots()}, DisableCompression: true,
				DialContext: func(_ context.Context, _, addr string) (net.Conn, error) { return connectStream(t, h2, addr) },
			}
			defer transport.CloseIdleConnections()
			for n := range 3 { // on one connection: the stream must outlive net/http's read deadlines
				got := send(t, transport, ask(t, "https", "email@example.com"))
				if got.body != suggest("email@example.com") || got.err != nil || strings.ToLower(got.Proto)[:6] != map[string]string{"h2": "http/2", "http/1.1": "http/1"}[inner] {
					t.Errorf("got %s %d %q, %v", got.Proto, got.StatusCode, got.body, got.err)
				}
				if record := w.decision(n + 1); record["door"] != "connect" || record["action"] != "refuse" || record["client"] != "127.0.0.1" {
					t.Errorf("got record %v", record)
				}
			}
			if s := w.plugin.Stats(); s.Tunnels != 1 {
				t.Errorf("got %d tunnels for one connection", s.Tunnels)
			}
			transport.CloseIdleConnections()
			w.eventually(t, "the slot", func(s intercept.Stats) bool { return s.Tunnels == 0 })
		})
	}
}

func TestStream_otherTargets(t *testing.T) {
	echo := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	w := newWorld(t, jsonAnswer("its own"), resolve(bank+":25", echo), limits(intercept.Limits{Tunnels: 3}))
	h2 := w.h2(t, w.secureDoor(t))

	c, err := connectStream(t, h2, bank+":25")
	if err != nil {
		t.Fatal(err)
	}
	echoes(t, c, c)

	c, err = connectStream(t, h2, central+":80") // plain HTTP inside, several requests
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	for range 3 {
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: "+central+"\r\n\r\n")
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := io.ReadAll(resp.Body); string(text) != "its own" {
			t.Errorf("got %q", text)
		}
	}

	c, err = connectStream(t, h2, bank+":443")
	if err != nil {
		t.Fatal(err)
	}
	if err := tls.Client(c, &tls.Config{ServerName: bank, RootCAs: w.web.roots()}).HandshakeContext(t.Context()); err != nil {
		t.Errorf("a site's own certificate: %v", err)
	}

	for target, want := range map[string]string{bank: "400", bank + ":443": "503", "autodiscover.com:993": "403"} {
		if _, err := connectStream(t, h2, target); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", target, err, want)
		}
	}
	if got := w.plugin.Stats(); got.Tunnels != 3 || got.Connections != 1 {
		t.Errorf("got %+v, want 3 tunnels in 1 connection", got)
	}
}

// A stop cuts opened streams off and waits for nobody for ever.
func TestStream_close(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"))
	c, err := connectStream(t, w.h2(t, w.secureDoor(t)), central+":443")
	if err != nil {
		t.Fatal(err)
	}
	inner := tls.Client(c, &tls.Config{ServerName: central, RootCAs: w.issuer.roots()})
	if err := inner.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.plugin.Close(); err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("got %v, want the end", err)
	}
	w.eventually(t, "the slot", func(s intercept.Stats) bool { return s.Tunnels == 0 })
}

// Over HTTP/2 a browser asks its proxy for plain HTTP; what is meant for https must not travel on in the clear.
func TestStream_plainRequest(t *testing.T) {
	s := &spy{next: jsonAnswer(suggest("email@example.com", stranger))}
	w := newWorld(t, s.handle)
	h2 := w.h2(t, w.secureDoor(t))
	if got := send(t, h2, ask(t, "https", "email@example.com")); got.StatusCode != http.StatusBadRequest || s.asked.Load() != 0 {
		t.Errorf("https: got %d %q, want 400", got.StatusCode, got.body)
	}
	if got := send(t, h2, ask(t, "http", "email@example.com")); got.StatusCode != http.StatusOK || got.body != suggest("email@example.com") {
		t.Errorf("http: got %d %q", got.StatusCode, got.body)
	}
	if got := send(t, h2, request(t, http.MethodGet, "http://opened.net/", "")); got.StatusCode != http.StatusOK || s.asked.Load() == 0 {
		t.Errorf("not discovery: got %d %q", got.StatusCode, got.body)
	}
}

// The explicit door over TLS, HTTP/1.1.
func TestSecureDoor_http1(t *testing.T) {
	addr := listen(t, func(c net.Conn) {
		all, _ := io.ReadAll(c)
		_, _ = c.Write(append([]byte("heard "), all...))
	})
	w := newWorld(t, jsonAnswer(suggest("email@example.com", stranger)), resolve(bank+":25", addr))
	door := w.secureDoor(t)
	client := w.client(false)
	client.Proxy = http.ProxyURL(&url.URL{Scheme: "https", Host: door})
	client.TLSClientConfig.ServerName = ""
	client.DialTLSContext = func(ctx context.Context, _, addr string) (net.Conn, error) {
		d := tls.Dialer{Config: &tls.Config{ServerName: "proxy.test", RootCAs: w.web.roots()}}
		return d.DialContext(ctx, "tcp", addr)
	}
	for _, scheme := range []string{"http", "https"} {
		if got := send(t, client, ask(t, scheme, "email@example.com")); got.body != suggest("email@example.com") {
			t.Errorf("%s: got %d %q", scheme, got.StatusCode, got.body)
		}
	}
	c, err := dialTLS(door, &tls.Config{ServerName: "proxy.test", RootCAs: w.web.roots()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "CONNECT "+bank+":25 HTTP/1.1\r\nHost: "+bank+":25\r\n\r\n")
	answer(t, c, http.MethodConnect)
	_, _ = io.WriteString(c, "hello")
	_ = c.CloseWrite()
	if got, err := io.ReadAll(c); string(got) != "heard hello" {
		t.Errorf("half-close: got %q, %v", got, err)
	}
}

func TestSecureDoor_curl(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("skipped: curl is not installed")
	}
	w := newWorld(t, jsonAnswer(suggest("email@example.com", stranger)))
	door := w.secureDoor(t)
	for _, url := range []string{"http://" + central + detect, "https://" + central + detect} {
		for _, version := range []string{"--http1.1", "--http2"} {
			out, err := exec.Command("curl", "--silent", "--show-error", "--max-time", "20", version, "--proxy", "https://"+door, "--proxy-insecure", "--insecure",
				"--user", "email@example.com:"+password, url).CombinedOutput()
			if err != nil || string(out) != suggest("email@example.com") {
				t.Errorf("%s %s: got %q, %v", version, url, out, err)
			}
		}
	}
}

type oneLogin struct{ user, password string }

func (l oneLogin) Allowed(_ context.Context, _ netip.Addr, user, password string) (bool, error) {
	return user == l.user && password == l.password, nil
}

func TestLogin_explicitDoor(t *testing.T) {
	s := &spy{next: jsonAnswer("{}")}
	w := newWorld(t, s.handle, func(c *intercept.Config, _ *proxyServer, _ *world) { c.Login = oneLogin{"desk", "s3same:x"} })
	basic := func(text string) string {
		return "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(text)) + "\r\n"
	}
	lines := map[string]string{
		"plain":  "GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n",
		"opened": "CONNECT " + central + ":443 HTTP/1.1\r\nHost: " + central + ":443\r\n",
		"tunnel": "CONNECT " + bank + ":443 HTTP/1.1\r\nHost: " + bank + ":443\r\n",
	}
	for name, line := range lines {
		for said, fields := range map[string]string{
			"nothing": "", "wrong": basic("desk:wrong"), "somebody else": basic("x:s3same:x"), "no Basic": "Proxy-Authorization: Bearer x\r\n",
			"twice": basic("desk:s3same:x") + basic("desk:s3same:x"), "the mailbox's": strings.Replace(basic("desk:s3same:x"), "Proxy-", "", 1),
		} {
			got := w.raw(t, line+fields+"\r\n")
			if got.StatusCode != http.StatusProxyAuthRequired || !strings.HasPrefix(got.Header.Get("Proxy-Authenticate"), "Basic ") {
				t.Errorf("%s, %s: got %s %v", name, said, got.Status, got.Header)
			}
		}
		method := http.MethodGet
		if name != "plain" {
			method = http.MethodConnect
		}
		c := w.hold(t)
		_, _ = io.WriteString(c, line+basic("desk:s3same:x")+"\r\n")
		if got := answer(t, c, method); got.StatusCode != 200 {
			t.Errorf("%s: got %s", name, got.Status)
		}
	}
	if n := w.plugin.Stats().RefusedLogins; n != 18 {
		t.Errorf("got %d refused, want 18", n)
	}
	if s.asked.Load() != 1 || strings.Contains(s.heard(), "Proxy-Auth") {
		t.Errorf("upstream was asked %d times, last:\n%s", s.asked.Load(), s.heard())
	}
	client := w.client(true)
	client.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: w.addr, User: url.UserPassword("desk", "s3same:x")})
	if got := send(t, client, request(t, http.MethodGet, "https://"+central+"/", "")); got.StatusCode != 200 {
		t.Errorf("inside a tunnel: got %s", got.Status)
	}
	if _, err := connectStream(t, w.h2(t, w.secureDoor(t)), bank+":443"); err == nil || !strings.HasPrefix(err.Error(), "407 ") {
		t.Errorf("in HTTP/2: got %v", err)
	}
}
