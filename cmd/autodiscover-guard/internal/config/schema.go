package config

import "slices"

// key is a row of the table of everything that may stand in a file.
type key struct {
	// name is the full name; what stands below a key follows it.
	name string
	// about is what the reference says of it, and sample a value to show there where the default shows nothing.
	about, sample string
	// value reads and writes it; nil means a section, which has only keys.
	value value
}

// keys is the contract with operators: rows may be added, not renamed.
var keys = slices.Concat(listenKeys, adminKeys, stateKeys, clientKeys, policyKeys, upstreamKeys, limitKeys, logKeys, sinkKeys, notifyKeys)
