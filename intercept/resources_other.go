//go:build !windows

package intercept

import "syscall"

// resourceErrors are what the system says when it is out of something. ENOSPC is also what Linux says of a descriptor more than one user may watch (epoll_ctl(2)).
var resourceErrors = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ENOSPC}

// errNoPort is what it says when no local port is left for a destination.
var errNoPort error = syscall.EADDRNOTAVAIL
