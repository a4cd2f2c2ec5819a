package config

import "time"

var limitKeys = []key{
	{name: "limits", about: "What one client, or one upstream, may cost."},
	sizeKey("limits.header_bytes", "The largest header of a request; a larger one, or one of more than 2,000 fields, is answered 431. In HTTP/2 a single field of that size, or a header "+
		"far above it, ends its connection.",
		func(c *Config) *int64 { return &c.Limits.HeaderBytes }, bounds[int64]{4 << 10, 1 << 20}),
	sizeKey("limits.body", "The largest body of a discovery request, and of the answer to it, that is read. A larger answer is refused "+
		"for a guarded domain and passed for any other; a larger question goes nowhere, for nobody knows whom it is about, and is answered 413 where "+
		"nobody is known to be guarded. At most 256 of more than 64KiB are held at once, 64 of them for one client; beyond, one is "+
		"like a larger one, but for the question of an account that is not guarded, which is answered 503.",
		func(c *Config) *int64 { return &c.Limits.Body }, bounds[int64]{4 << 10, 64 << 20}),
	durationKey("limits.handshake_timeout", "How long a TLS handshake may take, with a client or with an upstream.",
		func(c *Config) *time.Duration { return &c.Limits.Handshake }, bounds[time.Duration]{100 * time.Millisecond, 5 * time.Minute}),
	durationKey("limits.header_timeout", "How long a client may take to send a request's header. In HTTP/2 it has limits.idle_timeout for that.",
		func(c *Config) *time.Duration { return &c.Limits.Header }, bounds[time.Duration]{100 * time.Millisecond, 5 * time.Minute}),
	durationKey("limits.body_timeout", "How long a client may take to send the body of a discovery request.",
		func(c *Config) *time.Duration { return &c.Limits.BodyTime }, bounds[time.Duration]{100 * time.Millisecond, 10 * time.Minute}),
	durationKey("limits.idle_timeout", "How long a connection may lie unused between two requests.",
		func(c *Config) *time.Duration { return &c.Limits.Idle }, bounds[time.Duration]{time.Second, time.Hour}),
	durationKey("limits.dial_timeout", "How long a connection to an upstream may take to be made.",
		func(c *Config) *time.Duration { return &c.Limits.Dial }, bounds[time.Duration]{100 * time.Millisecond, 2 * time.Minute}),
	durationKey("limits.answer_timeout", "How long an upstream's whole answer to a discovery request may take.",
		func(c *Config) *time.Duration { return &c.Limits.Answer }, bounds[time.Duration]{100 * time.Millisecond, 5 * time.Minute}),
	durationKey("limits.lifetime", "How long a connection or a tunnel may live, however busy it is. A tunnel is cut off then; any other connection is closed "+
		"behind its next answer, and where none ends, because somebody stalls in the middle, cut off after twice as long. So keep it well above "+
		"an hour, for which ActiveSync holds a request open.",
		func(c *Config) *time.Duration { return &c.Limits.Lifetime }, bounds[time.Duration]{time.Second, 30 * 24 * time.Hour}),
	durationKey("limits.stall_timeout", "How long a client, or either side of a tunnel, may take nothing of the bytes that wait for it; it is cut off then. Who has "+
		"nothing to take, as in a long poll or an idle tunnel, waits as long as he likes. A paused download of a browser is continued with a new "+
		"request. On other systems than Linux it holds for HTTP/2 alone.",
		func(c *Config) *time.Duration { return &c.Limits.Stall }, bounds[time.Duration]{10 * time.Second, 24 * time.Hour}),
	countKey("limits.connections", "How many connections of clients there may be, at all doors together, and how many requests over HTTP/2 may be under way "+
		"(100 at least); more are answered 503.",
		func(c *Config) *int64 { return &c.Limits.Connections }, bounds[int64]{1, 1 << 20}),
	countKey("limits.tunnels", "How many tunnels there may be, opened ones included; more are answered 503.",
		func(c *Config) *int64 { return &c.Limits.Tunnels }, bounds[int64]{1, 1 << 20}),
	countKey("limits.per_client", "How many of these connections, of these requests (100 at least) and of these tunnels one client address may have (of IPv6: one "+
		"network of 64 bits); more are answered 429.",
		func(c *Config) *int64 { return &c.Limits.PerClient }, bounds[int64]{1, 1 << 20}),
	durationKey("limits.drain_timeout", "How long exchanges and tunnels may go on after the guard was told to stop; 0s cuts them off.",
		func(c *Config) *time.Duration { return &c.Limits.Drain }, bounds[time.Duration]{0, time.Hour}),
}

// bounds are the least and the most that a value may be.
type bounds[T int64 | time.Duration] struct{ least, most T }

func (b bounds[T]) include(v T) bool { return b.least <= v && v <= b.most }

func sizeKey(name, about string, at func(*Config) *int64, b bounds[int64]) key {
	return key{name: name, about: about + " From " + showSize(b.least) + " to " + showSize(b.most) + ".", value: single[int64]{
		at:    at,
		want:  "a size such as " + showSize(b.most/4),
		parse: size.within(b),
		show:  showSize,
	}}
}

func durationKey(name, about string, at func(*Config) *time.Duration, b bounds[time.Duration]) key {
	return key{name: name, about: about + " From " + showDuration(b.least) + " to " + showDuration(b.most) + ".", value: single[time.Duration]{
		at:    at,
		want:  "a length of time such as 10s",
		parse: duration.within(b),
		show:  showDuration,
	}}
}

func countKey(name, about string, at func(*Config) *int64, b bounds[int64]) key {
	return key{name: name, about: about + " From " + showCount(b.least) + " to " + showCount(b.most) + ".", value: single[int64]{
		at:    at,
		want:  "a number such as " + showCount(b.most/4),
		parse: number(b),
		show:  showCount,
	}}
}
