// Package console is the admin listener: the live page, health, metrics, and the authority's certificate for whoever has to trust it. It only reads,
// hands out no key, and answers nobody who asks for it by a foreign name, because a web page could otherwise make a browser ask (DNS rebinding).
//
//	/                  the latest decisions and how the guard is; new decisions appear by themselves
//	/events            what that page hears of, as server-sent events
//	/decisions.json    the records that it shows; takes the fields of its form
//	/setup             how to set clients up, per platform
//	/proxy.pac         the PAC file of the policy in force; /wpad.dat is the same
//	/livez             200 as long as the process answers
//	/readyz            200 with a JSON document: the policy in force, and why a newer one is not; 503 while the guard ends
//	/metrics           the figures, in the text format of Prometheus
//	/ca.pem            the root certificate; /ca.cer is the same in DER, for Windows and Android
//	/ca.mobileconfig   the same as a configuration profile, for Apple's systems
//	/debug/pprof/      where it is asked for: profiles of the Go runtime
//
// and the revocation lists of the authority. Those, which are public and which certificates name the place of, are served under any name.
//
// Decisions come from a [Ring], which holds the latest thousand in the form in which the log has got them: the page knows nothing that the log does
// not, and an exchange waits for nobody who looks.
package console

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
)

// Status is what /readyz tells.
type Status struct {
	// Ready is whether new work is taken; it is answered 503 where not. Reason says why not: draining.
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
	// Version is that of the program that runs.
	Version string `json:"version"`
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

// Config is what the console shows. All is required but the lists and Pprof.
type Config struct {
	Status func() Status
	// Root is asked each time: a root can be followed by another while the guard runs.
	Root    func() *x509.Certificate
	Metrics *metrics.Set
	// Recent has the decisions that the page shows.
	Recent *Ring
	// Health is asked each time.
	Health func() Health
	// PAC writes the PAC file of the policy in force.
	PAC func() []byte
	// Proxy is where clients reach the guard.
	Proxy companion.Proxy
	// RevocationLists are in DER, by path. A list that is empty is not there.
	RevocationLists map[string]func() ([]byte, error)
	// Pprof offers the profiles of the Go runtime.
	Pprof bool
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
	mux.HandleFunc("GET /ca.pem", func(w http.ResponseWriter, _ *http.Request) {
		send(w, "application/x-pem-file", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Root().Raw}))
	})
	mux.HandleFunc("GET /ca.cer", func(w http.ResponseWriter, _ *http.Request) { send(w, "application/x-x509-ca-cert", c.Root().Raw) })
	mux.HandleFunc("GET /ca.mobileconfig", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="autodiscover-guard.mobileconfig"`)
		send(w, companion.ProfileMediaType, companion.Profile(c.Root(), "", false))
	})
	for _, path := range []string{"/proxy.pac", "/wpad.dat"} { // the second name is that of WPAD, draft-ietf-wrec-wpad-01, section 4.4.1
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { send(w, companion.PACMediaType, c.PAC()) })
	}
	mux.HandleFunc("GET /setup", setupPage(c))
	mux.HandleFunc("GET /{$}", live(c))
	mux.Handle("GET /events", ownPageOnly(events(c)))
	mux.Handle("GET /decisions.json", ownPageOnly(decisions(c)))
	if c.Pprof {
		offerProfiles(mux)
	}
	public := http.NewServeMux()
	public.Handle("/", ownNameOnly(mux))
	for path, list := range c.RevocationLists {
		public.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			der, err := list()
			if err != nil || len(der) == 0 { // why there is none is the operator's to know, and stands in the log
				http.NotFound(w, r)
				return
			}
			send(w, "application/pkix-crl", der) // RFC 5280, section 4.2.1.13
		})
	}
	return public
}

// noContent is the content security policy of what is no page.
const noContent = "default-src 'none'; frame-ancestors 'none'"

func send(w http.ResponseWriter, mediaType string, body []byte) {
	sendStatus(w, http.StatusOK, mediaType, body)
}

func sendStatus(w http.ResponseWriter, status int, mediaType string, body []byte) {
	secure(w.Header(), mediaType, noContent)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// sendPage sends HTML under a content security policy of its own.
func sendPage(w http.ResponseWriter, policy string, body []byte) {
	secure(w.Header(), "text/html; charset=utf-8", policy)
	_, _ = w.Write(body)
}

// secure writes the headers that everything has: nobody keeps it, takes it for something else, frames it, or reads it from another origin's page.
func secure(h http.Header, mediaType, policy string) {
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Security-Policy", policy)
}

func ready(w http.ResponseWriter, s Status) {
	body, err := json.MarshalIndent(s, "", "  ")
	if err != nil { // a Status always marshals
		http.Error(w, "the status cannot be written", http.StatusInternalServerError)
		return
	}
	status := http.StatusOK
	if !s.Ready {
		status = http.StatusServiceUnavailable
	}
	sendStatus(w, status, "application/json", append(body, '\n'))
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

// ownPageOnly refuses what a browser asks for on behalf of another site's page. That page could not read it, but it could keep the places of
// those who can. A program sends no such header, and a browser always does where the origin is trustworthy, as loopback is (Fetch Metadata).
func ownPageOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Sec-Fetch-Site") {
		case "", "none", "same-origin":
			next.ServeHTTP(w, r)
		default:
			http.Error(w, "autodiscover-guard: not for the pages of other sites", http.StatusForbidden)
		}
	})
}

func trimBrackets(host string) string {
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		return host[1 : n-1]
	}
	return host
}
