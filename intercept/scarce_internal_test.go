package intercept

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A flood of failures is one line in ten seconds.
func TestComplaint_nowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c complaint
		for n, want := range []bool{true, false, false, true, false} {
			if n == 2 || n == 3 {
				time.Sleep(complaintEvery/2 + time.Second)
			}
			if got := c.due(); got != want {
				t.Errorf("%d: got %v, want %v", n, got, want)
			}
		}
	})
}

// What the system is out of is known however it is wrapped, in a connection that could not be made or a file that could not be written; a door that is shut is not that.
func TestScarce(t *testing.T) {
	for _, want := range wants {
		for _, err := range []error{
			&net.OpError{Op: "dial", Err: os.NewSyscallError("epoll_ctl", want)}, fmt.Errorf("authority: %w", &fs.PathError{Op: "write", Path: "issuing.pem", Err: want}),
		} {
			if !Scarce(err) {
				t.Errorf("%v is not known", err)
			}
		}
	}
	for _, err := range []error{nil, errors.New("too many open files"), fs.ErrPermission, syscall.ECONNREFUSED} {
		if Scarce(err) {
			t.Errorf("%v is taken for it", err)
		}
	}
}
