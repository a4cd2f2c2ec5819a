package dialect

import (
	"mime"
	"testing"
)

// What is known by heart is what the reader of every form says.
func TestParseMediaType_byHeart(t *testing.T) {
	for text := range plainTypes {
		mediaType, charset := parseMediaType(text)
		wantType, parameters, err := mime.ParseMediaType(text)
		if err != nil || mediaType != wantType || charset != parameters["charset"] || len(parameters) > 1 {
			t.Errorf("%q: got %q, %q, want %q, %v, %v", text, mediaType, charset, wantType, parameters, err)
		}
	}
}
