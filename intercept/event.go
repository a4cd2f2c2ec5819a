package intercept

import (
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// EventMessage and EventSchema identify decision records. One is written for every exchange that is recognised as discovery, whatever
// becomes of it, and for every tunnel that goes to such a host unread; nothing else has this message.
const (
	EventMessage = "decision"
	EventSchema  = 1
)

// The keys of a decision record, in the order in which they are written, behind time, level and message, which are the encoder's. All
// are always there. They are an interface: keys may be added, none is renamed.
const (
	keySchema   = "schema"   // EventSchema
	keyExchange = "exchange" // identifies the exchange in this log
	keyMode     = "mode"     // enforce; monitor where the rule only records
	keyAction   = "action"   // pass, edit, refuse, answer; tunnel of one that went by unread
	keyWould    = "would"    // what would have been done if no rule only monitored; else empty
	keyRule     = "rule"     // the rule's name; empty where none applies
	keyReason   = "reason"
	keyClient   = "client" // address without port
	keyDoor     = "door"   // plain, connect, connect-plain, transparent, transparent-plain, installed
	keyHost     = "host"   // asked host, with the port where it is not the scheme's own
	keyMethod   = "method"
	keyPath     = "path"   // without query and ;parameters; mailboxes reduced to their domain
	keyStatus   = "status" // what the client got; 0 where the connection broke before
	keyDialect  = "dialect"
	keySubjects = "subjects" // mail domains
	keyAccounts = "accounts" // addresses or their hashes, as the operator's Privacy says; else empty
	keyReserved = "reserved_by"
	keySecrets  = "credentials" // present, scheme, forwarded
	keySuggest  = "suggestions" // path, kind, protocol, was, now, verdict, would
	keyForeign  = "strangers"   // hosts outside the rule's set that the client was kept from, or where the rule only records, would have been
	keyUpstream = "upstream"    // asked, status, error: one word or two, check: which check of its TLS failed
	keyBytesIn  = "bytes_in"    // body bytes of upstream's answer that were read
	keyBytesOut = "bytes_out"   // body bytes that the client got
	keyTook     = "took_ms"
	keyPolicy   = "policy"    // the policy's revision
	keyRoot     = "authority" // what Config.Authority says
)

const (
	// maxSuggestions, maxSubjects and maxText bound a record: neither a client nor an upstream must be able to fill the log.
	maxSuggestions = 200
	maxSubjects    = 50
	maxText        = 256
)

// finish writes the record of a discovery exchange, once.
func (x *exchange) finish(status int, out int64) {
	x.record.Do(func() {
		if !x.recognised() {
			return
		}
		if x.decision.Action == 0 {
			x.decision = x.policy.Unanswered(&x.plan, reasonNobody)
		}
		if !x.upstream.asked {
			x.decision.Credentials.Forwarded = false
		}
		if x.relay != nil {
			x.bytesIn = x.relay.bytes.Load()
			if x.cut.Load() && x.upstream.class == "" {
				x.noteFailure(classTruncated)
			}
		}
		x.write(status, out)
	})
}

// write hands the record to the log. What the log cannot write is for it to count; even where it panics, the client gets its answer, which may
// still stand in a buffer.
func (x *exchange) write(status int, out int64) {
	defer x.logPanicked()
	if entry := x.p.decisions.Check(x.level(), EventMessage); entry != nil {
		entry.Time = x.p.clock().UTC()
		entry.Write(x.fields(status, out)...)
	}
}

// logPanicked is deferred by who writes a record.
func (x *exchange) logPanicked() {
	if v := recover(); v != nil {
		x.p.recovered(v, zap.String(keyExchange, x.id))
	}
}

// refuseTunnel writes the record of a tunnel that is refused for where it leads: nothing was asked yet.
func (x *exchange) refuseTunnel(d rules.Decision) {
	x.decision = d
	x.plan.Step = rules.Refuse
	x.finish(0, 0)
}

// level is by action: what changed nothing for nobody is for debugging, what changed something is a warning.
func (x *exchange) level() zapcore.Level {
	switch {
	case x.decision.Err != nil && x.guarded():
		return zap.ErrorLevel
	case x.decision.Action != rules.ActionPass, x.decision.Would > rules.ActionPass:
		return zap.WarnLevel
	case x.guarded():
		return zap.InfoLevel
	}
	return zap.DebugLevel
}

func (x *exchange) fields(status int, out int64) []zap.Field {
	d := &x.decision
	mode, would := rules.Enforce, ""
	if d.Mode != 0 {
		mode = d.Mode
	}
	if d.Would != 0 {
		would = d.Would.String()
	}
	account := x.accountName()
	return []zap.Field{
		zap.Int(keySchema, EventSchema),
		zap.String(keyExchange, x.id),
		zap.String(keyMode, mode.String()),
		zap.String(keyAction, d.Action.String()),
		zap.String(keyWould, would),
		zap.String(keyRule, d.Rule),
		zap.String(keyReason, d.Reason),
		zap.String(keyClient, x.client),
		zap.String(keyDoor, string(x.door)),
		zap.String(keyHost, clip(x.url.Host)),
		zap.String(keyMethod, clip(x.method)),
		zap.String(keyPath, account.redact(publicPath(x.url.Path))),
		zap.Int(keyStatus, status),
		zap.String(keyDialect, d.Dialect.String()),
		zap.Strings(keySubjects, clipAll(d.Subjects)),
		zap.Strings(keyAccounts, x.p.accounts(x.plan.Inquiry.Subjects)),
		zap.String(keyReserved, d.ReservedBy),
		zap.Object(keySecrets, credentials(d.Credentials)),
		zap.Array(keySuggest, suggestions(account.redactAll(d.Suggestions))),
		zap.Strings(keyForeign, clipAll(d.Strangers)),
		zap.Object(keyUpstream, &x.upstream),
		zap.Int64(keyBytesIn, x.bytesIn),
		zap.Int64(keyBytesOut, out),
		zap.Int64(keyTook, max(0, x.p.clock().Sub(x.start).Round(time.Millisecond).Milliseconds())),
		zap.String(keyPolicy, x.policy.Revision()),
		zap.String(keyRoot, x.p.authority()),
	}
}

type credentials rules.Credentials

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (c credentials) MarshalLogObject(e zapcore.ObjectEncoder) error {
	e.AddBool("present", c.Present)
	e.AddString("scheme", c.Scheme)
	e.AddBool("forwarded", c.Forwarded)
	return nil
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (u *upstream) MarshalLogObject(e zapcore.ObjectEncoder) error {
	e.AddBool("asked", u.asked)
	e.AddInt("status", u.status)
	e.AddString("error", u.class)
	e.AddString("check", u.check)
	return nil
}

type suggestions []dialect.Suggestion

// MarshalLogArray implements zapcore.ArrayMarshaler.
func (all suggestions) MarshalLogArray(e zapcore.ArrayEncoder) error {
	for i := range min(len(all), maxSuggestions) {
		if err := e.AppendObject((*suggestion)(&all[i])); err != nil {
			return err
		}
	}
	return nil
}

type suggestion dialect.Suggestion

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (s *suggestion) MarshalLogObject(e zapcore.ObjectEncoder) error {
	e.AddString("path", clip(withoutMailbox(s.Path)))
	e.AddString("kind", s.Kind.String())
	e.AddString("protocol", clip(s.Protocol))
	e.AddString("was", publicValue(s.Kind, s.Was))
	e.AddString("now", publicValue(s.Kind, s.Now))
	e.AddString("verdict", s.Verdict.String())
	would := ""
	if s.Would != dialect.Unjudged {
		would = s.Would.String()
	}
	e.AddString("would", would)
	return nil
}

// publicValue is a suggestion without what may be personal or secret: no query, no fragment, no parameters of a path, no mailbox, no user. Everything
// before an @ in its path segment goes, because local parts may be quoted and hold anything.
func publicValue(kind dialect.Kind, value string) string {
	if i := strings.IndexAny(value, "?#"); i >= 0 {
		value = value[:i]
	}
	value = unescapedAt(value)
	if kind == dialect.KindAddress {
		at := strings.LastIndexByte(value, '@')
		if at < 0 { // a local part alone
			return ""
		}
		return clip(behindUser(value[at+1:], false))
	}
	return clip(withoutUsers(value))
}

// withoutUsers takes away, in every segment of a path, whatever stands before an @, and the segment's parameters: some servers keep their sessions
// there (;jsessionid=…).
func withoutUsers(path string) string {
	if !strings.ContainsAny(path, "@;") {
		return path
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if at := strings.LastIndexByte(s, '@'); at >= 0 {
			s = behindUser(s[at+1:], i == 0 || i > 1 && segments[i-1] == "")
		}
		segments[i], _, _ = strings.Cut(s, ";")
	}
	return strings.Join(segments, "/")
}

// behindUser is the domain with which a text behind an @ begins; what somebody writes behind his address, such as his password, is none of it. An authority may
// have a port.
func behindUser(text string, authority bool) string {
	text = strings.TrimLeft(text, " \t\r\n") // as the dialects read it
	end := strings.IndexAny(text, ":;,&=|<>()\"' \t\r\n")
	if literal := strings.IndexByte(text, ']'); literal > 0 && text[0] == '[' { // RFC 5321, section 4.1.3
		end = literal + 1
	}
	if end < 0 || end == len(text) {
		return text
	}
	if port := text[end:]; authority && port[0] == ':' && strings.Trim(port[1:], "0123456789") == "" {
		return text
	}
	return text[:end]
}

// publicPath is a path in which every segment that holds a mailbox is reduced to its domain.
//
// A path is decoded already: a question mark in it belongs to a segment, so mailboxes go first.
func publicPath(path string) string {
	return publicValue(dialect.KindURL, withoutUsers(unescapedAt(path)))
}

// unescapedAt undoes the escaping of @, once and twice.
func unescapedAt(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	return plainAt.Replace(text)
}

var plainAt = strings.NewReplacer("%40", "@", "%2540", "@")

// withoutMailbox takes away whatever stands between a separator and an @ in a suggestion's path, which only a member's name of the answer can
// put there. An @ with nothing before it is no mailbox's: it marks an attribute.
func withoutMailbox(text string) string {
	text = unescapedAt(text)
	if strings.IndexByte(text, '@') < 0 {
		return text
	}
	var kept []string // from the end
	for at := strings.LastIndexByte(text, '@'); at >= 0; at = strings.LastIndexByte(text, '@') {
		start := strings.LastIndexAny(text[:at], "/,;<>[(\" \t") + 1
		if start < at {
			kept = append(kept, text[at+1:])
		} else {
			kept = append(kept, text[at:])
		}
		text = text[:start]
	}
	slices.Reverse(kept)
	return text + strings.Join(kept, "")
}

// clipAll is for domains and hosts; one that is not, because an address was quoted in an odd way, is reduced to one.
func clipAll(texts []string) []string {
	out := make([]string, 0, min(len(texts), maxSubjects))
	for _, t := range texts[:cap(out)] {
		out = append(out, clip(t[strings.LastIndexByte(t, '@')+1:]))
	}
	return out
}

func clip(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "…"
}
