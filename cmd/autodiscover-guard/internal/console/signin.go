package console

import (
	_ "embed"
	"html/template"
	"net/http"
	"strings"
)

var (
	//go:embed signin.html
	signInHTML string
	//go:embed signin.css
	signInCSS string
)

var signInTemplate = template.Must(template.New("signin.html").Parse(signInHTML))

// offerSignIn serves the form, and what it leads to. The token comes in a body, never in an address, and goes nowhere: the cookie holds a
// random value. Forms of other origins were turned away before.
func (a *Access) offerSignIn(mux *http.ServeMux) {
	mux.HandleFunc("GET /sign-in", func(w http.ResponseWriter, _ *http.Request) { a.page(w, http.StatusOK, "") })
	mux.HandleFunc("POST /sign-in", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 4*longestToken)
		v := a.try(r, strings.TrimSpace(r.PostFormValue("token"))) // what cannot be read is wrong, too
		if !v.admitted {
			a.form(w, v)
			return
		}
		a.count(signInRight, 1)
		a.leave(r)
		http.SetCookie(w, cookie(r, a.sessions.begin(v.life)))
		seeOther(w, "/")
	})
	mux.HandleFunc("POST /sign-out", func(w http.ResponseWriter, r *http.Request) {
		a.leave(r)
		http.SetCookie(w, cookie(r, ""))
		seeOther(w, "/sign-in")
	})
}

// leave ends the session of the request's cookie.
func (a *Access) leave(r *http.Request) {
	if c, err := r.Cookie(cookieName(r)); err == nil {
		a.sessions.end(c.Value)
	}
}

// seeOther redirects a browser after a form, so that it does not send the form again.
func seeOther(w http.ResponseWriter, path string) {
	w.Header().Set("Location", path)
	sendText(w, http.StatusSeeOther, "see "+path)
}

// form answers whoever is not admitted with the form and why.
func (a *Access) form(w http.ResponseWriter, v verdict) {
	switch {
	case v.wait > 0:
		tooMany(w, v.wait)
		a.page(w, http.StatusTooManyRequests, "Too many wrong tokens came from this address. Try again in "+w.Header().Get("Retry-After")+" seconds.")
	case v.wrong:
		w.Header().Set(challengeField, challenge(v))
		a.page(w, http.StatusUnauthorized, "That is not the token.")
	default:
		w.Header().Set(challengeField, challenge(v))
		a.page(w, http.StatusUnauthorized, "")
	}
}

func (a *Access) page(w http.ResponseWriter, status int, fault string) {
	style := baseCSS + signInCSS
	sendPage(w, status, contentPolicy(style, "", true), signInTemplate, map[string]any{
		"Style": template.CSS(style), "Fault": fault, "Certificates": a.certificates, //nolint:gosec // G203: files of this program
	})
}
