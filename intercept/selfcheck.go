package intercept

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"go.uber.org/zap"
)

var errSelfCheck = errors.New("checking the hall")

// SelfCheck goes the way of an opened connection without a door: a handshake with the leaf of a host that the policy opens, and a request that
// the hall turns away (421), so that nothing is dialled, decided on or recorded. That it returns nil proves that the issuer signs, that the
// hall's server takes connections and answers, and that none of the locks is held for good which every connection needs. It does not prove that
// the doors accept, nor that any upstream is reached. It fails after Close or Shutdown, and where ctx ends first; then a goroutine may be left
// that waits for whatever hangs. Call [Plugin.Front] before.
func (p *Plugin) SelfCheck(ctx context.Context) error {
	f, names := p.front.Load(), p.policy.Load().Scope()
	if f == nil || len(names) == 0 {
		return fmt.Errorf("%w: there is no front, or nothing is opened", errSelfCheck)
	}
	result := make(chan error, 1)
	go func() {
		defer func() { // somebody else's issuer, in a goroutine where nobody else recovers
			if v := recover(); v != nil {
				p.recovered(v, zap.String(keyHost, names[0]))
				result <- fmt.Errorf("%w: something panicked", errSelfCheck)
			}
		}()
		_ = p.Stats() // takes the locks of the limiter and of the quarantine
		result <- p.visitHall(ctx, f, names[0])
	}()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errSelfCheck, ctx.Err())
	}
}

// visitHall is what a client does in the hall. The leaf that it wants to see is the one that it is shown: a reload in between may exchange the authority.
func (p *Plugin) visitHall(ctx context.Context, f *front, name string) error {
	leaf, err := p.issuer.Leaf(name)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errSelfCheck, err)
	case leaf == nil || len(leaf.Certificate) == 0:
		return fmt.Errorf("%w: the issuer gives neither a certificate nor an error", errSelfCheck)
	}
	issued, err := x509.ParseCertificate(leaf.Certificate[0])
	if err != nil {
		return fmt.Errorf("%w: %w", errSelfCheck, err)
	}
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer context.AfterFunc(ctx, func() { _ = ours.Close() })()
	go p.hall.serve(&hallConn{
		Conn: theirs, front: f, target: target{host: name, port: portHTTPS}, door: doorConnect, binding: newBinding(), leaf: leaf, release: func() {}, selfCheck: true,
	})
	only := x509.NewCertPool()
	only.AddCert(issued) // the very leaf that was issued, whoever trusts it
	t := tls.Client(ours, &tls.Config{MinVersion: tls.VersionTLS13, ServerName: name, RootCAs: only})
	if err := t.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("%w: handshake: %w", errSelfCheck, err)
	}
	if _, err := io.WriteString(t, "OPTIONS / HTTP/1.1\r\nHost: self-check.invalid\r\nConnection: close\r\n\r\n"); err != nil {
		return fmt.Errorf("%w: asking: %w", errSelfCheck, err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(t), nil)
	if err != nil {
		return fmt.Errorf("%w: answer: %w", errSelfCheck, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusMisdirectedRequest {
		return fmt.Errorf("%w: answered %d, want 421", errSelfCheck, answer.StatusCode)
	}
	return nil
}
