package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// TestRun_reloadHangs has a reload hang in a file of the state directory, as one does on a disk or a server of files that does not answer. Whoever asks for the
// PAC file meanwhile would go direct without it, and whoever looks after the guard must see how it is.
func TestRun_reloadHangs(t *testing.T) {
	t.Parallel()
	guard := newProcess(t, startService(t, lab.AutoDetect()))
	guard.start(t)
	written := filepath.Join(guard.state, "policy.new") // at the end of a reload
	release := fullFIFO(t, written)
	if err := guard.cmd.Process.Signal(unix.SIGHUP); err != nil {
		t.Fatal(err)
	}
	guard.waits(t, "nothing is written", func() bool { return guard.hasOpen(written) })
	client := &http.Client{Timeout: 10 * time.Second}
	answers := func(path string) bool {
		response, err := client.Get("http://" + guard.said("admin") + path)
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}
	for _, path := range []string{"/proxy.pac", "/readyz", "/metrics", "/livez"} {
		if !answers(path) {
			t.Errorf("%s has no answer while a reload hangs", path)
		}
	}
	if _, err := guard.ask(t.Context(), "jane@shop.com"); err != nil {
		t.Error(err)
	}
	release() // what it writes is not taken, which is a warning
	guard.waits(t, "the reload does not end", func() bool { return strings.Contains(guard.admin(t, "/metrics"), `reloads_total{result="ok"} 1`) })
	guard.terminate(t)
}

// TestRun_stopsWhileAReloadHangs has the guard told to stop meanwhile: nobody new is let in, who is there is served, and it ends by itself.
func TestRun_stopsWhileAReloadHangs(t *testing.T) {
	t.Parallel()
	guard, finish := exchangeInFlight(t)
	written := filepath.Join(guard.state, "policy.new")
	fullFIFO(t, written)
	if err := guard.cmd.Process.Signal(unix.SIGHUP); err != nil {
		t.Fatal(err)
	}
	guard.waits(t, "nothing is written", func() bool { return guard.hasOpen(written) })
	if err := guard.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	guard.refusesNewConnections(t)
	finish()
	late := time.AfterFunc(30*time.Second, func() { _ = guard.cmd.Process.Kill() })
	defer late.Stop()
	if err := guard.cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v:\n%s", err, guard.stderr.String())
	}
	if said := guard.stderr.String(); !strings.Contains(said, "a reload hangs") {
		t.Errorf("it does not say what it has not waited for:\n%s", said)
	}
}

// What hung while the guard ended is not there once the disk goes on: logrotate's kill would find the number of a process that is another's by then. Nobody waits for it.
func TestStateDir_closedWhileADiskHangs(t *testing.T) {
	t.Parallel()
	state, err := openState(t.TempDir(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	written := filepath.Join(state.path, "pid.new")
	fullFIFO(t, written)
	disk, err := os.OpenFile(written, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	noted := make(chan struct{})
	go func() {
		defer close(noted)
		state.note("pid", "17")
	}()
	for state.noting.TryLock() { // until the note is being written
		state.noting.Unlock()
		select {
		case <-noted:
			t.Fatal("nothing hangs")
		default:
			runtime.Gosched()
		}
	}
	state.close()
	var goesOn sync.WaitGroup
	goesOn.Go(func() { _, _ = io.Copy(io.Discard, disk) })
	<-noted
	_ = disk.Close()
	goesOn.Wait()
	for _, name := range []string{"pid", "pid.new"} {
		if _, err := os.Lstat(filepath.Join(state.path, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is there: %v", name, err)
		}
	}
}

// fullFIFO makes a FIFO in which whoever writes hangs until it is let go.
func fullFIFO(t *testing.T, name string) (release func()) {
	t.Helper()
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() { _ = unix.Close(fd) })
	t.Cleanup(release)
	for err == nil {
		_, err = unix.Write(fd, make([]byte, 4<<10))
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
	return release
}

// hasOpen reports whether the process has a file open.
func (p *process) hasOpen(name string) bool {
	fds := filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "fd")
	entries, _ := os.ReadDir(fds)
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		file, err := os.Readlink(filepath.Join(fds, e.Name()))
		return err == nil && file == name
	})
}
