package intercept

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"autodiscover-guard/rules"
)

// A slow client answers a ping behind all that it has yet to take: it has Limits.Stall for that, and not the 15 s that net/http and x/net would give it.
func TestPing_slowClientsAreWaitedFor(t *testing.T) {
	template := httptest.NewUnstartedServer(http.NotFoundHandler())
	template.StartTLS()
	template.Close()
	for name, prepare := range map[string]func(*Plugin, *http.Server) error{
		"hall": func(p *Plugin, s *http.Server) error { s.HTTP2 = p.hall.h2.server.HTTP2; return nil },
		"door": (*Plugin).ConfigureHTTP2,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				policy, err := rules.New(rules.Config{})
				if err != nil {
					t.Fatal(err)
				}
				p, err := New(Config{Policy: policy, Issuer: nobody{}, Limits: Limits{Idle: time.Hour}})
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				server := &http.Server{Handler: http.NotFoundHandler(), TLSConfig: template.TLS.Clone(), IdleTimeout: time.Hour}
				server.TLSConfig.NextProtos = []string{"h2"}
				if err := prepare(p, server); err != nil {
					t.Fatal(err)
				}
				near, far := net.Pipe()
				l := &handoff{conns: make(chan net.Conn, 1), done: make(chan struct{})}
				l.conns <- tls.Server(far, server.TLSConfig)
				go func() { _ = server.Serve(l) }()
				defer server.Close()

				c := tls.Client(near, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}) // the clock of the bubble is before the certificate
				defer c.Close()
				_, _ = io.WriteString(c, http2.ClientPreface)
				framer, begun := http2.NewFramer(c, c), time.Now()
				_ = framer.WriteSettings()
				pings := 0
				for {
					f, err := framer.ReadFrame()
					if err != nil {
						break
					}
					if f.Header().Type == http2.FramePing {
						pings++
					}
				}
				if lived := time.Since(begun); pings != 1 || lived != pingAfter+p.limits.Stall {
					t.Errorf("got %d pings and was cut off after %s", pings, lived)
				}
			})
		})
	}
}
