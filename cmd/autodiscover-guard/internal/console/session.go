package console

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

const (
	// sessionLife is a working day and its overtime; maxSessions bounds those who are signed in, the oldest of whom goes first.
	sessionLife = 12 * time.Hour
	maxSessions = 64
)

// sessions are the people who have signed in. They are in memory alone: a restart signs everybody out. The zero value has none. It is safe for
// concurrent use.
type sessions struct {
	mu sync.Mutex
	// all is by digest of what the cookie holds, so that how long a look-up takes tells nothing about it.
	all map[[sha256.Size]byte]*session
}

// session is one person's. ctx ends with it.
type session struct {
	ctx   context.Context //nolint:containedctx // it is the session's life, which requests and event streams hang on
	end   context.CancelFunc
	until time.Time
}

// begin makes a session, which ends with the life of the token at the latest, and returns what its cookie holds, which is random and says nothing of the token.
func (s *sessions) begin(life context.Context) string {
	value := rand.Text() + rand.Text()
	ctx, end := context.WithTimeout(life, sessionLife)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make(map[[sha256.Size]byte]*session)
	}
	s.makeRoom()
	s.all[sha256.Sum256([]byte(value))] = &session{ctx, end, time.Now().Add(sessionLife)}
	return value
}

func (s *sessions) makeRoom() {
	var oldest [sha256.Size]byte
	for key, one := range s.all {
		switch {
		case one.ctx.Err() != nil:
			delete(s.all, key)
		case s.all[oldest] == nil || one.until.Before(s.all[oldest].until):
			oldest = key
		}
	}
	if len(s.all) >= maxSessions {
		s.all[oldest].end()
		delete(s.all, oldest)
	}
}

// find returns the session of a cookie, nil where there is none or it is over.
func (s *sessions) find(value string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.all[sha256.Sum256([]byte(value))]; one != nil && one.ctx.Err() == nil {
		return one
	}
	return nil
}

// end ends the session of a cookie.
func (s *sessions) end(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := sha256.Sum256([]byte(value))
	if one := s.all[key]; one != nil {
		one.end()
		delete(s.all, key)
	}
}

// cookieName is one that, over TLS, browsers take from this very host only, and only there send it (RFC 6265bis, section 4.1.3.2).
func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-autodiscover-guard"
	}
	return "autodiscover-guard"
}

// cookie is the one for a session; an empty value takes it away.
func cookie(r *http.Request, value string) *http.Cookie {
	c := &http.Cookie{ //nolint:gosec // G124: not secure on loopback alone, where there is no TLS (config.Check)
		Name: cookieName(r), Value: value, Path: "/", MaxAge: int(sessionLife / time.Second),
		Secure: r.TLS != nil, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}
