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

// A text passes as it stands where nobody reads another charset out of its Content-Type.
func TestDecodeText_namesNoOtherCharset(t *testing.T) {
	for contentType, want := range map[string]bool{
		"": true, "text/xml": true, "text/xml;charset=UTF-8": true, `application/xml; Charset="utf-8"; profile=x`: true, "text/xml; charset=iso-8859-1": false,
		`text/xml; x="; charset=utf-7"`: false, `text/xml; charset=utf-8; x="; CHARSET=utf-7"`: false, "text/xml; charset=utf-8; charset=utf-7": false,
	} {
		if got, err := decodeText([]byte("<a/>"), contentType); err != nil || got.plain != want {
			t.Errorf("%s: plain %v, %v; want %v", contentType, got.plain, err, want)
		}
	}
}
