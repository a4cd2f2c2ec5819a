package intercept_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/intercept"
)

// written has decisions encoded like a program's, but kept nowhere: a benchmark makes more of them than a world can hold.
func written(c *intercept.Config, _ *proxyServer, _ *world) {
	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", MessageKey: "msg", EncodeLevel: zapcore.LowercaseLevelEncoder, EncodeTime: zapcore.RFC3339NanoTimeEncoder,
	})
	c.Decisions = zap.New(zapcore.NewCore(encoder, zapcore.AddSync(io.Discard), zap.DebugLevel))
	c.Logger = nil
}

// BenchmarkExchange is one keep-alive HTTPS exchange over loopback, client and upstream included: their share is what direct shows.
func BenchmarkExchange(b *testing.B) {
	const account = "user@lab.test"
	viaGuard := func(w *world) http.RoundTripper {
		client := w.client(false)
		client.ResponseHeaderTimeout = 0 // its timer is allocated by the client
		return client
	}
	question := func(account string) func(testing.TB) *http.Request {
		return func(tb testing.TB) *http.Request { return ask(tb, "https", account) }
	}
	page := func(host string) func(testing.TB) *http.Request {
		return func(tb testing.TB) *http.Request { return request(tb, http.MethodGet, "https://"+host+"/page", "") }
	}
	for _, c := range []struct {
		name   string
		client func(*world) http.RoundTripper
		asks   func(testing.TB) *http.Request
		says   string
		want   string // in the answer
		issuer string // of the certificate that the client sees
	}{
		{"direct", func(w *world) http.RoundTripper { return w.direct(false) }, page(bank), suggest(account, "imap.lab.test"), "imap.lab.test", "web"},
		{"tunnelled", viaGuard, page(bank), suggest(account, "imap.lab.test"), "imap.lab.test", "web"},
		{"opened-passed", viaGuard, question(account), suggest(account, "imap.lab.test"), "imap.lab.test", "guard"},
		{"opened-edited", viaGuard, question(account), suggest(account, "imap.lab.test", stranger), `"imap.lab.test"`, "guard"},
		{"opened-refused-local", viaGuard, func(tb testing.TB) *http.Request {
			return poxAsk(tb, "https://"+docHost+poxPath, "email@example.com")
		}, "", "<ErrorCode>", "guard"},
		{"opened-not-discovery", viaGuard, page("opened.net"), suggest(account, "imap.lab.test"), "imap.lab.test", "guard"},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(b, jsonAnswer(c.says), written)
			client, r := c.client(w), c.asks(b)
			got := send(b, client, r)
			if issuer := got.TLS.PeerCertificates[0].Issuer.CommonName; issuer != c.issuer {
				b.Fatalf("got a certificate of %q, want one of %q", issuer, c.issuer)
			}
			if got.StatusCode != http.StatusOK || !strings.Contains(got.body, c.want) || strings.Contains(got.body, stranger) {
				b.Fatalf("got %d %q", got.StatusCode, got.body)
			}
			b.ReportAllocs()
			for b.Loop() {
				if r.GetBody != nil {
					r.Body, _ = r.GetBody()
				}
				resp, err := client.RoundTrip(r)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
}
