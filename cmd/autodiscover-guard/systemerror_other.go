//go:build !windows

package main

import "syscall"

const (
	errAddressTaken = syscall.EADDRINUSE
	errNotPermitted = syscall.EACCES
)

var passingWants = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOSPC}
