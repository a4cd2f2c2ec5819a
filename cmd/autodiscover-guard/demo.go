package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
	"autodiscover-guard/rules/dialect"
)

func demoCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "the incident replayed on loopback: without the guard, with the guard",
		Long: `Start a stand-in for Microsoft's AutoDetect service on loopback that answers as the real one did for the reserved domain example.com in December
2025, ask it once directly and once through a guard, and show both. Nothing leaves this machine, and nothing is left on it. Exit code 0 only if
the guard held: no trace of the foreign servers in any decoded form, and no password at the service.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), 30*time.Second)
			defer cancel()
			r, err := replay(ctx)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			} else {
				err = r.print(cmd.OutOrStdout())
			}
			if err == nil && !r.Held {
				err = &answerNo{}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

// told is what one client was told, and what it gave away.
type told struct {
	Status           int      `json:"status"`
	Servers          []string `json:"servers"`
	Body             string   `json:"body"`
	Headers          []string `json:"headers"`
	ForeignHostIn    string   `json:"foreign_host_in,omitempty"`
	PasswordAtServer bool     `json:"password_at_service"`
	Protocol         string   `json:"protocol"`
}

// replayed is the outcome of the demonstration.
type replayed struct {
	Without told            `json:"without_guard"`
	With    told            `json:"with_guard"`
	Record  json.RawMessage `json:"decision"`
	Held    bool            `json:"held"`
}

// replay plays the incident twice.
func replay(ctx context.Context) (*replayed, error) {
	service, err := lab.Start([]string{lab.AutoDetectHost}, lab.AutoDetect())
	if err != nil {
		return nil, fmt.Errorf("starting the stand-in service: %w", err)
	}
	defer service.Close()
	direct := service.Transport()
	defer direct.CloseIdleConnections()
	r := &replayed{}
	if r.Without, err = ask(ctx, service, direct); err != nil {
		return nil, fmt.Errorf("asking without the guard: %w", err)
	}
	service.Forget()
	var log bytes.Buffer
	if err := r.throughGuard(ctx, service, &log); err != nil {
		return nil, fmt.Errorf("asking through the guard: %w", err)
	}
	r.Record = json.RawMessage(bytes.TrimSpace(log.Bytes()))
	if !json.Valid(r.Record) || bytes.Count(log.Bytes(), []byte("\n")) != 1 {
		return nil, fmt.Errorf("want one decision record, got %q", log.String())
	}
	recorded := log.String()
	r.Held = r.With.ForeignHostIn == "" && !r.With.PasswordAtServer && r.Without.PasswordAtServer && len(r.Without.Servers) > 0 &&
		strings.Contains(recorded, lab.IncidentIMAP) && strings.Contains(recorded, lab.IncidentSMTP) && !strings.Contains(recorded, lab.IncidentSecret)
	return r, nil
}

// throughGuard asks through a guard of its own, with everything in a directory that goes away afterwards.
func (r *replayed) throughGuard(ctx context.Context, service *lab.Service, log io.Writer) error {
	dir, err := os.MkdirTemp("", program+"-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	c := config.Default()
	c.Listen.Admin = "" // nothing to be named in certificates
	c.Upstream.Roots = filepath.Join(dir, "service.pem")
	c.Upstream.Resolve = map[string]string{lab.AutoDetectHost: service.Addr()}
	if err := os.WriteFile(c.Upstream.Roots, service.RootPEM(), 0o600); err != nil {
		return err
	}
	in, err := readInputs(c)
	if err != nil {
		return err
	}
	g, err := newGuard(c, in, &stateDir{path: dir}, decisionLogger(log), zap.NewNop())
	if err != nil {
		return err
	}
	defer g.close()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = g.serve(listener) }()
	roots := x509.NewCertPool()
	roots.AddCert(g.authority.Root())
	client := &http.Transport{
		Proxy:             http.ProxyURL(&url.URL{Scheme: "http", Host: listener.Addr().String()}),
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}
	defer client.CloseIdleConnections()
	if r.With, err = ask(ctx, service, client); err != nil {
		return err
	}
	client.CloseIdleConnections()
	return g.shutdown(ctx, listener) // the record is written when the exchange ends
}

// ask sends the question of the incident, and looks at the answer and at what the service saw.
func ask(ctx context.Context, service *lab.Service, transport http.RoundTripper) (told, error) {
	request, err := lab.AskAutoDetect(ctx, lab.IncidentAddress, lab.IncidentSecret)
	if err != nil {
		return told{}, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return told{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return told{}, err
	}
	t := told{Status: response.StatusCode, Body: string(body), Protocol: response.Proto, Servers: servers(response, body)}
	for name := range response.Header {
		t.Headers = append(t.Headers, name)
	}
	// The same search that finds secrets in requests finds hosts in answers: it undoes every encoding.
	t.ForeignHostIn, _ = lab.Seen{Header: response.Header, Body: body}.Carries("jnet.sei.co.jp")
	for _, seen := range service.Seen() {
		if _, found := seen.Carries(lab.IncidentSecret); found {
			t.PasswordAtServer = true
		}
	}
	return t, nil
}

// servers lists what the answer suggests, as host:port.
func servers(response *http.Response, body []byte) []string {
	inquiry := dialect.Inquiry{Dialect: dialect.Autodetect, Request: dialect.Request{Method: http.MethodGet, URL: &url.URL{Host: lab.AutoDetectHost}}}
	document, _ := dialect.Read(inquiry, dialect.Answer{Status: response.StatusCode, Header: dialect.Header(response.Header), Body: body})
	list := []string{}
	for _, s := range document.Suggestions {
		if s.Kind == dialect.KindPort {
			continue
		}
		where := "body"
		if header, ok := strings.CutPrefix(s.Path, "header:"); ok {
			where, _, _ = strings.Cut(header, "|")
		}
		list = append(list, s.Host+" ("+where+")")
	}
	return list
}

// print shows both sides.
func (r *replayed) print(out io.Writer) error {
	fmt.Fprintf(out, "The incident of December 2025, replayed on this machine: a client asks Microsoft's AutoDetect about %s,\n", lab.IncidentAddress)
	fmt.Fprint(out, "an account on a name that is reserved for documentation. The service is a stand-in that answers as the real one did.\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintf(w, "\tWITHOUT THE GUARD\tWITH THE GUARD\n")
	fmt.Fprintf(w, "status\t%d, %s\t%d, %s\n", r.Without.Status, r.Without.Protocol, r.With.Status, r.With.Protocol)
	for i := range max(len(r.Without.Servers), len(r.With.Servers), 1) {
		label := ""
		if i == 0 {
			label = "told to use"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", label, at(r.Without.Servers, i), at(r.With.Servers, i))
	}
	fmt.Fprintf(w, "password at the service\t%s\t%s\n", yesNo(r.Without.PasswordAtServer), yesNo(r.With.PasswordAtServer))
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe answer that the client got through the guard:\n%s\n\nThe decision record:\n%s\n\n", r.With.Body, r.Record)
	if r.Held {
		fmt.Fprintln(out, "The guard held.")
	} else {
		fmt.Fprintf(out, "THE GUARD DID NOT HOLD. Foreign host in: %q.\n", r.With.ForeignHostIn)
	}
	return nil
}

func at(list []string, i int) string {
	switch {
	case i < len(list):
		return list[i]
	case i == 0:
		return "nothing"
	}
	return ""
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
