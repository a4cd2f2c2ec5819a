package truststore

// Status says how a place stands.
type Status string

// The statuses of a [Report].
const (
	Installed  Status = "installed"   // the root was put there, and found there
	Present    Status = "present"     // it is there; nothing was changed
	Removed    Status = "removed"     // it was taken out, and is not found any more
	Absent     Status = "absent"      // it is not there; nothing was changed
	Planned    Status = "planned"     // a dry run: Did lists what would be done
	NeedsAdmin Status = "needs-admin" // the administrator must do it; Did lists what would be done
	Skipped    Status = "skipped"     // nothing can be done here, as Note says
	Failed     Status = "failed"      // as Note says; what was changed has been put back where that was possible
)

// Report is what happened at one place. Every text is for people; Store, Path and Status are for programs, too.
type Report struct {
	Store   string `json:"store"`
	Program string `json:"program"`
	Path    string `json:"path"`
	Status  Status `json:"status"`
	// Did is what was done, or would be, in order.
	Did []string `json:"did,omitempty"`
	// Verified is how Present, Installed, Absent and Removed are known.
	Verified string `json:"verified,omitempty"`
	// Undo is how to take the root out by hand.
	Undo string `json:"undo,omitempty"`
	// Recorded says that the journal knows of an installation here.
	Recorded bool `json:"recorded"`
	// Exact says, of Removed, that every file has the bytes from before the installation.
	Exact bool `json:"exact"`
	// Note is what else there is to know: why it failed, what must be restarted.
	Note string `json:"note,omitempty"`
}

// report begins a report on a place.
func (p place) report(recorded bool) Report {
	return Report{Store: p.store, Program: p.program, Path: p.path, Undo: p.undo, Note: p.note, Recorded: recorded}
}

// fail ends it.
func (r Report) fail(why string) Report {
	r.Status, r.Note, r.Verified = Failed, why, ""
	return r
}
