package console

import (
	"net/http"
	"net/http/pprof" //nolint:gosec // G108: what it registers itself is in http.DefaultServeMux, which nobody serves here
)

// offerProfiles serves what "go tool pprof" asks for. A profile holds stacks and counts and no traffic; but making one costs time, and any
// program of this computer may ask for it. The command line is left out: nobody needs it to read a profile.
func offerProfiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/cmdline", http.NotFound)
}
