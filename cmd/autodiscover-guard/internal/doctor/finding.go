package doctor

// State is how a check ended. The empty State is invalid.
type State string

// The states.
const (
	// OK is as it should be.
	OK State = "ok"
	// Warning works, and should be looked after.
	Warning State = "warning"
	// Fail is wrong.
	Fail State = "fail"
	// Skipped could not be looked at, or need not; What says why.
	Skipped State = "skipped"
)

// Finding is what one check says of one subject.
type Finding struct {
	// Check identifies the check for programs: reachable, version, ready, policy, root, pac, client, speed, tunnel, log, servers, quarantine,
	// secrets, authority, root-key, trust, desktop, clock, disk.
	Check string `json:"check"`
	// Group is where the check belongs: guard, clients, traffic, authority, trust, desktop, computer.
	Group string `json:"group"`
	// Subject is what was looked at: an account's domain, a file, a trust store.
	Subject string `json:"subject"`
	State   State  `json:"state"`
	// What is what was found, Do what to do about it; Do is empty where there is nothing to do.
	What string `json:"what"`
	Do   string `json:"do,omitempty"`
	// weak is for what is told only where nothing else of the same state is.
	weak bool
}

func ok(subject, what string) Finding { return Finding{Subject: subject, State: OK, What: what} }

func skipped(subject, what string) Finding {
	return Finding{Subject: subject, State: Skipped, What: what}
}

func warning(subject, what, do string) Finding {
	return Finding{Subject: subject, State: Warning, What: what, Do: do}
}

func fail(subject, what, do string) Finding {
	return Finding{Subject: subject, State: Fail, What: what, Do: do}
}

// worse reports whether a finding is rather to be told than another.
func (f Finding) worse(than Finding) bool {
	return f.State.worse(than.State) || f.State == than.State && than.weak && !f.weak
}

// worse reports whether a state is worse than another.
func (s State) worse(than State) bool { return s.rank() > than.rank() }

func (s State) rank() int {
	switch s {
	case Fail:
		return 3
	case Warning:
		return 2
	case OK:
		return 1
	default: // skipped
		return 0
	}
}
