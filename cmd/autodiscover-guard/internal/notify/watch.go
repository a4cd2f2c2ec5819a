package notify

import (
	"slices"
	"strconv"
	"strings"

	"go.uber.org/zap/zapcore"
)

// Decisions is a core that looks at decision records and writes nothing. It is to stand beside the core that writes them.
func (n *Notifier) Decisions() zapcore.Core {
	return &watcher{level: zapcore.DebugLevel, see: n.seeDecision}
}

// Life is a core that looks at all other messages. Of those whose text is a key of types, a warning or worse, it tells.
func (n *Notifier) Life(types map[string]Type) zapcore.Core {
	return &watcher{level: zapcore.WarnLevel, see: func(e zapcore.Entry, fields []zapcore.Field) {
		if kind, ok := types[e.Message]; ok {
			n.seeLife(kind, e, fields)
		}
	}}
}

// watcher is a core that only looks.
type watcher struct {
	level zapcore.Level
	with  []zapcore.Field
	see   func(zapcore.Entry, []zapcore.Field)
}

// Enabled implements zapcore.Core.
func (w *watcher) Enabled(l zapcore.Level) bool { return l >= w.level }

// With implements zapcore.Core.
func (w *watcher) With(fields []zapcore.Field) zapcore.Core {
	with := *w
	with.with = slices.Concat(w.with, fields)
	return &with
}

// Check implements zapcore.Core.
func (w *watcher) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if w.Enabled(e.Level) {
		return checked.AddCore(e, w)
	}
	return checked
}

// Write implements zapcore.Core. It never fails and never waits for anybody.
func (w *watcher) Write(e zapcore.Entry, fields []zapcore.Field) error {
	if len(w.with) > 0 {
		fields = slices.Concat(w.with, fields)
	}
	w.see(e, fields)
	return nil
}

// Sync implements zapcore.Core.
func (*watcher) Sync() error { return nil }

// seeDecision tells of strangers that are new, and of leaks that were not stopped. Most records need no second look.
func (n *Notifier) seeDecision(e zapcore.Entry, fields []zapcore.Field) {
	var action, would, rule string
	for _, f := range fields {
		switch f.Key {
		case "action":
			action = f.String
		case "would":
			would = f.String
		case "rule":
			rule = f.String
		}
	}
	kept := action == "edit" || action == "refuse"
	leaked := action == "pass" && would != "" && would != "pass"
	unread := action == "tunnel" && rule != ""
	if !kept && !leaked && !unread {
		return
	}
	m := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(m)
	}
	d := dataOf(m.Fields)
	d.Hosts = append([]string{}, words(m.Fields["strangers"])...)
	about := " to accounts of " + strings.Join(d.Subjects, ", ")
	if unread {
		summary := "not stopped, because a tunnel was not opened: whatever " + d.Host + " says" + about
		n.tell(event{kind: Leak, at: e.Time, key: d.leak(), summary: summary, data: d})
		return
	}
	if leaked {
		if failed(m.Fields) && !d.CredentialsForwarded {
			return // nobody was told anything
		}
		summary := "not stopped, because a rule only monitors: " + named(d.Hosts) + about
		if d.CredentialsForwarded {
			summary += ", with credentials"
		}
		n.tell(event{kind: Leak, at: e.Time, key: d.leak(), summary: summary, data: d})
		return
	}
	n.tellStrangers(event{kind: Stranger, at: e.Time, summary: about, data: d}, d)
}

// leak tells one leak from another. A password that goes is worse than the name that went before it.
func (d *decisionData) leak() string {
	return strings.Join([]string{d.Action, d.Rule, d.Host, strings.Join(d.Subjects, ","), strings.Join(d.Hosts, ","), strconv.FormatBool(d.CredentialsForwarded)}, "\x00")
}

// seeLife tells of a message with what was logged with it.
func (n *Notifier) seeLife(kind Type, e zapcore.Entry, fields []zapcore.Field) {
	m := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(m)
	}
	said := []string{e.Message}
	for _, name := range []string{"problem", "error"} {
		if v, ok := m.Fields[name].(string); ok {
			said = append(said, v)
		}
	}
	m.Fields["message"] = e.Message
	n.tell(event{kind: kind, at: e.Time, key: strings.Join(said, "\x00"), summary: strings.Join(said, ": "), data: m.Fields})
}

func dataOf(fields map[string]any) decisionData {
	text := func(key string) string { s, _ := fields[key].(string); return s }
	credentials, _ := fields["credentials"].(map[string]any)
	forwarded, _ := credentials["forwarded"].(bool)
	return decisionData{
		Subjects: append([]string{}, words(fields["subjects"])...), Action: text("action"), Would: text("would"), Rule: text("rule"), Reason: text("reason"),
		Dialect: text("dialect"), Host: text("host"), Client: text("client"), Exchange: text("exchange"), CredentialsForwarded: forwarded,
	}
}

// failed reports whether there was no answer.
func failed(fields map[string]any) bool {
	upstream, _ := fields["upstream"].(map[string]any)
	class, _ := upstream["error"].(string)
	return class != ""
}

// words is a list of texts; empty where there is none.
func words(value any) []string {
	list, _ := value.([]any)
	all := make([]string, 0, len(list))
	for _, v := range list {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// named lists some hosts.
func named(hosts []string) string {
	const most = 5
	if len(hosts) == 0 {
		return "an answer"
	}
	text := strings.Join(hosts[:min(len(hosts), most)], ", ")
	if len(hosts) > most {
		text += ", …"
	}
	return text
}
