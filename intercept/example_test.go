package intercept_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/elazarl/goproxy"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"autodiscover-guard/certs"
	"autodiscover-guard/intercept"
	"autodiscover-guard/rules"
)

// outlookAsks is the question that Outlook posts to autodiscover.example.com for an account there.
const outlookAsks = `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>` +
	`<EMailAddress>email@example.com</EMailAddress>` +
	`<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>` +
	`</Request></Autodiscover>`

// A proxy of one's own: Front stands before goproxy, Listener before the server, which gives every client connection its place. With TLS in front
// it is plugin.SecureListener, and plugin.ConfigureHTTP2(server) before it serves.
func ExamplePlugin_Front() {
	state, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(state) }()

	policy, err := rules.New(rules.Config{})
	if err != nil {
		log.Fatal(err)
	}
	authority, err := certs.Open(filepath.Join(state, "authority"), certs.Scope{Names: policy.Scope()})
	if err != nil {
		log.Fatal(err)
	}
	defer authority.Close()
	core, records := observer.New(zap.InfoLevel)
	plugin, err := intercept.New(intercept.Config{Policy: policy, Issuer: authority, Decisions: zap.New(core)})
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		Handler:           plugin.Front(goproxy.NewProxyHttpServer()),
		ConnContext:       plugin.ConnContext,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	// For a door that speaks TLS: server.TLSConfig, this, and plugin.SecureListener(listener, server.TLSConfig) below.
	if err := plugin.ConfigureHTTP2(server); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = server.Serve(plugin.Listener(listener)) }() // the gate: who may come, and how many

	// A client that uses the proxy and trusts the authority.
	trusted := x509.NewCertPool()
	trusted.AddCert(authority.Root())
	transport := &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: listener.Addr().String()}),
		TLSClientConfig: &tls.Config{RootCAs: trusted},
	}
	client := &http.Client{Transport: transport}
	resp, err := client.Post("https://autodiscover.example.com/autodiscover/autodiscover.xml", "text/xml", strings.NewReader(outlookAsks))
	if err != nil {
		log.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	fmt.Println(resp.Status, strings.Contains(string(answer), "<ErrorCode>"), err)

	// Stop: the server takes no more connections, the plugin waits for what runs.
	transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println(server.Shutdown(ctx), plugin.Shutdown(ctx))

	record := records.All()[0].ContextMap()
	fmt.Println(record["host"], record["action"], record["rule"])
	// Output:
	// 200 OK true <nil>
	// <nil> <nil>
	// autodiscover.example.com refuse documentation
}

// A proxy that somebody else owns gets only the filters. Install alone does not open tunnels, so that discovery over HTTPS is seen only where that
// proxy opens them itself; it does not know the gate's limits, does not keep clients from the mail ports of a host, cannot drain at a stop, and in
// goproxy's own loop a panic of another handler still ends the process. See its documentation for the whole list.
func ExamplePlugin_Install() {
	state, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(state) }()

	policy, err := rules.New(rules.Config{})
	if err != nil {
		log.Fatal(err)
	}
	authority, err := certs.Open(filepath.Join(state, "authority"), certs.Scope{Names: policy.Scope()})
	if err != nil {
		log.Fatal(err)
	}
	defer authority.Close()
	plugin, err := intercept.New(intercept.Config{Policy: policy, Issuer: authority})
	if err != nil {
		log.Fatal(err)
	}
	defer plugin.Close()

	proxy := goproxy.NewProxyHttpServer()
	proxy.Tr = &http.Transport{} // the default follows HTTP_PROXY
	defer proxy.Tr.CloseIdleConnections()
	plugin.Install(proxy)
	guarded := httptest.NewServer(proxy)
	defer guarded.Close()

	address, err := url.Parse(guarded.URL)
	if err != nil {
		log.Fatal(err)
	}
	transport := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return address, nil }}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}

	// Discovery is decided on: nobody may be named to an account of example.com, so the host is not even dialled.
	resp, err := client.Post("http://autodiscover.example.com/autodiscover/autodiscover.xml", "text/xml", strings.NewReader(outlookAsks))
	if err != nil {
		log.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	fmt.Println(resp.Status, strings.Contains(string(answer), "<ErrorCode>"), err)

	// Everything else passes as it did.
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "a page") }))
	defer site.Close()
	resp, err = client.Get(site.URL)
	if err != nil {
		log.Fatal(err)
	}
	answer, err = io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	fmt.Println(resp.Status, string(answer), err)
	// Output:
	// 200 OK true <nil>
	// 200 OK a page <nil>
}
