package rules

// Mode is how far a rule or service goes.
type Mode uint8

// The modes. The zero Mode is invalid.
const (
	_ Mode = iota
	// Off opens nothing.
	Off
	// Enforce acts.
	Enforce
)
