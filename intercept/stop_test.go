package intercept_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

// http.Server.Shutdown returns at once while hijacked connections are served; ours waits for them.
func TestShutdown_waitsForWhatRuns(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			asked, answer := make(chan struct{}), make(chan struct{})
			w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				close(asked)
				<-answer
				jsonAnswer("done")(w, r)
			})
			stopped := make(chan error, 1)
			go func() {
				<-asked
				go func() { stopped <- w.plugin.Shutdown(context.Background()) }()
				w.refusesNewWork(t)
				select {
				case err := <-stopped:
					t.Errorf("Shutdown returned %v while an exchange was under way", err)
				default:
				}
				close(answer)
			}()
			if got := send(t, door.client(w), request(t, http.MethodGet, door.scheme+"://opened.net/", "")); got.body != "done" || got.err != nil {
				t.Errorf("got %d %q, %v", got.StatusCode, got.body, got.err)
			}
			if err := await(t, stopped); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		})
	}
}

// refusesNewWork asks until the guard has heard of its stop.
func (w *world) refusesNewWork(tb testing.TB) {
	tb.Helper()
	for end := time.Now().Add(enough()); w.raw(tb, poll).StatusCode != http.StatusServiceUnavailable; runtime.Gosched() {
		if time.Now().After(end) {
			vain(tb, "new work is taken all the same")
		}
	}
}

func TestShutdown_cutsTunnelsWhenTimeIsUp(t *testing.T) {
	addr := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	w := newWorld(t, jsonAnswer(""), resolve(bank+":443", addr))
	c, err := w.connect(bank + ":443")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.plugin.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	if _, err := io.ReadAll(c); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Logf("the tunnel ended with %v", err)
	}
}

func TestShutdown_waitsForTunnels(t *testing.T) {
	addr := listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	w := newWorld(t, jsonAnswer(""), resolve(bank+":443", addr))
	c, err := w.connect(bank + ":443")
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- w.plugin.Shutdown(context.Background()) }()
	w.refusesNewWork(t)
	_, _ = io.WriteString(c, "still here")
	if _, err := io.ReadFull(c, make([]byte, 10)); err != nil {
		t.Errorf("the tunnel was cut: %v", err)
	}
	_ = c.Close()
	if err := await(t, stopped); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestShutdown_endsHandshakesUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, jsonAnswer(""), limits(intercept.Limits{Handshake: time.Hour}))
	c, err := w.connect(central + ":443")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := w.plugin.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	_, _ = io.ReadAll(c)
}

// Somebody's middleware hides that the connection can be taken over: the tunnel is refused, for it would let everything through, and nothing remains of it.
func TestShutdown_waitsForNoTunnelThatWasRefused(t *testing.T) {
	w := newWorld(t, jsonAnswer(""))
	for range 2 {
		r := httptest.NewRequest(http.MethodConnect, "opened.net:443", nil)
		r.RemoteAddr = "127.0.0.1:1"
		answer := httptest.NewRecorder()
		if w.server.Handler.ServeHTTP(answer, r); answer.Code != http.StatusNotImplemented {
			t.Errorf("got %d %q", answer.Code, answer.Body)
		}
	}
	if n := w.plugin.Stats().Tunnels; n != 0 {
		t.Errorf("%d slots are taken", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := w.plugin.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}
