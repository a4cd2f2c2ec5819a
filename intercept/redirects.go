package intercept

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
	"autodiscover-guard/rules/reserved"
)

const (
	// redirectTime is how long after an answer its redirect may be followed: Outlook and Thunderbird ask a person before.
	redirectTime = 10 * time.Minute
	// redirectClients and redirectsPerClient bound the memory: for how many clients places are remembered, and how many for each.
	redirectClients    = 1024
	redirectsPerClient = 16
)

// redirects remembers where answers sent clients whose discovery is guarded. What they ask there need not look like discovery ([rules.Policy.Follow]).
type redirects struct {
	mu      sync.Mutex
	clients map[netip.Addr]*clientRedirects
}

// clientRedirects is where one client was sent: the last redirects, in a ring.
type clientRedirects struct {
	last  [redirectsPerClient]redirect
	next  int
	until time.Time // the last one's
}

// redirect is where a client was sent, and for whose accounts it had asked.
type redirect struct {
	key     [sha256.Size]byte // the hash of its urlKey, which a header field may make as long as it likes
	until   time.Time
	inquiry dialect.Inquiry
}

// urlKey is what two URLs share that lead to the same place: a client may try TLS before it goes where it was sent. Some ask with what stands behind a number
// sign, too (PHP 8.2, urllib, LWP), which is then in the path or in the query; and of 0080 all make 80.
func urlKey(u *url.URL) string {
	host := reserved.Canonical(u.Hostname())
	if port := strings.TrimLeft(u.Port(), "0"); port != "" && port != "80" && port != "443" {
		host += ":" + port
	}
	key, _, inPath := strings.Cut(normalSpelling(u.EscapedPath()), "#")
	query, _, _ := strings.Cut(normalSpelling(u.RawQuery), "#")
	if inPath {
		query = ""
	}
	return strings.Join([]string{host, path.Clean("/" + key), query}, " ")
}

var escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// normalSpelling is a path or a query in one spelling of the many that clients have: clients write what they are told in their own. curl makes a plus sign of a space in a query, requests (Python)
// undoes escapes that need not be there and adds others, also to a percent sign, fetch (node) resolves %2e%2e, and each makes something else of a letter beyond ASCII.
func normalSpelling(s string) string {
	for range 2 {
		s = escape.ReplaceAllStringFunc(s, func(e string) string {
			c, _ := hex.DecodeString(e[1:])
			if c[0] == '/' {
				return "%2f" // nobody makes a slash of it
			}
			return string(c)
		})
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '+':
			return ' '
		case r >= utf8.RuneSelf: // and what is no UTF-8
			return -1
		}
		return r
	}, s)
}

func (t *redirects) add(client netip.Addr, key string, q dialect.Inquiry, now time.Time) {
	if !client.IsValid() {
		return
	}
	client = clientKey(client)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.clients == nil {
		t.clients = make(map[netip.Addr]*clientRedirects)
	}
	own := t.clients[client]
	if own == nil {
		if len(t.clients) >= redirectClients {
			evict(t.clients, redirectClients, now, func(own *clientRedirects) time.Time { return own.until })
		}
		own = new(clientRedirects)
		t.clients[client] = own
	}
	own.until = now.Add(redirectTime)
	own.last[own.next] = redirect{sha256.Sum256([]byte(key)), own.until, q}
	own.next = (own.next + 1) % redirectsPerClient
}

// find returns the inquiry whose answer sent a client to a URL.
func (t *redirects) find(client netip.Addr, u *url.URL, now time.Time) (dialect.Inquiry, bool) {
	if !t.knows(client, now) {
		return dialect.Inquiry{}, false
	}
	key := sha256.Sum256([]byte(urlKey(u))) // outside the lock, as long as URLs may be
	t.mu.Lock()
	defer t.mu.Unlock()
	if own := t.clients[clientKey(client)]; own != nil {
		for _, p := range own.last {
			if p.key == key && p.until.After(now) {
				return p.inquiry, true
			}
		}
	}
	return dialect.Inquiry{}, false
}

// knows reports whether a client was sent anywhere of late, which most never are.
func (t *redirects) knows(client netip.Addr, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.clients) == 0 {
		return false
	}
	own := t.clients[clientKey(client)]
	return own != nil && own.until.After(now)
}

// followRedirect makes another plan where an answer has sent the client here, and the request itself does not say that its account is guarded.
func (x *exchange) followRedirect(view dialect.Request) {
	if x.plan.Guarded || x.plan.Step != rules.Watch && x.plan.Step != rules.Ignore && x.plan.Step != rules.Forward {
		return
	}
	if q, ok := x.p.redirects.find(x.from.Client, &x.url, x.start); ok {
		x.plan = x.policy.Follow(view, x.from, q)
	}
}

// rememberRedirects remembers where the answer that was decided on sends its client. It is called before the client gets a byte of it. What was asked is not kept.
func (x *exchange) rememberRedirects() {
	for _, u := range x.decision.Redirects(&x.url) {
		subjects := slices.Concat(x.plan.Inquiry.Subjects, dialect.UserinfoSubjects(u))
		x.p.redirects.add(x.from.Client, urlKey(u), dialect.Inquiry{Dialect: x.plan.Inquiry.Dialect, Subjects: subjects}, x.p.clock())
	}
}
