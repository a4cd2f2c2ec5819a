package main

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/console"
)

// What "status" says of each state that a guard can be in, as its directory and its listeners show it.
func TestStatus(t *testing.T) {
	open, shut := listener(t), listener(t)
	shut.Close()
	answers := func(status int, body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/readyz" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	for _, test := range []struct {
		name  string
		notes map[string]string
		want  guardStatus
	}{
		{"starting", map[string]string{"pid": "17"}, guardStatus{Running: true, PID: 17, Reason: "it is starting"}},
		{
			"ready",
			map[string]string{"address": "127.0.0.1:1", "policy": "abc", "admin": answers(http.StatusOK, `{"ready":true,"version":"1.2","authority":"00:11"}`)},
			guardStatus{Running: true, Ready: true, Proxy: "127.0.0.1:1", Policy: "abc", Version: "1.2", Authority: "00:11"},
		},
		{
			"ready, and the file is newer",
			map[string]string{"address": "127.0.0.1:1", "policy": "abc\nnot reloaded: no", "admin": answers(http.StatusOK, `{"ready":true}`)},
			guardStatus{Running: true, Ready: true, Proxy: "127.0.0.1:1", Policy: "abc", Stale: "no"},
		},
		{
			"ready, and its policy could not be written",
			map[string]string{"address": "127.0.0.1:1", "admin": answers(http.StatusOK, `{"ready":true,"policy":"def","reload_error":"no"}`)},
			guardStatus{Running: true, Ready: true, Proxy: "127.0.0.1:1", Policy: "def", Stale: "no"},
		},
		{
			"draining",
			map[string]string{"address": "127.0.0.1:1", "admin": answers(http.StatusServiceUnavailable, `{"ready":false,"reason":"draining"}`)},
			guardStatus{Running: true, Reason: "draining", Proxy: "127.0.0.1:1"},
		},
		{
			"another program at its port",
			map[string]string{"address": "127.0.0.1:1", "admin": answers(http.StatusOK, "hello")},
			guardStatus{Running: true, Reason: "the admin listener does not tell: /readyz cannot be read", Proxy: "127.0.0.1:1"},
		},
		{
			"TLS without its configuration",
			map[string]string{"address": "127.0.0.1:1", "admin": answers(http.StatusNotFound, "")},
			guardStatus{Running: true, Reason: "the admin listener does not tell: /readyz answers 404", Proxy: "127.0.0.1:1"},
		},
		{
			"no admin listener",
			map[string]string{"address": open.Addr().String(), "transparent": "127.0.0.1:2"},
			guardStatus{Running: true, Ready: true, Proxy: open.Addr().String(), Transparent: "127.0.0.1:2"},
		},
		{
			"no admin listener, and the door is shut",
			map[string]string{"address": shut.Addr().String()},
			guardStatus{Running: true, Reason: "dial tcp", Proxy: shut.Addr().String()},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			lock, err := takeLock(dir, "lock")
			if err != nil {
				t.Fatal(err)
			}
			defer lock.Close()
			for name, text := range test.notes {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := lookAtGuard(t.Context(), dir, &config.Default().Listen)
			if !strings.HasPrefix(got.Reason, test.want.Reason) || (got.Reason == "") != (test.want.Reason == "") {
				t.Errorf("the reason is %q, want %q", got.Reason, test.want.Reason)
			}
			test.want.State, test.want.Admin, got.Reason = dir, test.notes["admin"], test.want.Reason
			if got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// A guard that had no room to write where it listens is found where its configuration has it, and another one there is not taken for it.
func TestStatus_no_room(t *testing.T) {
	root := func(text string) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(text)}))
	}
	var ready atomic.Value
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["Authorization"]) != 0 {
			t.Errorf("%s was shown a token", r.URL.Path)
		}
		_, _ = w.Write(map[string][]byte{"/ca.pem": []byte(root("own")), "/readyz": ready.Load().([]byte)}[r.URL.Path])
	}))
	defer s.Close()
	listen := config.Default().Listen
	listen.Admin = s.Listener.Addr().String()
	const own = "its own"
	for _, tt := range []struct {
		name, root, pid, state string
		want                   bool
	}{
		{"its root", root("own"), "", own, true},
		{"its root, and it does not say more", root("own"), "", "", true},
		{"it, of which the process alone could be written", root("own"), "17", own, true},
		{"a replica, while it starts", root("own"), "17", t.TempDir(), false},
		{"a replica, and the disk is full", root("own"), "", t.TempDir(), false},
		{"a replica in another container", root("own"), "", filepath.Join(t.TempDir(), "no"), false},
		{"a replica that does not say more, while it starts", root("own"), "17", "", false},
		{"another root", root("another"), "", own, false},
		{"no root yet", "", "", own, false},
	} {
		dir := t.TempDir()
		lock, err := takeLock(dir, "lock")
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		if err := errors.Join(os.Mkdir(authorityDir(dir), 0o700), os.WriteFile(filepath.Join(authorityDir(dir), "root.pem"), []byte(tt.root), 0o600)); err != nil {
			t.Fatal(err)
		}
		if tt.state == own {
			tt.state = dir
		}
		told, err := json.Marshal(console.Status{Ready: true, Policy: "abc", State: tt.state})
		if err != nil {
			t.Fatal(err)
		}
		ready.Store(told)
		if tt.pid != "" {
			(&stateDir{path: dir}).note("pid", tt.pid)
		}
		got := lookAtGuard(t.Context(), dir, &listen)
		if got.Ready != tt.want || (got.Reason == "") != tt.want || (got.Policy == "abc") != tt.want || (got.Proxy == listen.Proxy) != tt.want {
			t.Errorf("%s: got %+v", tt.name, got)
		}
	}
}

