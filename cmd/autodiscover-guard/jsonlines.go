package main

import (
	"encoding/json"
	"io"

	"autodiscover-guard/cmd/autodiscover-guard/internal/terminal"
)

// writeJSONLines writes one JSON object a line, readable: nothing is escaped for HTML.
func writeJSONLines[T any](out io.Writer, all []T) error {
	e := json.NewEncoder(terminal.Writer(out))
	e.SetEscapeHTML(false)
	for _, v := range all {
		if err := e.Encode(v); err != nil {
			return err
		}
	}
	return nil
}
