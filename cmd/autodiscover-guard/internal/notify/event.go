package notify

import "time"

// Type is what a notification is about.
type Type string

// The types.
const (
	Stranger  Type = "stranger"
	Leak      Type = "leak"
	Reload    Type = "reload"
	Authority Type = "authority"
)

// payloadVersion is the version of the document that is posted.
const payloadVersion = 1

// payload is that document.
type payload struct {
	Version   int       `json:"version"`
	Type      Type      `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Guard     string    `json:"guard"`
	Summary   string    `json:"summary"`
	Count     int       `json:"count"`
	Data      any       `json:"data"`
}

// event is something that happened, and may be told.
type event struct {
	kind Type
	at   time.Time
	// key is the same for what is the same; empty where each is another.
	key     string
	summary string
	data    any
	// hosts are strangers that are new; they are remembered when they have been told.
	hosts []string
	count int
}

// decisionData is what is told of a decision.
type decisionData struct {
	Hosts                []string `json:"hosts"`
	Subjects             []string `json:"subjects"`
	Action               string   `json:"action"`
	Would                string   `json:"would"`
	Rule                 string   `json:"rule"`
	Reason               string   `json:"reason"`
	Dialect              string   `json:"dialect"`
	Host                 string   `json:"host"`
	Client               string   `json:"client"`
	Exchange             string   `json:"exchange"`
	CredentialsForwarded bool     `json:"credentials_forwarded"`
}
