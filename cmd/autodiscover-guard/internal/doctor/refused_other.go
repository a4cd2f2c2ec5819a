//go:build !windows

package doctor

import "syscall"

const errRefused = syscall.ECONNREFUSED
