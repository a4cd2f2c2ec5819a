package intercept_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// So may a request's: see TestAnswer_header.
func TestRequest_manyFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t, jsonAnswer("{}"))
	for n, status := range map[int]int{1900: http.StatusOK, 2100: http.StatusRequestHeaderFieldsTooLarge} {
		for _, url := range []string{"http://opened.net/", "https://opened.net/"} {
			r := request(t, http.MethodGet, url, "")
			for i := range n {
				r.Header["X-"+strconv.Itoa(i/2)] = append(r.Header["X-"+strconv.Itoa(i/2)], "")
			}
			if got := send(t, w.client(false), r); got.StatusCode != status {
				t.Errorf("%s: got %s %q", url, got.Status, got.body)
			}
		}
	}
}

// An answer's header may have a lot of fields, and be long, but not so that a few of them fill the memory: one of 40 MB was as cheap as 1 MiB that its server sent.
func TestAnswer_header(t *testing.T) {
	t.Parallel()
	fields := func(n int, value string) func(http.Header) {
		return func(h http.Header) {
			for i := range n {
				h["X-"+strconv.Itoa(i/2)] = append(h["X-"+strconv.Itoa(i/2)], value)
			}
		}
	}
	for name, c := range map[string]struct {
		answer func(http.Header)
		status int
	}{
		"many fields": {fields(1900, ""), http.StatusOK},
		"too many":    {fields(2100, ""), http.StatusBadGateway},
		"long":        {fields(10, strings.Repeat("x", 20<<10)), http.StatusOK},
		"too long":    {fields(14, strings.Repeat("x", 20<<10)), http.StatusBadGateway},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) { c.answer(w.Header()) })
			for _, url := range []string{"http://opened.net/", "https://opened.net/"} {
				if got := send(t, w.client(false), request(t, http.MethodGet, url, "")); got.StatusCode != c.status {
					t.Errorf("%s: got %s %q", url, got.Status, got.body)
				}
			}
			if got := send(t, w.client(false), ask(t, "https", "user@corp-mail.net")); got.StatusCode != c.status {
				t.Errorf("a question: got %s %q", got.Status, got.body)
			}
		})
	}
}
