//go:build !windows

package main

import "syscall"

const (
	errAddressTaken = syscall.EADDRINUSE
	errNotPermitted = syscall.EACCES
)
