package intercept

import (
	"errors"
	"fmt"
	"time"
)

// Limits bounds what one client may cost. Zero values mean the defaults named here; a negative value is refused by [New].
type Limits struct {
	// Handshake is how long a client may take for its TLS handshake in an opened tunnel: 10 s.
	Handshake time.Duration
	// Header is how long it may take to send a request's header: 10 s. In HTTP/2 it has Idle for that.
	Header time.Duration
	// Body is how long it may take to send the body of a discovery request: 30 s. Other bodies are not timed, but for Lifetime.
	Body time.Duration
	// Idle is how long a connection may lie unused between two requests: 2 min.
	Idle time.Duration
	// Lifetime is how long a connection or a tunnel may live, however busy it is: 24 h. Tunnels are then cut off, other connections closed behind
	// the next answer. A connection of a [Plugin.Listener] or the transparent door that has lived for twice as long is cut off in the middle of
	// an exchange: somebody stalls there. Clients keep requests open for an hour (ActiveSync), so it should be well above that.
	Lifetime time.Duration
	// Stall is how long a side that bytes wait for may take none of them: 5 min. A client that stops reading its answer, or either side of a tunnel, is then
	// cut off, and what was asked upstream for it cancelled. One that takes some now and then never is, nor one that has nothing to take. In HTTP/2 it
	// holds for each stream. On other systems than Linux it holds in HTTP/2 alone.
	Stall time.Duration
	// HeaderBytes is how long a request's header may be: 64 KiB. Longer ones, and those of more than 2,000 fields, are answered 431; in HTTP/2 a single field of that size, or a header far
	// above it, ends its connection.
	HeaderBytes int
	// BodyBytes is how much is held in memory of the body of a discovery request, and of the answer to it: 1 MiB each.
	BodyBytes int64
	// Connections is how many client connections a [Plugin.Listener] and the transparent door hold together, and how many requests over HTTP/2 may be
	// under way (100 at least): 16384 each. More are answered 503.
	Connections int
	// Tunnels is how many tunnels there may be, opened ones and HTTP/2 streams included: 16384. More are answered 503.
	Tunnels int
	// PerClient is how many of these connections, of these requests and of these tunnels one client address may have (of IPv6: one network of 64
	// bits): 4096 each, and never fewer than 100 requests. More are answered 429.
	PerClient int
}

// fill puts the defaults in the place of zero values.
func (l *Limits) fill() error {
	if err := fillDurations("Limits", []durationDefault{
		{"Handshake", &l.Handshake, 10 * time.Second},
		{"Header", &l.Header, 10 * time.Second},
		{"Body", &l.Body, 30 * time.Second},
		{"Idle", &l.Idle, 2 * time.Minute},
		{"Lifetime", &l.Lifetime, 24 * time.Hour},
		{"Stall", &l.Stall, 5 * time.Minute},
	}); err != nil {
		return err
	}
	if l.HeaderBytes < 0 || l.BodyBytes < 0 {
		return errors.New("checking Limits: a size is negative")
	}
	for _, n := range []struct {
		name  string
		value *int
		zero  int
	}{
		{"Connections", &l.Connections, 16384},
		{"Tunnels", &l.Tunnels, 16384},
		{"PerClient", &l.PerClient, 4096},
	} {
		if *n.value < 0 {
			return fmt.Errorf("checking Limits.%s: %d is negative", n.name, *n.value)
		}
		if *n.value == 0 {
			*n.value = n.zero
		}
	}
	if l.HeaderBytes == 0 {
		l.HeaderBytes = 64 << 10
	}
	if l.BodyBytes == 0 {
		l.BodyBytes = 1 << 20
	}
	return nil
}

// durationDefault is a duration of a configuration, and what holds where it is zero.
type durationDefault struct {
	name  string
	value *time.Duration
	zero  time.Duration
}

// fillDurations puts the defaults in the place of zero values.
func fillDurations(of string, all []durationDefault) error {
	for _, d := range all {
		if *d.value < 0 {
			return fmt.Errorf("checking %s.%s: %s is negative", of, d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.zero
		}
	}
	return nil
}
