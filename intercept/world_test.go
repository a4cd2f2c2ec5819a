package intercept_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/elazarl/goproxy"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"autodiscover-guard/intercept"
	"autodiscover-guard/rules"
)

// The hosts that the tests know. All of them lead to the world's one upstream, at ports 443 and 80.
const (
	central  = "prod.autodetect.outlook.cloud.microsoft" // opened; answers for anybody's domain
	labHost  = "autodiscover.lab.test"                   // opened; belongs to the guarded lab.test
	docHost  = "autodiscover.example.com"                // opened; nobody may be named to example.com
	bank     = "www.bank.net"                            // not opened
	detect   = "/autodetect/detect?app=outlookdesktopBasic"
	poxPath  = "/autodiscover/autodiscover.xml"
	stranger = "imapgms.jnet.sei.co.jp"
	numberOf = "192.0.2.33" // of whatever a client looked up
	password = "correct-horse-battery"
)

// world is a guard between clients and one upstream, all on loopback.
type world struct {
	tb        testing.TB
	issuer    *authority // the guard's
	web       *authority // everybody else's
	plugin    *intercept.Plugin
	proxy     *goproxy.ProxyHttpServer
	server    *http.Server
	addr      string
	secure    *httptest.Server
	plain     *httptest.Server
	decisions *observer.ObservedLogs
	life      *observer.ObservedLogs
	recorded  chan struct{}
	lived     chan struct{}

	noConnContext bool // serve as somebody does who did not read the documentation
	noGate        bool // the same, without Plugin.Listener
	headerTimeout time.Duration
	patience      time.Duration // with clients that have ended their side
}

// option changes what a world is made of before it runs.
type proxyServer = goproxy.ProxyHttpServer

type option func(*intercept.Config, *goproxy.ProxyHttpServer, *world)

func limits(l intercept.Limits) option {
	return func(c *intercept.Config, _ *goproxy.ProxyHttpServer, _ *world) { c.Limits = l }
}

// with registers another plugin's handlers before ours.
func with(register func(*goproxy.ProxyHttpServer)) option {
	return func(_ *intercept.Config, p *goproxy.ProxyHttpServer, _ *world) { register(p) }
}

func newWorld(tb testing.TB, upstream http.HandlerFunc, options ...option) *world {
	tb.Helper()
	w := &world{
		tb: tb, issuer: newAuthority(tb, "guard"), web: newAuthority(tb, "web"),
		recorded: make(chan struct{}, 1<<16), lived: make(chan struct{}, 1<<16), patience: 20 * time.Millisecond,
	}
	w.plain = httptest.NewUnstartedServer(upstream)
	w.plain.Config.DisableGeneralOptionsHandler = true
	w.plain.Start()
	tb.Cleanup(func() { over(tb, w.plain.Close) })
	w.secure = httptest.NewUnstartedServer(upstream)
	w.secure.EnableHTTP2 = true
	w.secure.Config.DisableGeneralOptionsHandler = true
	w.secure.TLS = &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return w.web.Leaf(hello.ServerName)
	}}
	w.secure.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	w.secure.StartTLS()
	tb.Cleanup(func() { over(tb, w.secure.Close) })

	var core, lifeCore zapcore.Core
	core, w.decisions = observer.New(zap.DebugLevel)
	lifeCore, w.life = observer.New(zap.DebugLevel)
	resolve := map[string]string{}
	for _, host := range []string{central, labHost, docHost, bank, "lab.test", "imap.lab.test", "example.com", "opened.net", numberOf} {
		resolve[host+":443"] = w.secure.Listener.Addr().String()
		resolve[host+":80"] = w.plain.Listener.Addr().String()
	}
	policy, err := rules.New(rules.Config{Open: []string{"opened.net"}})
	if err != nil {
		tb.Fatal(err)
	}
	config := intercept.Config{
		Policy:    policy,
		Issuer:    w.issuer,
		Decisions: zap.New(core, zap.Hooks(signal(w.recorded)), validated(tb)),
		Logger:    zap.New(lifeCore, zap.Hooks(signal(w.lived))),
		Upstream:  intercept.UpstreamConfig{Roots: w.web.roots(), Resolve: resolve},
	}
	w.proxy = goproxy.NewProxyHttpServer()
	for _, o := range options {
		o(&config, w.proxy, w)
	}
	w.plugin, err = intercept.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	w.plugin.SetPatience(w.patience)
	w.serve()
	return w
}

