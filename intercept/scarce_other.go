//go:build !windows

package intercept

import "syscall"

// wants are what the system says when it is out of something.
var wants = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}
