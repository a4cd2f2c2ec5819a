package intercept_test

import (
	"io"
	"net/http"
	"testing"
)

// An upstream may answer while it is still being told something. Before net/http was told to let it, a large answer to an upload was now and
// then cut in the middle: the first byte of the answer closed the request's body, and the transport took that for a failure.
func TestPass_answerBeginsBeforeTheRequestEnds(t *testing.T) {
	for _, door := range everyDoor {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				control := http.NewResponseController(w)
				_ = control.EnableFullDuplex()
				word := make([]byte, 3)
				for {
					if _, err := io.ReadFull(r.Body, word); err != nil {
						return
					}
					_, _ = w.Write(word)
					_ = control.Flush()
				}
			})
			body, say := bodyPipe(t)
			defer body.Close()
			r := request(t, http.MethodPost, door.scheme+"://opened.net/echo", "")
			r.Body, r.ContentLength = body, -1
			go func() { _, _ = io.WriteString(say, "one") }()
			resp, err := door.client(w).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			heard := make([]byte, 3)
			for _, word := range []string{"", "two", "six"} {
				_, _ = io.WriteString(say, word)
				if _, err := io.ReadFull(resp.Body, heard); err != nil || word != "" && string(heard) != word {
					t.Fatalf("got %q, %v; want %q", heard, err, word)
				}
			}
			_ = say.Close()
			if rest, err := io.ReadAll(resp.Body); len(rest) != 0 || err != nil {
				t.Errorf("got %q, %v", rest, err)
			}
		})
	}
}