func policyOf(tb testing.TB) *rules.Policy {
	tb.Helper()
	policy, err := rules.New(rules.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	return policy
}

func signal(to chan<- struct{}) func(zapcore.Entry) error {
	return func(zapcore.Entry) error { to <- struct{}{}; return nil }
}

func (w *world) serve() {
	w.server = &http.Server{Handler: w.plugin.Front(w.proxy), ConnContext: w.plugin.ConnContext, ErrorLog: zap.NewStdLog(zap.NewNop()), ReadHeaderTimeout: w.headerTimeout}
	if w.noConnContext {
		w.server.ConnContext = nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.tb.Fatal(err)
	}
	w.addr = l.Addr().String()
	if !w.noGate {
		l = w.plugin.Listener(l)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.server.Serve(l)
	}()
	w.tb.Cleanup(func() {
		_ = w.plugin.Close()
		_ = w.server.Close()
		await(w.tb, done)
	})
}

// decision waits for the n-th record, counted from 1.
func (w *world) decision(n int) map[string]any {
	w.tb.Helper()
	for end := time.After(enough()); w.decisions.Len() < n; {
		select {
		case <-w.recorded:
		case <-end:
			vain(w.tb, "got %d decision records, want %d", w.decisions.Len(), n)
		}
	}
	return w.decisions.All()[n-1].ContextMap()
}

// told waits for a line of the life-cycle log.
func (w *world) told(message string) map[string]any {
	w.tb.Helper()
	for end := time.After(enough()); ; {
		if all := w.life.FilterMessage(message).All(); len(all) > 0 {
			return all[0].ContextMap()
		}
		select {
		case <-w.lived:
		case <-end:
			vain(w.tb, "nobody logged %q", message)
		}
	}
}

// door is a way in.
type door struct {
	name   string
	scheme string
	record string // what the record calls it
	client func(*world) *http.Transport
}

// doors are the ways in for which a client names a host.
var doors = []door{
	{"plain", "http", "plain", func(w *world) *http.Transport { return w.client(false) }},
	{"connect-h1", "https", "connect", func(w *world) *http.Transport { return w.client(false) }},
	{"connect-h2", "https", "connect", func(w *world) *http.Transport { return w.client(true) }},
	{"connect-80", "http", "connect-plain", func(w *world) *http.Transport {
		return w.tunnelled(false, func(addr string) string { return addr })
	}},
}

// everyDoor are those, and tunnels that are asked for by address.
var everyDoor = append(slices.Clone(doors), []door{
	{"address-h1", "https", "connect", func(w *world) *http.Transport { return w.tunnelled(false, numbered) }},
	{"address-h2", "https", "connect", func(w *world) *http.Transport { return w.tunnelled(true, numbered) }},
	{"address-80", "http", "connect-plain", func(w *world) *http.Transport { return w.tunnelled(false, numbered) }},
}...)

// tunnelled is a client's transport that asks for its tunnels itself.
func (w *world) tunnelled(h2 bool, target func(addr string) string) *http.Transport {
	t := w.client(h2)
	t.Proxy = nil
	t.DialContext = func(_ context.Context, _, addr string) (net.Conn, error) { return w.connect(target(addr)) }
	return t
}

// numbered is where a client that looks names up by itself has its tunnel lead.
func numbered(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return net.JoinHostPort(numberOf, port)
}

// client is a client's transport that uses the guard as its proxy and trusts its authority; and the web's, for what is tunnelled.
func (w *world) client(h2 bool) *http.Transport {
	roots := w.issuer.roots()
	roots.AddCert(w.web.cert)
	t := &http.Transport{
		Proxy:              http.ProxyURL(&url.URL{Scheme: "http", Host: w.addr}),
		TLSClientConfig:    &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2:  h2,
		DisableCompression: true,

		TLSHandshakeTimeout:   enough(),
		ResponseHeaderTimeout: enough(),
	}
	w.tb.Cleanup(t.CloseIdleConnections)
	return t
}

// connect opens a tunnel by hand.
func (w *world) connect(target string) (net.Conn, error) {
	c, err := dial(w.addr)
	if err != nil {
		return nil, err
	}
	w.tb.Cleanup(func() { _ = c.Close() })
	host := target
	if strings.ContainsFunc(target, func(r rune) bool { return r >= utf8.RuneSelf }) {
		host = "" // net/http takes no such Host
	}
	if _, err := fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, host); err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(c, 1) // nothing may be read beyond the answer
	resp, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		return nil, fmt.Errorf("CONNECT %s: %s: %s", target, resp.Status, body)
	}
	return &peeked{Conn: c, r: r}, nil
}

