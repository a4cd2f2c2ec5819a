package intercept

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// What is read from a pipe ends as whoever writes it ends it: whole, or broken off; and by half, if that is all that is ended.
func TestPipe_ends(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*pipeEnd) error
		want error
		open bool // the other way
	}{
		"half": {(*pipeEnd).CloseWrite, nil, true}, "whole": {(*pipeEnd).Close, nil, false}, "broken off": {(*pipeEnd).breakOff, io.ErrUnexpectedEOF, false},
	} {
		near, far := newPipe()
		if err := errors.Join(near.SetDeadline(time.Now().Add(10*time.Second)), far.SetDeadline(time.Now().Add(10*time.Second))); err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = io.WriteString(near, "said")
			_ = c.end(near)
		}()
		if got, err := io.ReadAll(far); string(got) != "said" || !errors.Is(err, c.want) {
			t.Errorf("%s: got %q, %v; want %v", name, got, err, c.want)
		}
		back := make(chan error, 1)
		go func() {
			_, err := io.WriteString(far, "back")
			back <- errors.Join(err, far.Close())
		}()
		if got, _ := io.ReadAll(near); string(got) == "back" != c.open {
			t.Errorf("%s: got %q the other way", name, got)
		}
		if err := <-back; (err == nil) != c.open {
			t.Errorf("%s: the other way ended with %v", name, err)
		}
		_ = near.Close()
	}
}

func TestPipe_deadline(t *testing.T) {
	near, far := newPipe()
	defer far.Close()
	defer near.Close()
	if err := near.SetDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	_, reading := near.Read(make([]byte, 1))
	if _, writing := near.Write([]byte("x")); !errors.Is(reading, os.ErrDeadlineExceeded) || !errors.Is(writing, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v, write: %v", reading, writing)
	}
}

// Where the address that a client meant cannot be reached, its host's name is tried; not where somebody was reached, or the client has left, or it is ourselves.
func TestUnreached(t *testing.T) {
	gone, leave := context.WithCancel(t.Context())
	leave()
	dialling := func(err error) error { return fmt.Errorf("asking: %w", &net.OpError{Op: "dial", Err: err}) }
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want bool
	}{
		"refused": {t.Context(), dialling(errors.New("connection refused")), true}, "read": {t.Context(), &net.OpError{Op: "read", Err: io.EOF}, false},
		"the client left": {gone, dialling(context.Canceled), false}, "ourselves": {t.Context(), dialling(errLoop), false}, "answered": {t.Context(), nil, false},
	} {
		if got := unreached(c.ctx, c.err); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
