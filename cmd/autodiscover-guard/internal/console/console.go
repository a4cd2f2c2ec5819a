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
//	/sign-in           where there is a token: the form for people
//	/debug/pprof/      where it is asked for: profiles of the Go runtime
//
// and the revocation lists of the authority. Those, which are public and which certificates name the place of, are served under any name.
//
// Where there is an [Access], it decides who sees the page, the events, the records, the figures, the profiles and the details of /readyz. The rest is
// what clients need, and for everybody.
//
// Decisions come from a [Ring], which holds the latest thousand in the form in which the log has got them: the page knows nothing that the log does
// not, and an exchange waits for nobody who looks.
package console

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"html/template"
	"net/http"
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
	// State is the directory of its state, by which it is told from others with the same authority.
	State string `json:"state,omitempty"`
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

// Config is what the console shows. All is required but Access, Names, the lists and Pprof.
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
	// Access says who sees the page, the decisions, the figures and what /readyz has beyond a word; nil is everybody.
	Access *Access
	// Names are host names and addresses by which clients reach the console, in lower case, beside localhost and the address at which they arrive.
	Names []string
	// Alone says that only this computer reaches the console.
	Alone bool
	// RevocationLists are in DER, by path, which may be a pattern, and which they are asked with. A list that is empty is not there.
	RevocationLists map[string]func(path string) ([]byte, error)
	// Pprof offers the profiles of the Go runtime.
	Pprof bool
}

// New makes the handler. It is safe for concurrent use.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	c.handlePublic(mux)
	mine := func(pattern string, h http.Handler) { mux.Handle(pattern, c.Access.admitted(h)) }
	mine("GET /metrics", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var series bytes.Buffer
		c.Metrics.WritePrometheus(&series)
		metrics.WriteProcessMetrics(&series)
		metrics.WriteFDMetrics(&series)
		send(w, "text/plain; version=0.0.4; charset=utf-8", described(series.Bytes()))
	}))
	mine("GET /{$}", live(c))
	mine("GET /events", ownPageOnly(events(c)))
	mine("GET /decisions.json", ownPageOnly(decisions(c)))
	if c.Pprof {
		mine("GET /debug/pprof/", profiles())
	}
	public := http.NewServeMux()
	// What is sent, which is sign-ins, must come from our own page.
	public.Handle("/", ownNameOnly(c.Names, http.NewCrossOriginProtection().Handler(mux)))
	offerLists(public, c.RevocationLists)
	return public
}

// handlePublic adds what is for everybody: what clients need, and what tells no more than that the guard is there.
func (c *Config) handlePublic(mux *http.ServeMux) {
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { send(w, "text/plain; charset=utf-8", []byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		status := c.Status()
		if !c.Access.judge(r).admitted {
			ready(w, status.Ready, brief{status.Ready, status.Reason})
			return
		}
		ready(w, status.Ready, status)
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
	mux.HandleFunc("GET /setup", setupPage(*c))
	if c.Access != nil && c.Access.hasToken() {
		c.Access.offerSignIn(mux)
	}
}

// Lists serves the revocation lists alone. It is for the plain HTTP beside a console that is served over TLS: clients ask for them while they
// decide whether to trust a certificate, and so without TLS (RFC 5280, section 8).
func Lists(lists map[string]func(path string) ([]byte, error)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		sendText(w, http.StatusBadRequest, "this is served over TLS: ask with https")
	})
	offerLists(mux, lists)
	return mux
}

// offerLists serves revocation lists under any name: they are public, and certificates name a place for them that may be a load balancer's.
func offerLists(mux *http.ServeMux, lists map[string]func(path string) ([]byte, error)) {
	for path, list := range lists {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			der, err := list(r.URL.Path)
			if err != nil || len(der) == 0 { // why there is none is the operator's to know, and stands in the log
				sendText(w, http.StatusNotFound, "there is no such list")
				return
			}
			send(w, "application/pkix-crl", der) // RFC 5280, section 4.2.1.13
		})
	}
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
func sendPage(w http.ResponseWriter, status int, policy string, page *template.Template, data any) {
	var b bytes.Buffer
	if err := page.Execute(&b, data); err != nil {
		sendText(w, http.StatusInternalServerError, "the page cannot be written")
		return
	}
	secure(w.Header(), "text/html; charset=utf-8", policy)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
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

// brief is what /readyz tells those who are not admitted.
type brief struct {
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
}

func ready(w http.ResponseWriter, is bool, tell any) {
	body, _ := json.MarshalIndent(tell, "", "  ") // a Status always marshals
	status := http.StatusOK
	if !is {
		status = http.StatusServiceUnavailable
	}
	sendStatus(w, status, "application/json", append(body, '\n'))
}
