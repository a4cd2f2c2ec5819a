package console

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// AskTimeout bounds one question, from the connection to the last byte.
	AskTimeout = 5 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 4 << 20
)

// Client asks a console, and never through a proxy. Its zero value is for no console. It is safe for concurrent use.
type Client struct {
	// Base is the console's address, http://HOST:PORT or https://HOST:PORT; empty for none.
	Base string
	// Address is where to connect to, HOST:PORT; empty for what Base says. The name in Base is still the one that a certificate has to have.
	Address string
	// Roots verify it where it speaks TLS; nil is the system's roots.
	Roots *x509.CertPool
	// Token is what it wants to see, empty for nothing. It is shown to nobody else.
	Token string
}

// Reply is what a console has answered.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get asks for what is at a path.
func (c Client) Get(ctx context.Context, path string) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+path, nil)
	if err != nil {
		return Reply{}, err
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots}}
	if c.Address != "" {
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, c.Address)
		}
	}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	if err != nil {
		return Reply{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return Reply{response.StatusCode, response.Header, body}, err
}

// Status asks how the guard itself thinks that it is. To those who are not admitted it tells Ready and Reason alone; Version is empty then.
func (c Client) Status(ctx context.Context) (Status, error) {
	var s Status
	reply, err := c.Get(ctx, "/readyz")
	if err != nil {
		return s, err
	}
	if reply.Status != http.StatusOK && reply.Status != http.StatusServiceUnavailable {
		return s, fmt.Errorf("/readyz answers %d %s", reply.Status, http.StatusText(reply.Status))
	}
	if err := json.Unmarshal(reply.Body, &s); err != nil {
		return s, fmt.Errorf("/readyz cannot be read: %w", err)
	}
	return s, nil
}
