package intercept_test

import (
	"io"
	"net"
	"testing"

	"autodiscover-guard/intercept"
)

// A tunnel in a stream is closed by half as one of HTTP/1 is, and ends in good form where the far side does.
func TestStreamTunnel_endsInGoodForm(t *testing.T) {
	t.Parallel()
	far := listen(t, func(c net.Conn) {
		all, _ := io.ReadAll(c)
		_, _ = c.Write(append([]byte("heard "), all...))
	})
	speaks := listen(t, func(c net.Conn) { _, _ = io.WriteString(c, "heard nothing") })
	echoes := listen(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "heard it")
		_, _ = io.Copy(io.Discard, c)
	})
	w := newWorld(t, jsonAnswer(""), resolve(bank+":25", far), resolve(bank+":110", speaks), resolve(bank+":143", echoes))
	h2 := w.h2(t, w.secureDoor(t))
	for target, want := range map[string]string{bank + ":25": "heard hello", bank + ":110": "heard nothing", bank + ":143": "heard it"} {
		s, err := connectStream(t, h2, target)
		if err != nil {
			t.Fatal(err)
		}
		if want != "heard nothing" {
			_, _ = io.WriteString(s, "hello")
			_ = s.CloseWrite()
		}
		if got, err := io.ReadAll(s); string(got) != want || err != nil {
			t.Errorf("%s: got %q, %v", target, got, err)
		}
		if err := await(t, s.ended); err != nil {
			t.Errorf("%s: the stream ended with %v", target, err)
		}
	}
	w.eventually(t, "the slots", func(s intercept.Stats) bool { return s.Tunnels == 0 })
}
