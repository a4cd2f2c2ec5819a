package intercept_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
)

// A proxy behind us that repeats what it was asked, as Squid's error pages do before 7.2, tells no client what the guard says to log in, and loses nothing else of its page.
func TestParent_errorPageTellsNoPassword(t *testing.T) {
	t.Parallel()
	token := base64.StdEncoding.EncodeToString([]byte(proxyUser + ":" + proxyPassword))
	const around = "<a href=\"mailto:webmaster?body=%s\">webmaster</a>\r\n"
	for name, c := range map[string]struct {
		status int
		header string
	}{
		"an error":   {http.StatusServiceUnavailable, ""},
		"an answer":  {http.StatusOK, ""},
		"in a field": {http.StatusBadGateway, "X-Squid-Error: ERR_DNS_FAIL " + token + "\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := &uplink{login: true, url: "http://" + listen(t, func(c2 net.Conn) {
				r := bufio.NewReader(c2)
				for {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					echo := url.PathEscape(fmt.Sprintf("%s %s\r\nProxy-Authorization: %s\r\n", req.Method, req.URL, req.Header.Get("Proxy-Authorization")))
					page := fmt.Sprintf(around, echo) + strings.Repeat("padding ", 8<<10) + req.Header.Get("Proxy-Authorization")
					_, _ = fmt.Fprintf(c2, "HTTP/1.1 %d Said\r\n%sContent-Length: %d\r\n\r\n%s", c.status, c.header, len(page), page)
				}
			})}
			w := u.world(t, jsonAnswer(""))
			got := send(t, w.client(false), request(t, http.MethodGet, "http://opened.net/missing", ""))
			all := got.body + fmt.Sprint(got.Header)
			secret := strings.TrimRight(token, "=")
			for _, s := range []string{secret, url.QueryEscape(secret), proxyPassword} {
				if strings.Contains(all, s) {
					t.Errorf("the client was told %q", s)
				}
			}
			if got.StatusCode != c.status || !strings.Contains(got.body, "missing%0D%0AProxy-Authorization:%20Basic%20****") || !strings.Contains(got.body, `">webmaster</a>`) {
				t.Errorf("got %s %.200q", got.Status, all)
			}
			if int64(len(got.body)) != got.ContentLength {
				t.Errorf("%d bytes of %d came", len(got.body), got.ContentLength)
			}
		})
	}
}

// Nor does it tell one in what stands before its answer, or behind.
func TestParent_hintsAndTrailersTellNoPassword(t *testing.T) {
	t.Parallel()
	u := &uplink{login: true, url: "http://" + listen(t, func(c net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		echo := req.Header.Get("Proxy-Authorization")
		_, _ = fmt.Fprintf(c, "HTTP/1.1 103 Early Hints\r\nX-Echo: 1 %[1]s\r\n\r\nHTTP/1.1 200 OK\r\nTrailer: X-Echo\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Echo: 2 %[1]s\r\n\r\n", echo)
	})}
	w := u.world(t, jsonAnswer(""))
	said := make(chan string, 1)
	req := request(t, http.MethodGet, "http://opened.net/", "")
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
		said <- h.Get("X-Echo")
		return nil
	}}))
	got := send(t, w.client(false), req)
	select {
	case hint := <-said:
		if !strings.HasPrefix(hint, "1 Basic ****") {
			t.Errorf("the hint says %q", hint)
		}
	default:
		t.Error("no hint came")
	}
	if trailer := got.Trailer.Get("X-Echo"); got.body != "body" || !strings.HasPrefix(trailer, "2 Basic ****") {
		t.Errorf("got %q, and the trailer %q", got.body, trailer)
	}
}

// Nor does that take the bound of hints away that nobody is told: those of a discovery question, which could go on until its time is over.
func TestParent_endlessHints(t *testing.T) {
	t.Parallel()
	u := &uplink{login: true, url: "http://" + listen(t, func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return
		}
		for range 40 { // above the bound of a header, all together
			if _, err := fmt.Fprintf(c, "HTTP/1.1 103 Early Hints\r\nX-Padding: %s\r\n\r\n", strings.Repeat("x", 64<<10)); err != nil {
				return
			}
		}
		_, _ = io.WriteString(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
	})}
	w := u.world(t, jsonAnswer(""))
	send(t, w.client(false), request(t, http.MethodGet, "http://autoconfig.lab.test/mail/config-v1.1.xml", ""))
	if r := w.decision(1)["upstream"].(map[string]any); r["error"] != "protocol" {
		t.Errorf("got %v", r)
	}
}
