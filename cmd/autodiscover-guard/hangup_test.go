//go:build unix

package main

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// TestRun_hangupBeforeItServes sends SIGHUP as soon as the pid is there, as a script does that waits for it, and before the guard serves. It must not
// be the guard's end, and the reload that was asked for comes when the guard serves.
func TestRun_hangupBeforeItServes(t *testing.T) {
	t.Parallel()
	service := startService(t, http.NotFoundHandler())
	guard := newProcess(t, service)
	guard.launch(t)
	for deadline := time.Now().Add(20 * time.Second); !guard.saysPID(); { // without a pause: what is tested is the moment after
		if time.Now().After(deadline) {
			t.Fatal("the guard does not write its pid")
		}
	}
	if err := guard.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	guard.waits(t, "SIGHUP was the guard's end, or is forgotten", func() bool {
		return guard.said("address") != "" && strings.Contains(guard.admin(t, "/metrics"), `autodiscover_guard_reloads_total{result="ok"} 1`)
	})
	guard.terminate(t)
}

// TestRun_reloadLeavesHandshakes: a client who was told that his tunnel stands makes his handshake in it, although the host is opened no more by then; also where
// the change is taken by itself and SIGHUP follows.
func TestRun_reloadLeavesHandshakes(t *testing.T) {
	t.Parallel()
	service := startService(t, http.NotFoundHandler())
	guard := newProcess(t, service)
	guard.start(t)
	client, err := net.Dial("tcp", guard.address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, _ = io.WriteString(client, "CONNECT "+lab.AutoDetectHost+":443 HTTP/1.1\r\nHost: "+lab.AutoDetectHost+":443\r\n\r\n")
	if got, err := http.ReadResponse(bufio.NewReader(client), &http.Request{Method: http.MethodConnect}); err != nil || got.StatusCode != http.StatusOK {
		t.Fatalf("got %v, %v", got, err)
	}
	before, config := guard.said("policy"), filepath.Join(guard.dir, "guard.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	write(t, config, string(text)+"policy: {services: {autodetect: off}}\n")
	guard.waits(t, "the new policy is not taken", func() bool { return guard.said("policy") != before })
	if err := guard.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	guard.waits(t, "SIGHUP is forgotten", func() bool {
		return strings.Contains(guard.admin(t, "/metrics"), `autodiscover_guard_reloads_total{result="ok"} 2`)
	})
	roots, err := guard.roots()
	if err != nil {
		t.Fatal(err)
	}
	if err := tls.Client(client, &tls.Config{ServerName: lab.AutoDetectHost, RootCAs: roots}).HandshakeContext(t.Context()); err != nil {
		t.Errorf("the handshake: %v", err)
	}
	_ = client.Close() // a stop would wait for its question
	guard.terminate(t)
}
