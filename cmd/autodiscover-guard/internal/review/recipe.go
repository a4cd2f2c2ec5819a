package review

import (
	_ "embed"

	"autodiscover-guard/intercept"
)

var (
	//go:embed recipes/lnav.json
	lnavFormat string
	//go:embed recipes/recipes.jq
	jqRecipes string
	//go:embed recipes/goaccess.conf
	goaccessConfig string
)

// Recipe is a file by which another program reads decision records.
type Recipe struct {
	// Name is what it is asked for by, About what it is and where it goes.
	Name, About, Text string
}

// Recipes lists them.
func Recipes() []Recipe {
	return []Recipe{
		{"schema", "JSON Schema (2020-12) of the decision record, every key with its meaning", intercept.EventJSONSchema()},
		{"schema-handshake", "the same for the records of clients' handshakes that failed, which stand among them", intercept.HandshakeJSONSchema()},
		{"lnav", "format file of lnav: lnav -i FILE installs it", lnavFormat},
		{"jq", "functions for jq; the first lines say how they are used", jqRecipes},
		{"goaccess", "configuration of GoAccess", goaccessConfig},
	}
}
