package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"
)

const (
	// Attempts is how often a notification is posted at most.
	Attempts = 8
	// attemptTime is how long one attempt may take.
	attemptTime = 10 * time.Second
	// firstWait and longestWait bound the wait between two attempts; it doubles, and half of it is left to chance, so that many guards do
	// not come back at the same moment.
	firstWait   = time.Second
	longestWait = 2 * time.Minute
)

// sender posts notifications, one after the other.
type sender struct {
	config Config
	client *http.Client
	host   string // of the URL, for messages
	settle func(event, Outcome)

	waiting chan delivery
	closing chan struct{} // closed when no more is to be waited for
	ended   chan struct{}
	ctx     context.Context // of the goroutine, which has no caller
	cancel  context.CancelFunc
}

// delivery is a notification on its way.
type delivery struct {
	event event
	id    string
	body  []byte
}

func newSender(c Config, settle func(event, Outcome)) (*sender, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, errors.New("the webhook's address is not a URL") // which the error of Parse would repeat
	}
	transport := c.Transport
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.Proxy = nil
		own.MaxIdleConns = 1
		transport = own
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &sender{
		config: c, host: u.Host, settle: settle, waiting: make(chan delivery, QueueLength), closing: make(chan struct{}), ended: make(chan struct{}),
		ctx: ctx, cancel: cancel,
		client: &http.Client{
			Transport: transport, Timeout: attemptTime,
			// Whoever is redirected to was not named by the operator.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	go s.run()
	return s, nil
}

// offer queues a notification, unless too many wait for the places that are not reserved. It is called by one at a time.
func (s *sender) offer(p payload, e event, reserved int) bool {
	if len(s.waiting) >= QueueLength-reserved {
		return false
	}
	body, err := json.Marshal(p)
	if err != nil { // a field that JSON cannot say
		s.config.Logger.Warn("a notification cannot be written", zap.String("type", string(e.kind)), zap.Error(err))
		return false
	}
	s.waiting <- delivery{e, "msg_" + rand.Text(), body} // there is room: nobody else puts anything there
	return true
}

func (s *sender) run() {
	defer close(s.ended)
	dropped := 0
	for l := range s.waiting {
		outcome := s.deliver(l)
		if outcome == Dropped {
			dropped++
		}
		s.settle(l.event, outcome)
	}
	if dropped > 0 { // there is nobody any more who could ask for the metrics
		s.config.Logger.Warn("notifications were not told before the end", zap.String("to", s.host), zap.Int("dropped", dropped))
	}
	s.client.CloseIdleConnections()
}

// deliver tries until the notification is taken, or refused, or was tried often enough.
func (s *sender) deliver(l delivery) Outcome {
	for attempt := 1; ; attempt++ {
		if s.ctx.Err() != nil {
			return Dropped
		}
		err := s.post(l)
		if err == nil {
			return Sent
		}
		refused, final := errors.AsType[*refusal](err)
		if final && !refused.again() || attempt == Attempts || s.last() {
			s.config.Logger.Warn("a notification was not delivered", zap.String("type", string(l.event.kind)), zap.String("to", s.host),
				zap.Int("attempts", attempt), zap.Error(err))
			return Failed
		}
		wait := min(firstWait<<(attempt-1), longestWait)
		wait = wait/2 + mathrand.N(wait/2+1) //nolint:gosec // chance for a moment, not for a secret
		if final {
			wait = max(wait, min(refused.after, longestWait))
		}
		s.pause(wait)
	}
}

// last reports whether no more attempts are to be made: the guard is ending.
func (s *sender) last() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

func (s *sender) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.closing:
	}
}

// refusal is an answer that is not 2xx.
type refusal struct {
	status int
	after  time.Duration // Retry-After, in seconds
}

// Error implements error.
func (r *refusal) Error() string { return fmt.Sprintf("the answer was %d", r.status) }

// again reports whether the same may be taken later (RFC 9110, section 15; 425 is of RFC 8470, 429 of RFC 6585).
func (r *refusal) again() bool {
	switch r.status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return r.status >= 500
}

// post makes one attempt. The error names no URL: that may be a secret.
func (s *sender) post(l delivery) error {
	request, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.config.URL, bytes.NewReader(l.body))
	if err != nil {
		return errors.New("the request cannot be made")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", s.config.Agent)
	s.config.Secret.sign(request.Header, l.id, time.Now(), l.body)
	response, err := s.client.Do(request)
	if inner, ok := errors.AsType[*url.Error](err); ok {
		return inner.Err
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // so that the connection can be used again
	if response.StatusCode/100 == 2 {
		return nil
	}
	seconds, _ := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 16)
	return &refusal{response.StatusCode, time.Duration(seconds) * time.Second}
}

// close ends the sender. Nothing may be offered any more.
func (s *sender) close(ctx context.Context) {
	close(s.closing)
	close(s.waiting)
	select {
	case <-s.ended:
	case <-ctx.Done():
		s.cancel()
		<-s.ended
	}
	s.cancel()
}
