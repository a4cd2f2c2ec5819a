package config

import "time"

// Rotate says when the file of decision records is moved aside, and how long what was moved is kept. Zero is off, in each but Keep.
type Rotate struct {
	Size  int64
	Every time.Duration
	// Keep is at least 1.
	Keep int64
	// Age is in whole days.
	Age time.Duration
}

const (
	day = 24 * time.Hour
	// maxAge is ten years: whoever writes more has mistyped.
	maxAge = 3650 * day
)

// sinkKeys are those keys of log that say where decision records go.
var sinkKeys = []key{
	{
		name: "log.sink",
		about: "Where decision records go: file (log.decisions), journald (every key of a record is a field of the journal), syslog (the daemon of " +
			"this computer), or stderr.",
		value: single[string]{
			at:    func(c *Config) *string { return &c.Log.Sink },
			want:  "file, journald, syslog or stderr",
			parse: oneOf("a sink", map[string]string{"journal": "journald", "systemd": "journald", "rsyslog": "syslog", "stdout": "stderr"}, "file", "journald", "syslog", "stderr"),
			show:  word,
		},
	},
	{
		name: "log.repeat",
		about: "How often the same decision for the same client is written as a record of its own: a number a second (s), minute (m) or hour (h). Beyond " +
			"that they are counted, and one record a second says in \"repeat\" how many it stands for, so that no client can fill the disk and the " +
			"totals stay true. The guard's own log does the same with lines. off writes each.",
		value: single[Rate]{
			at:    func(c *Config) *Rate { return &c.Log.Repeat },
			want:  wantRate,
			parse: parseRate,
			show:  showRate,
		},
	},
	{name: "log.rotate", about: "When the file of decision records is moved aside and compressed, and how long such files are kept."},
	{
		name:  "log.rotate.size",
		about: "The size that the file may get, from 64KiB to 16GiB; off, here and for every, is for logrotate, which moves the file and then sends SIGHUP.",
		value: single[int64]{
			at:    func(c *Config) *int64 { return &c.Log.Rotate.Size },
			want:  "a size such as 100MiB, or off",
			parse: orOff(size.within(bounds[int64]{64 << 10, 16 << 30})),
			show:  shownOrOff(showSize),
		},
	},
	{
		name:  "log.rotate.every",
		about: "The age that the file's first record may get, such as 24h or 7d, from 1h to 3650d, before the file is moved aside. With off, records stay until it is full, which where there are few may take years; log.rotate.age counts from then.",
		value: single[time.Duration]{
			at:    func(c *Config) *time.Duration { return &c.Log.Rotate.Every },
			want:  "a length of time such as 24h or 7d, or off",
			parse: orOff(longTime.within(bounds[time.Duration]{time.Hour, maxAge})),
			show:  shownOrOff(showDays),
		},
	},
	{
		name:  "log.rotate.keep",
		about: "How many files that were moved aside are kept, from 1 to 10000.",
		value: single[int64]{
			at:    func(c *Config) *int64 { return &c.Log.Rotate.Keep },
			want:  "a whole number",
			parse: number(bounds[int64]{1, 10000}),
			show:  showCount,
		},
	},
	{
		name:  "log.rotate.age",
		about: "For how many days they are kept, from 1d to 3650d; off is for ever.",
		value: single[time.Duration]{
			at:    func(c *Config) *time.Duration { return &c.Log.Rotate.Age },
			want:  "a number of days such as 90d, or off",
			parse: orOff(wholeDays(longTime.within(bounds[time.Duration]{day, maxAge}))),
			show:  shownOrOff(showDays),
		},
	},
}
