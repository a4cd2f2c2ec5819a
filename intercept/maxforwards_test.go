package intercept_test

import (
	"bufio"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
)

// RFC 9110, section 7.6.2: an intermediary lowers Max-Forwards in OPTIONS and TRACE, and answers at zero; in other requests, and where it is no count, it goes on as it is.
func TestMaxForwards(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			got := make(chan []string, 16)
			w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) { got <- r.Header["Max-Forwards"] })
			client := door.client(w)
			for _, c := range []struct{ method, says, want string }{
				{"OPTIONS", "1", "0"}, {"TRACE", "10", "9"}, {"TRACE", "2147483647", "2147483646"}, {"GET", "1", "1"}, {"GET", "0", "0"}, {"OPTIONS", "-1", "-1"}, {"TRACE", "1, 0", "1, 0"},
			} {
				r := request(t, c.method, door.scheme+"://opened.net/", "")
				r.Header.Set("Max-Forwards", c.says)
				send(t, client, r)
				if fields := <-got; len(fields) != 1 || fields[0] != c.want {
					t.Errorf("%s with %s: upstream got %q", c.method, c.says, fields)
				}
			}
			for method, status := range map[string]int{"OPTIONS": 200, "TRACE": 501} {
				r := request(t, method, door.scheme+"://opened.net/", "")
				r.Header.Set("Max-Forwards", "0")
				r.Header.Set("Cookie", "id=mine")
				if got := send(t, client, r); got.StatusCode != status || got.err != nil || strings.Contains(got.body, "id=mine") || got.ContentLength < 0 {
					t.Errorf("%s: got %s %q", method, got.Status, got.body)
				}
			}
			select {
			case <-got:
				t.Error("upstream was asked")
			default:
			}
		})
	}
}

// A proxy behind us that is the last of a TRACE's sends its fields back (RFC 9110, section 9.3.8): what we say to log in there would be told to the client.
func TestParent_noTraceTellsThePassword(t *testing.T) {
	u := &uplink{login: true, url: "http://" + listen(t, func(c net.Conn) {
		if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			echo, _ := httputil.DumpRequest(r, false)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: message/http\r\nConnection: close\r\n\r\n"+string(echo))
		}
	})}
	secret := base64.StdEncoding.EncodeToString([]byte(proxyUser + ":" + proxyPassword))
	for _, untold := range []bool{false, true} {
		u.untold = untold
		w := u.world(t, jsonAnswer(""))
		for _, hops := range []string{"", "1"} {
			r := request(t, http.MethodTrace, "http://opened.net/", "")
			if hops != "" {
				r.Header.Set("Max-Forwards", hops)
			}
			got := send(t, w.client(false), r)
			if want := map[bool]int{false: http.StatusNotImplemented, true: http.StatusOK}[untold]; got.StatusCode != want || strings.Contains(got.body, secret) {
				t.Errorf("Max-Forwards %q: got %s %q", hops, got.Status, got.body)
			}
		}
	}
}
