package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"autodiscover-guard/certs"
	"autodiscover-guard/certs/truststore"
)

func caVerifyCommand() *cobra.Command {
	var f trustFlags
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "say of every trust store whether the root certificate is in it, and whether the running guard uses that one",
		Long: `Say of every place whether the authority's root certificate is there and trusted, and how that is known. If a guard runs with the same state
directory, it is asked for a certificate, too, and that must come from this root. Nothing is changed.

Exit code 0 if the root is at every place where "install" put it, and at one at least. With --store or named places: if it is at every place
of theirs.
` + trustStores,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := f.open()
			if err != nil {
				return err
			}
			reports, err := t.current(cmd.Context(), (*truststore.Stores).Verify)
			if err != nil {
				return err
			}
			presented, err := t.presented(cmd.Context())
			if err != nil {
				return err
			}
			if err := t.print(cmd.OutOrStdout(), "verify", append(reports, presented...), f.asJSON); err != nil {
				return err
			}
			if !t.found(cmd.ErrOrStderr(), reports) || !t.trusted(reports) || count(presented, truststore.Failed) > 0 {
				return &noError{}
			}
			return nil
		},
	}
	addTrustFlags(cmd, &f, "")
	return cmd
}

// trusted reports whether the root is wherever it should be.
func (t *truster) trusted(reports []truststore.Report) bool {
	for _, r := range reports {
		if r.Status != truststore.Present && (t.explicit || r.Recorded || r.Status == truststore.Failed) {
			return false
		}
	}
	return count(reports, truststore.Present) > 0
}

// presented asks the running guard, if there is one, whose certificates it presents.
func (t *truster) presented(ctx context.Context) ([]truststore.Report, error) {
	address, err := os.ReadFile(filepath.Join(t.state, "address"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	root, _, err := t.root()
	if err != nil {
		return nil, err
	}
	r := truststore.Report{Store: "guard", Program: "the running guard", Path: strings.TrimSpace(string(address)), Status: truststore.Present}
	host := "autodiscover." + root.PermittedDNSDomains[0]
	if (certs.Scope{Names: root.PermittedDNSDomains}).Contains("example.com") {
		host = "autodiscover.example.com"
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.Path)
	if err != nil {
		r.Status, r.Note = truststore.Skipped, "no guard answers there: "+err.Error()
		return []truststore.Report{r}, nil
	}
	defer conn.Close()
	if leaf, err := askLeaf(ctx, conn, host, root); err != nil {
		r.Status, r.Note = truststore.Failed, err.Error()
	} else {
		r.Verified = fmt.Sprintf("a TLS handshake for %s: its certificate, issued by %q, leads to this root", host, leaf.Issuer.CommonName)
	}
	return []truststore.Report{r}, nil
}

// askLeaf opens a tunnel through the proxy at the other end of conn as a client does, and returns the certificate that it gets there if that comes from root.
func askLeaf(ctx context.Context, conn net.Conn, host string, root *x509.Certificate) (*x509.Certificate, error) {
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	connect := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: host + ":443"}, Host: host + ":443", Header: http.Header{}}
	if err := connect.Write(conn); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), connect)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the guard answers CONNECT %s with %s", host, answer.Status)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	client := tls.Client(conn, &tls.Config{ServerName: host, RootCAs: roots, MinVersion: tls.VersionTLS12})
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("its certificate does not come from this root: %w", err)
	}
	return client.ConnectionState().PeerCertificates[0], nil
}
