package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// load is all clients together.
type load struct {
	guard   *guard
	clients []*client
	ticks   time.Duration
	done    atomic.Int64
	left    atomic.Int64
	serial  atomic.Int64

	mu    sync.Mutex
	tally tally
	wrong map[string]int
}

// maxWrong is how many different mistakes are told in full.
const maxWrong = 20

func newLoad(g *guard, o options) *load {
	l := &load{guard: g, ticks: time.Second / time.Duration(o.rate), tally: tally{exact: counts{}, atMost: counts{}}, wrong: map[string]int{}}
	use := kinds
	if !o.transparent {
		use = slices.DeleteFunc(slices.Clone(kinds), func(k kind) bool { return k.transparent })
	}
	for i := range o.clients {
		l.clients = append(l.clients, &client{load: l, kind: use[i%len(use)]})
	}
	return l
}

// run has the clients ask until ctx ends; what is under way by then is finished.
func (l *load) run(ctx context.Context) {
	tick := time.NewTicker(l.ticks)
	defer tick.Stop()
	var asking sync.WaitGroup
	for _, c := range l.clients {
		asking.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					c.ask()
				}
			}
		})
	}
	asking.Wait()
}

// kind is what a client speaks, and through which door.
type kind struct {
	name               string
	plain              bool // http, not https
	http2, transparent bool
}

var kinds = []kind{
	{name: "HTTP", plain: true},
	{name: "HTTP/1.1 in a tunnel"},
	{name: "HTTP/2 in a tunnel", http2: true},
	{name: "HTTP at the transparent door", plain: true, transparent: true},
	{name: "HTTP/1.1 over TLS at the transparent door", transparent: true},
	{name: "HTTP/2 at the transparent door", http2: true, transparent: true},
}

// client is one client; a new connection now and then makes it another one.
type client struct {
	load      *load
	kind      kind
	transport *http.Transport
}

// early is how long a client waits that leaves early.
const early = 4 * time.Millisecond

func (c *client) ask() {
	l := c.load
	if c.transport == nil || rand.IntN(50) == 0 {
		c.renew()
	}
	nonce := "n" + strconv.FormatInt(l.serial.Add(1), 36) + "x"
	q := questions[rand.IntN(len(questions))](nonce)
	leaves := rand.IntN(20) == 0
	if leaves && q.account != "" {
		q = edited(central, detectPath, nonce+"@gone.test")
	}
	l.note(q, leaves)
	scheme := "https"
	if c.kind.plain {
		scheme = "http"
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if leaves {
		time.AfterFunc(time.Duration(rand.Int64N(int64(early))), cancel)
	}
	status, body, err := c.send(ctx, q, scheme, nonce)
	switch {
	case err == nil:
		if problem := q.wrong(status, body); problem != "" {
			l.mistake(fmt.Sprintf("%s%s about %s: %s", q.host, q.path, domainOf(q.account), problem))
		}
		l.done.Add(1)
	case leaves:
		l.left.Add(1)
	case q.cut:
		l.done.Add(1)
	default:
		l.mistake(fmt.Sprintf("%s%s about %s, %s: %v", q.host, q.path, domainOf(q.account), c.kind.name, err))
	}
}

func (c *client) send(ctx context.Context, q question, scheme, nonce string) (status int, body string, err error) {
	r, err := q.request(scheme, nonce)
	if err != nil {
		return 0, "", err
	}
	resp, err := c.transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// renew closes the client's connections and makes another transport.
func (c *client) renew() {
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
	c.transport = &http.Transport{
		Proxy:             http.ProxyURL(&url.URL{Scheme: "http", Host: c.load.guard.address}),
		TLSClientConfig:   &tls.Config{RootCAs: c.load.guard.root, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: c.kind.http2,
		IdleConnTimeout:   20 * time.Second,
	}
	if c.kind.transparent {
		c.transport.Proxy, c.transport.DialContext = nil, dialElsewhere
	}
}

// note counts an exchange before it begins. A transport sends a question once more where a connection breaks before the answer, so that one
// which upstream cuts may be several.
func (l *load) note(q question, leaves bool) {
	if q.account == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch domain := domainOf(q.account); {
	case leaves:
		l.tally.atMost[domain]++
	case q.cut:
		l.tally.atMost[domain] += 8
	default:
		l.tally.exact[domain]++
	}
}

func (l *load) mistake(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.wrong) < maxWrong || l.wrong[text] > 0 {
		l.wrong[text]++
	}
}

func (l *load) findings() (findings []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, text := range slices.Sorted(maps.Keys(l.wrong)) {
		findings = append(findings, fmt.Sprintf("%d times: %s", l.wrong[text], text))
	}
	return findings
}

func (l *load) exchanges() tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tally
}

// print says what was asked, and what was recorded.
func (l *load) print(out io.Writer, written counts) {
	var total int64
	for _, n := range written {
		total += n
	}
	fmt.Fprintf(out, "%d questions answered, %d left early; %d decision records of %d domains\n", l.done.Load(), l.left.Load(), total, len(written))
}
