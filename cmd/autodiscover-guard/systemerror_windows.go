package main

import "golang.org/x/sys/windows"

// What Windows and Winsock say. Package syscall has POSIX's errors there, too, but made up: no call returns one.
const (
	errAddressTaken = windows.WSAEADDRINUSE
	errNotPermitted = windows.WSAEACCES
)