type peeked struct {
	net.Conn
	r *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.r.Read(b) }

// tls opens a tunnel and makes a handshake in it.
func (w *world) tls(target string, config *tls.Config) (*tls.Conn, error) {
	c, err := w.connect(target)
	if err != nil {
		return nil, err
	}
	if config.RootCAs == nil {
		config.RootCAs = w.issuer.roots()
	}
	t := tls.Client(c, config)
	return t, t.HandshakeContext(w.tb.Context())
}

// reply is an answer that was read to its end.
type reply struct {
	*http.Response
	body string
	err  error // of reading the body
}

func send(tb testing.TB, rt http.RoundTripper, r *http.Request) reply {
	tb.Helper()
	got := sent(rt, r)
	if got.StatusCode == 0 {
		tb.Fatal(got.err)
	}
	return got
}

// sent is send for goroutines, which may not end the test.
func sent(rt http.RoundTripper, r *http.Request) reply {
	ctx, cancel := context.WithTimeout(r.Context(), enough())
	defer cancel()
	resp, err := rt.RoundTrip(r.WithContext(ctx))
	if err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			waitedInVain.Add(1)
		}
		return reply{Response: &http.Response{Request: r}, err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp, string(body), err}
}

func request(tb testing.TB, method, url, body string) *http.Request {
	tb.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(tb.Context(), method, url, r)
	if err != nil {
		tb.Fatal(err)
	}
	return req
}

// ask is AutoDetect's question about an account, with its password.
func ask(tb testing.TB, scheme, account string) *http.Request {
	tb.Helper()
	r := request(tb, http.MethodGet, scheme+"://"+central+detect, "")
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(account+":"+password)))
	return r
}

// poxAsk is Outlook's question about an account.
func poxAsk(tb testing.TB, url, account string) *http.Request {
	tb.Helper()
	r := request(tb, http.MethodPost, url, `<?xml version="1.0" encoding="utf-8"?>`+
		`<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>`+account+
		`</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`)
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	r.SetBasicAuth(account, password)
	return r
}

// suggest is AutoDetect's answer that names the given hosts.
func suggest(account string, hosts ...string) string {
	var protocols []string
	for _, h := range hosts {
		protocols = append(protocols, fmt.Sprintf(`{"protocol":"imap","hostname":%q,"port":993,"encryption":"ssl","username":%q,"validated":false}`, h, account))
	}
	return fmt.Sprintf(`{"email":%q,"services":[],"protocols":[%s]}`, account, strings.Join(protocols, ","))
}

// jsonAnswer answers like AutoDetect.
func jsonAnswer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, body)
	}
}
