package intercept

import _ "embed"

//go:embed schema/decision.v1.json
var eventJSONSchema string

//go:embed schema/handshake.v1.json
var handshakeJSONSchema string

// HandshakeJSONSchema is the same for the records of failed handshakes, of version [HandshakeSchema].
func HandshakeJSONSchema() string { return handshakeJSONSchema }

// EventJSONSchema is the JSON Schema (draft 2020-12) of the decision record of version [EventSchema], every key with its meaning. It admits keys
// that it does not name, because later releases may add some.
func EventJSONSchema() string { return eventJSONSchema }
