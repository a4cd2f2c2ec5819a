package desktop

import "fmt"

// State is how a place stands. The empty State is invalid.
type State string

// The states.
const (
	Absent  State = "not present"
	Off     State = "off"
	On      State = "on"
	Changed State = "changed by somebody"
	Left    State = "left over from a crash"
	// Held is a place that can be taken back when the program that it belongs to has ended.
	Held   State = "waiting"
	Failed State = "failed"
)

// Change is one key of a place.
type Change struct {
	Key string `json:"key"`
	Was string `json:"was"`
	Now string `json:"now"`
}

// Result is what happened to a place, or how it stands.
type Result struct {
	// Name selects it, Where says which of several it is.
	Name  string `json:"place"`
	Where string `json:"where"`
	State State  `json:"state"`
	// Note explains it to people; it is empty where there is nothing to say.
	Note string `json:"note,omitempty"`
	// Changes are the keys that were changed, or would be in a dry run. Passwords in URLs are left out.
	Changes []Change `json:"changes,omitempty"`
	// Follows says that a program fills the place by itself from another one, when it starts.
	Follows bool `json:"-"`
}

// Good reports whether nobody has to look after the place.
func (r Result) Good() bool { return r.State == Absent || r.State == Off || r.State == On }

func result(p place, s State, format string, a ...any) Result {
	return Result{Name: p.id().Name, Where: p.id().Where, State: s, Note: fmt.Sprintf(format, a...), Follows: follows(p)}
}

// difference lists the keys that differ.
func difference(now, then Values) []Change {
	var all []Change
	for _, k := range then.keys() {
		if now[k] != then[k] {
			all = append(all, Change{k, now[k].String(), then[k].String()})
		}
	}
	return all
}
