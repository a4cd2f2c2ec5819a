package console

import (
	"net/http"
	"net/http/pprof" // what it registers itself is in http.DefaultServeMux, which nobody serves here
)

// profiles serves what "go tool pprof" asks for. A profile holds stacks and counts and no traffic; but making one costs time. The command line, which
// pprof.Index does not know, is left out: nobody needs it to read a profile.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	return mux
}
