package intercept_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// In HTTP/2 a far side that takes nothing of one upload, or of what goes into one tunnel, keeps nothing else that goes by the client's connection from being said: the room that a
// connection has is not one stream's.
func TestHTTP2_roomBesideAnUpload(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"))
	door, err := dialTLS(w.secureDoor(t), &tls.Config{RootCAs: w.web.roots(), ServerName: "proxy.test", NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	opened, err := w.tls("opened.net:443", &tls.Config{ServerName: "opened.net", NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	for name, c := range map[string]*tls.Conn{"the door": door, "the hall": opened} {
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(c, http2.ClientPreface)
		framer := http2.NewFramer(c, c)
		_ = framer.WriteSettings()
		const atFirst = 65535 // RFC 9113, section 6.9.2
		stream, connection := uint32(atFirst), uint32(atFirst)
		for connection == atFirst {
			frame, err := framer.ReadFrame()
			if err != nil {
				t.Fatal(name, err)
			}
			switch frame := frame.(type) {
			case *http2.SettingsFrame:
				if n, ok := frame.Value(http2.SettingInitialWindowSize); ok {
					stream = n
				}
			case *http2.WindowUpdateFrame:
				connection += frame.Increment
			}
		}
		if stream > connection/4 {
			t.Errorf("%s: of %d bytes of room, one stream has %d", name, connection, stream)
		}
	}
}

// steady is what somebody uploads, without an end. It counts how much of it was taken.
type steady struct{ taken atomic.Int64 }

// Read implements io.Reader.
func (u *steady) Read(p []byte) (int, error) {
	u.taken.Add(int64(len(p)))
	return len(p), nil
}

// An upstream that takes nothing of one client's upload, and has no more room for others on the same connection, is asked others' questions all the same.
func TestUpload_stuckBesideQuestions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stuck" {
			<-t.Context().Done()
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
	})
	client, u := w.client(true), new(steady)
	upload := request(t, http.MethodPost, "https://opened.net/stuck", "")
	upload.Body, upload.ContentLength = io.NopCloser(u), -1
	done := make(chan struct{})
	go func() {
		defer close(done)
		if resp, err := client.RoundTrip(upload); err == nil {
			_ = resp.Body.Close()
		}
	}()
	other := w.client(true)
	for idle := 0; idle < 20; idle++ { // until the upload is stuck for a while
		before := u.taken.Load()
		if got := send(t, other, poxAsk(t, "https://opened.net"+poxPath, "user@corp-mail.net")); got.StatusCode != http.StatusOK {
			t.Fatalf("got %s %q", got.Status, got.body)
		}
		if before == 0 || u.taken.Load() != before {
			idle = 0
		}
	}
	_ = w.plugin.Close()
	await(t, done)
}
