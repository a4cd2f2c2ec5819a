// Package console is the admin listener: health, metrics, and the authority's certificate for whoever has to trust it. It only reads, hands
// out no key, and answers nobody who asks for it by a foreign name, because a web page could otherwise make a browser ask (DNS rebinding).
//
//	/livez      200 as long as the process answers
//	/readyz     200 with a JSON document: the policy in force, and why a newer one is not
//	/metrics    the figures, in the text format of Prometheus
//	/ca.pem     the root certificate; /ca.cer is the same in DER, for Windows and Android
package console

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Status is what /readyz tells.
type Status struct {
	Ready bool `json:"ready"`
	// Policy is the revision in force.
	Policy string `json:"policy"`
	// Stale reports that the last reload failed: the policy in force is older than the file.
	Stale bool `json:"stale"`
	// Reload is why, empty where nothing failed, and ReloadedAt when that was tried.
	Reload     string    `json:"reload_error,omitempty"`
	ReloadedAt time.Time `json:"reloaded_at,omitzero"`
	// Authority is the SHA-256 fingerprint of the root, IssuingUntil when the certificate that signs ends.
	Authority    string    `json:"authority"`
	IssuingUntil time.Time `json:"issuing_until"`
}

// Config is what the console shows. All is required.
type Config struct {
	Status  func() Status
	RootPEM []byte
	Metrics *metrics.Set
}

// New makes the handler. It is safe for concurrent use.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { send(w, "text/plain; charset=utf-8", []byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { ready(w, c.Status()) })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		var b bytes.Buffer
		c.Metrics.WritePrometheus(&b)
		metrics.WriteProcessMetrics(&b)
		metrics.WriteFDMetrics(&b)
		send(w, "text/plain; version=0.0.4; charset=utf-8", b.Bytes())
	})
	mux.HandleFunc("GET /ca.pem", func(w http.ResponseWriter, _ *http.Request) { send(w, "application/x-pem-file", c.RootPEM) })
	mux.HandleFunc("GET /ca.cer", func(w http.ResponseWriter, r *http.Request) {
		block, _ := pem.Decode(c.RootPEM)
		if block == nil {
			http.NotFound(w, r)
			return
		}
		send(w, "application/x-x509-ca-cert", block.Bytes)
	})
	return ownNameOnly(mux)
}

func send(w http.ResponseWriter, mediaType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	_, _ = w.Write(body)
}

func ready(w http.ResponseWriter, s Status) {
	body, err := json.MarshalIndent(s, "", "  ")
	if err != nil { // a Status always marshals
		http.Error(w, "the status cannot be written", http.StatusInternalServerError)
		return
	}
	if !s.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	send(w, "application/json", append(body, '\n'))
}

// ownNameOnly refuses requests for a name that is no address and not localhost.
func ownNameOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if addr, err := netip.ParseAddr(trimBrackets(host)); host != "localhost" && (err != nil || !addr.IsLoopback()) {
			http.Error(w, "autodiscover-guard: ask by address, or as localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func trimBrackets(host string) string {
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		return host[1 : n-1]
	}
	return host
}
