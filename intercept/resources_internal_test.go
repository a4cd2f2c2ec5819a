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
func TestLogThrottle_nowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c logThrottle
		for n, want := range []bool{true, false, false, true, false} {
			if n == 2 || n == 3 {
				time.Sleep(logEvery/2 + time.Second)
			}
			if got := c.due(); got != want {
				t.Errorf("%d: got %v, want %v", n, got, want)
			}
		}
	})
}

// What the system is out of is known however it is wrapped, in a connection that could not be made or a file that could not be written; a door that is shut is not that.
func TestOutOfResources(t *testing.T) {
	for _, want := range resourceErrors {
		for _, err := range []error{
			&net.OpError{Op: "dial", Err: os.NewSyscallError("epoll_ctl", want)}, fmt.Errorf("authority: %w", &fs.PathError{Op: "write", Path: "issuing.pem", Err: want}),
		} {
			if !OutOfResources(err) {
				t.Errorf("%v is not known", err)
			}
		}
	}
	for _, err := range []error{nil, errors.New("too many open files"), fs.ErrPermission, syscall.ECONNREFUSED} {
		if OutOfResources(err) {
			t.Errorf("%v is taken for it", err)
		}
	}
}

// A want of ports is one of ours, where it is known to be that; that a door is shut is not. Errors are as Linux gives them with two ports to dial from, and without IPv6.
func TestFailureOf_ports(t *testing.T) {
	if errNoPort == nil {
		t.Skip("this system has no word for it")
	}
	for to, want := range map[string]string{"192.0.2.1": classResources, "2001:db8::1": classConnect} {
		err := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.ParseIP(to), Port: 443}, Err: os.NewSyscallError("connect", errNoPort)}
		if got := failureOf(err).class; got != want {
			t.Errorf("%s: %s, want %s", to, got, want)
		}
	}
}
