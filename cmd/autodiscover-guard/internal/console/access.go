package console

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Access says who sees what is not for everybody: whoever shows the token, has signed in with it, or has a certificate that the listener's TLS
// has verified. It is safe for concurrent use.
type Access struct {
	token atomic.Pointer[activeToken]
	// certificates: one that was verified is enough.
	certificates bool
	sessions     sessions
	attempts     attempts
	set          *metrics.Set
}

// activeToken is a token in force. ctx ends when it is replaced.
type activeToken struct {
	Token
	ctx context.Context //nolint:containedctx // it is the token's life, which sessions and event streams hang on
	end context.CancelFunc
}

func activate(token Token) *activeToken {
	ctx, end := context.WithCancel(context.Background())
	return &activeToken{token, ctx, end}
}

// What became of an attempt with a token.
const (
	signInRight    = "right"
	signInWrong    = "wrong"
	signInTooMany  = "too many"
	bearer         = "Bearer"
	challengeField = "WWW-Authenticate"
)

// NewAccess makes one. The zero token is none; certificates says whether a certificate is enough. Attempts are counted in set as
// autodiscover_guard_admin_sign_ins_total: sign-ins, wrong tokens however they were shown, and those that were not even looked at.
func NewAccess(token Token, certificates bool, set *metrics.Set) *Access {
	a := &Access{certificates: certificates, set: set}
	a.token.Store(activate(token))
	for _, result := range []string{signInRight, signInWrong, signInTooMany} {
		a.count(result, 0)
	}
	return a
}

// Renew takes another token. If it is another one, it signs everybody out, and ends the streams of events that were asked for with the former.
func (a *Access) Renew(token Token) {
	if a.token.Load().Token != token {
		a.token.Swap(activate(token)).end()
	}
}

func (a *Access) count(result string, n int) {
	a.set.GetOrCreateCounter(Series("admin_sign_ins_total", "result", result)).Add(n)
}

// hasToken reports whether there is a token to show.
func (a *Access) hasToken() bool { return a.token.Load().Token != Token{} }

// verdict is what is to be done about a request or an attempt. The zero verdict refuses.
type verdict struct {
	admitted bool
	// life is that of the session or the token that was shown, nil for a certificate.
	life context.Context //nolint:containedctx // what is begun ends with it
	// wait is how long this address must not try any more.
	wait time.Duration
	// wrong: a token was shown, and is not the token.
	wrong bool
}

// judge looks at what a request shows. A nil Access admits everybody.
func (a *Access) judge(r *http.Request) verdict {
	if a == nil || a.certificates && r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		return verdict{admitted: true}
	}
	if s := a.session(r); s != nil {
		return verdict{admitted: true, life: s.ctx}
	}
	scheme, shown, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, bearer) {
		return verdict{}
	}
	return a.try(r, strings.TrimSpace(shown))
}

// session is that of the request's cookie.
func (a *Access) session(r *http.Request) *session {
	if c, err := r.Cookie(cookieName(r)); err == nil && a != nil {
		return a.sessions.find(c.Value)
	}
	return nil
}

// try compares a token, unless its sender has been wrong too often.
func (a *Access) try(r *http.Request, shown string) verdict {
	from, now := clientNetwork(r.RemoteAddr), time.Now()
	if wait := a.attempts.wait(from, now); wait > 0 {
		a.count(signInTooMany, 1)
		return verdict{wait: wait}
	}
	if t := a.token.Load(); t.is(shown) {
		return verdict{admitted: true, life: t.ctx}
	}
	a.attempts.wrong(from, now)
	a.count(signInWrong, 1)
	return verdict{wrong: true}
}

// admitted wraps a handler for those who are admitted. What they have begun ends with the token or session that they have shown.
func (a *Access) admitted(next http.Handler) http.Handler {
	if a == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := a.judge(r)
		if !v.admitted {
			a.deny(w, r, v)
			return
		}
		if v.life != nil {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(v.life, cancel)()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// deny answers a request that is not admitted with what is wanted: a browser gets the form.
func (a *Access) deny(w http.ResponseWriter, r *http.Request, v verdict) {
	switch {
	case !a.hasToken():
		sendText(w, http.StatusForbidden, "this is for those who have a certificate of listen.admin_clients")
	case r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html"):
		a.form(w, v)
	case v.wait > 0:
		tooMany(w, v.wait)
		sendText(w, http.StatusTooManyRequests, "too many wrong tokens from this address")
	default:
		w.Header().Set(challengeField, challenge(v))
		sendText(w, http.StatusUnauthorized, "this needs the token of listen.admin_token_file, as Authorization: Bearer TOKEN, or a sign-in at /sign-in")
	}
}

// challenge is that of RFC 6750, section 3.
func challenge(v verdict) string {
	if v.wrong {
		return bearer + ` realm="autodiscover-guard", error="invalid_token"`
	}
	return bearer + ` realm="autodiscover-guard"`
}

func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
}

func sendText(w http.ResponseWriter, status int, text string) {
	sendStatus(w, status, "text/plain; charset=utf-8", []byte("autodiscover-guard: "+text+"\n"))
}