// A guard that is ready only later is waited for, and one that is not is given up.
func TestStatus_wait(t *testing.T) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte(`{"ready":true}`))
	}))
	defer s.Close()
	dir := t.TempDir()
	lock, err := takeLock(dir, "lock")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	for name, text := range map[string]string{"address": "127.0.0.1:1", "admin": s.Listener.Addr().String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	listen := &config.Default().Listen
	if got := awaitGuard(t.Context(), dir, listen, 0); got.Ready || asked != 1 {
		t.Errorf("without a time to wait: ready %v after %d questions", got.Ready, asked)
	}
	if got := awaitGuard(t.Context(), dir, listen, time.Hour); !got.Ready || asked != 3 {
		t.Errorf("with an hour: ready %v after %d questions", got.Ready, asked)
	}
}

// Who looks whether a guard runs keeps none from starting.
func TestStatus_whileOneStarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var looking sync.WaitGroup
	stop := make(chan struct{})
	looking.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				guardRuns(dir)
			}
		}
	})
	for range 100 {
		s, err := openState(dir, zap.NewNop())
		if err != nil {
			t.Error(err)
			break
		}
		s.close()
	}
	close(stop)
	looking.Wait()
}

// Nor who takes long over it, on a busy computer; and nobody who looks is taken for a guard.
func TestStatus_slowLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		look, err := os.Create(filepath.Join(dir, "lock"))
		if err != nil {
			t.Fatal(err)
		}
		if err := lockFile(look, shared); err != nil {
			t.Fatal(err)
		}
		if guardRuns(dir) {
			t.Error("who looks is taken for a guard")
		}
		time.AfterFunc(lookPatience/2, func() { _ = look.Close() })
		first, err := openState(dir, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		defer first.close()
		begun := time.Now()
		if _, err := openState(dir, zap.NewNop()); err == nil || time.Since(begun) != lockPatience {
			t.Errorf("a second guard: %v after %v", err, time.Since(begun))
		}
	})
}

func listener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// A guard goes on where its file system has become read-only, and is seen to. A directory stands for a lock that nobody can open to write, root included.
func TestStatus_readOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("directories cannot be locked")
	}
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	if guardRuns(dir) {
		t.Error("nobody has locked it, and a guard is said to run")
	}
	lock, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := lockFile(lock, exclusively); err != nil {
		t.Fatal(err)
	}
	if !guardRuns(dir) {
		t.Error("a guard that runs is not seen")
	}
}
