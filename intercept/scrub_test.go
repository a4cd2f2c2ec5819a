package intercept_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"autodiscover-guard/intercept"
)

// A question without its secrets has no body and nothing that belongs to one, however long that was and whatever stood behind it. It is asked nevertheless.
func TestScrub_noBodyLeaves(t *testing.T) {
	for _, door := range everyDoor {
		for name, body := range map[string]string{"short": `{"password":"` + password + `"}`, "longer than what is read": strings.Repeat("x", 64<<10) + password} {
			for _, chunked := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/chunked %v", door.name, name, chunked), func(t *testing.T) {
					t.Parallel()
					own := suggest("user@lab.test", "imap.lab.test")
					var asked http.Request
					w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
						text, _ := io.ReadAll(r.Body)
						asked = *r
						if len(text) > 0 {
							t.Errorf("upstream got a body of %d bytes", len(text))
						}
						jsonAnswer(own)(w, r)
					}, limits(intercept.Limits{BodyBytes: 4 << 10}))
					r := askCentral(t, door.scheme, "user@lab.test")
					setBody(r, body)
					r.Method = http.MethodGet // a body that is read may say too much for the question to be asked at all
					r.Header.Set("Content-Type", "application/json")
					if chunked {
						r.ContentLength, r.Trailer = -1, http.Header{"X-Token": {password}}
					}
					if got := send(t, door.client(w), r); got.StatusCode != http.StatusOK || got.body != own {
						t.Errorf("got %d %q", got.StatusCode, got.body)
					}
					if asked.Method != http.MethodGet || asked.ContentLength != 0 || asked.TransferEncoding != nil || len(asked.Trailer) > 0 {
						t.Errorf("upstream was asked with %s, length %d %v, trailer %v", asked.Method, asked.ContentLength, asked.TransferEncoding, asked.Trailer)
					}
					for _, field := range []string{"Content-Type", "Authorization", "Trailer"} {
						if asked.Header[field] != nil {
							t.Errorf("upstream was told %s: %q", field, asked.Header[field])
						}
					}
				})
			}
		}
	}
}
