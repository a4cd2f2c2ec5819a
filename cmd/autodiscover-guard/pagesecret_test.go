package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// pageSecrets are ways to carry a secret in a question about an account.
var pageSecrets = map[string]func(r *http.Request, secret string){
	"basic": func(r *http.Request, secret string) { r.SetBasicAuth("mailbox.name@example.com", secret) },
	"user":  func(r *http.Request, secret string) { r.SetBasicAuth(secret+"@example.com", "x") },
	"token": func(r *http.Request, secret string) { r.Header.Set("Authorization", "Bearer "+secret) },
	"ntlm": func(r *http.Request, secret string) {
		r.Header.Set("Authorization", "NTLM "+base64.StdEncoding.EncodeToString([]byte("NTLMSSP\x00"+secret)))
	},
	"digest": func(r *http.Request, secret string) {
		r.Header.Set("Authorization", `Digest username="a", realm="x", nonce="y", uri="/", response="`+secret+`"`)
	},
	"bare":   func(r *http.Request, secret string) { r.Header.Set("Authorization", secret) },
	"cookie": func(r *http.Request, secret string) { r.Header.Set("Cookie", secret+"="+secret) },
	"query":  func(r *http.Request, secret string) { r.URL.RawQuery += "&password=" + secret + "&" + secret + "=1" },
	"path":   func(r *http.Request, secret string) { r.URL.Path += "/" + secret + "@example.com" },
	"body": func(r *http.Request, secret string) {
		text := `{"password":"` + secret + `"}`
		r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader(text)), int64(len(text))
	},
	"field":   func(r *http.Request, secret string) { r.Header.Set("X-Auth-Token", secret) },
	"agent":   func(r *http.Request, secret string) { r.Header.Set("User-Agent", secret) },
	"referer": func(r *http.Request, secret string) { r.Header.Set("Referer", "https://example.com/?password="+secret) },
}

// Whatever carries a secret, it is not on the page, among its events or its records; and those are, byte for byte, what the log has.
func TestPage_secrets(t *testing.T) {
	service, err := lab.Start([]string{lab.AutoDetectHost}, lab.AutoDetect())
	must(err)
	defer service.Close()
	guard := newProcess(t, service)
	guard.start(t)
	events, leave := guard.listen(t)
	defer leave()
	pem, err := os.ReadFile(filepath.Join(guard.state, "authority", "root.pem"))
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: guard.address}),
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}
	defer transport.CloseIdleConnections()
	for name, put := range pageSecrets {
		r, err := lab.AskAutoDetect(t.Context(), "mailbox.name@example.com", "geheim0password")
		must(err)
		put(r, "secret0"+name+"0ofmine")
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		response.Body.Close()
	}
	log, err := os.ReadFile(filepath.Join(guard.state, "decisions.jsonl"))
	must(err)
	records := guard.admin(t, "/decisions.json")
	for line := range bytes.Lines(log) {
		if !strings.Contains(records, string(bytes.TrimSpace(line))) {
			t.Errorf("the log's line is not among the page's records: %s", line)
		}
	}
	var got struct{ Decisions []json.RawMessage }
	must(json.Unmarshal([]byte(records[strings.IndexByte(records, ' '):]), &got))
	if n := bytes.Count(log, []byte("\n")); n < 5 || len(got.Decisions) != n {
		t.Fatalf("%d lines, %d records", n, len(got.Decisions))
	}
	var heard strings.Builder
	for n := 0; n < len(got.Decisions) && events.Scan(); {
		heard.WriteString(events.Text() + "\n")
		if events.Text() == "event: decision" {
			n++
		}
	}
	for where, text := range map[string]string{"the page": guard.admin(t, "/"), "events": heard.String(), "records": records, "metrics": guard.admin(t, "/metrics"), "readyz": guard.admin(t, "/readyz")} {
		for name := range pageSecrets {
			for _, secret := range []string{"secret0" + name + "0ofmine", "geheim0password", "mailbox.name"} {
				for _, form := range []string{secret, strings.ToUpper(secret), fmt.Sprintf("%x", secret), base64.StdEncoding.EncodeToString([]byte(secret))[:12]} {
					if strings.Contains(text, form) {
						t.Errorf("%s of %s is in %s, as %s", secret, name, where, form)
					}
				}
			}
		}
	}
}

// listen opens the events of the page, and waits until they are open.
func (p *process) listen(t *testing.T) (events *bufio.Scanner, leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.said("admin")+"/events", nil)
	must(err)
	transport := new(http.Transport)
	response, err := transport.RoundTrip(r)
	must(err)
	events = bufio.NewScanner(response.Body)
	for events.Scan() && events.Text() != "event: at" {
	}
	return events, func() {
		cancel()
		response.Body.Close()
		transport.CloseIdleConnections()
	}
}
