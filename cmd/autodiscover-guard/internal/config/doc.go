// Package config reads the guard's YAML file: strictly, with every key documented, and with every mistake of a file reported at once.
//
//	c, err := config.Load("guard.yaml")
//	// guard.yaml:7: policy.servces: unknown key; did you mean "services"?
//
// One table (schema.go) lists the keys with their place in [Config], their reader and their documentation. Reading, the messages,
// [Config.Set] and [Reference] all work from it, so a key cannot exist without its documentation, and no default is written twice.
//
// # What is strict
//
// Unknown keys at any depth, keys given twice, values of another type, values out of range, a second document, a file that is empty, not UTF-8
// or over a MiB, anchors, aliases, merge keys and tags are all refused: whatever a reader of the file could overlook or read in two ways.
// Scalars are read by their text and not by YAML's types, so that off, which YAML 1.1 takes for a boolean, is just a word. A file of remarks
// is the default configuration, and so is a section without keys.
//
// # What it does not do
//
// It opens no file but the one that it loads, looks up no name, and knows no policy: what the names of the services are, it is told by
// [KnownServices].
package config
