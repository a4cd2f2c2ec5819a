package intercept_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"autodiscover-guard/intercept"
)

// What is longer than the limit is refused for a guarded subject and streams through for anybody else.
func TestLimit_longAnswer(t *testing.T) {
	long := strings.Repeat(" ", 100<<10) + suggest("", stranger)
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, jsonAnswer(long), limits(intercept.Limits{BodyBytes: 64 << 10}))
			client := door.client(w)
			if got := send(t, client, ask(t, door.scheme, "email@example.com")); got.body != suggest("email@example.com") {
				t.Errorf("guarded: got %d, %d bytes", got.StatusCode, len(got.body))
			}
			if got := send(t, client, ask(t, door.scheme, "user@corp-mail.net")); got.body != long || got.err != nil {
				t.Errorf("not guarded: got %d, %d bytes, %v", got.StatusCode, len(got.body), got.err)
			}
			if a, b := w.decision(1), w.decision(2); a["action"] != "refuse" || b["action"] != "pass" || b["bytes_in"] != int64(len(long)) {
				t.Errorf("got %v, %v", a, b)
			}
		})
	}
}

func TestLimit_longQuestion(t *testing.T) {
	s := &spy{next: jsonAnswer("{}")}
	w := newWorld(t, s.handle, limits(intercept.Limits{BodyBytes: 1 << 10}))
	client := w.client(false)
	long := func(url string) *http.Request {
		r := request(t, http.MethodPost, url, "<!--"+strings.Repeat("x", 64<<10)+"-->")
		r.Header.Set("Content-Type", "text/xml")
		return r
	}
	if got := send(t, client, long("http://"+docHost+poxPath)); got.StatusCode != 200 || !strings.Contains(got.body, "<ErrorCode>") {
		t.Errorf("guarded by its host: got %d %q, want the quiet answer", got.StatusCode, got.body)
	}
	if got := send(t, client, long("http://opened.net"+poxPath)); got.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("unknown subject: got %d %q, want 413", got.StatusCode, got.body)
	}
	if s.asked.Load() != 0 {
		t.Error("upstream was asked about somebody whom nobody has judged")
	}
	if got := send(t, client, long("http://opened.net/upload")); got.StatusCode != 200 || s.asked.Load() != 1 {
		t.Errorf("not discovery: got %d", got.StatusCode)
	}
	if n := w.decisions.Len(); n != 2 {
		t.Errorf("got %d records, want 2", n)
	}
}

// TestLimit_cutQuestion: a question that breaks off is not forwarded, with whose secrets ever: somebody whom nobody has judged may stand in the rest of it.
func TestLimit_cutQuestion(t *testing.T) {
	for host, want := range map[string]string{docHost: "<ErrorCode>", "opened.net": "autodiscover-guard: the request's body broke off.\n"} {
		s := &spy{next: jsonAnswer("{}")}
		w := newWorld(t, s.handle)
		c, err := dial(w.addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(c, "POST http://%s%s HTTP/1.1\r\nHost: %s\r\nContent-Type: text/xml\r\nAuthorization: Basic dTpw\r\nContent-Length: 1000\r\n\r\n<Autodiscover>", host, poxPath, host)
		_ = c.(*net.TCPConn).CloseWrite()
		if got, _ := io.ReadAll(c); !strings.Contains(string(got), want) {
			t.Errorf("%s: got %q, want %q", host, got, want)
		}
		_ = c.Close()
		if s.asked.Load() != 0 {
			t.Errorf("%s: upstream was asked", host)
		}
		if secrets := w.decision(1)["credentials"].(map[string]any); secrets["forwarded"] != false {
			t.Errorf("%s: secrets %v", host, secrets)
		}
	}
}

// Upstreams that are reached and then say nothing that can be used: an honest page, or the quiet answer, and never what they said.
func TestFailure_nonsense(t *testing.T) {
	for name, c := range map[string]struct{ says, class, text string }{
		"closes at once":        {"", "truncated", "closed the connection in the middle of its answer"},
		"speaks something else": {"220 mail.secret-internal.net ESMTP\r\n", "protocol", "does not speak proper HTTP"},
		"breaks off its header": {"HTTP/1.1 200 OK\r\nX-Half: secret-inter", "truncated", "closed the connection in the middle of its answer"},
	} {
		t.Run(name, func(t *testing.T) {
			addr := listen(t, func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 1024))
				_, _ = io.WriteString(conn, c.says)
			})
			w := newWorld(t, jsonAnswer(""), resolve("opened.net:80", addr), resolve(central+":80", addr))
			client := w.client(false)
			got := send(t, client, request(t, http.MethodGet, "http://opened.net/", ""))
			if want := "autodiscover-guard: opened.net " + c.text + " (" + c.class + ").\n"; got.StatusCode != http.StatusBadGateway || got.body != want {
				t.Errorf("got %d %q, want 502 %q", got.StatusCode, got.body, want)
			}
			if got := send(t, client, ask(t, "http", "email@example.com")); got.StatusCode != 200 || got.body != suggest("email@example.com") {
				t.Errorf("guarded: got %d %q, want the quiet answer", got.StatusCode, got.body)
			}
			record := w.decision(1)
			if record["action"] != "refuse" || record["upstream"].(map[string]any)["error"] != c.class {
				t.Errorf("got %v", record)
			}
			send(t, client, ask(t, "http", "user@corp-mail.net"))
			if record = w.decision(2); record["action"] != "pass" || record["credentials"].(map[string]any)["forwarded"] != true {
				t.Errorf("not guarded: got %v, want the password reported as forwarded: it may have been read", record)
			}
		})
	}
}
