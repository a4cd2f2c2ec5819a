package main

import "golang.org/x/sys/windows"

// What Windows and Winsock say. Package syscall has POSIX's errors there, too, but made up: no call returns one.
const (
	errAddressTaken = windows.WSAEADDRINUSE
	errNotPermitted = windows.WSAEACCES
)

var passingWants = []error{
	windows.WSAEMFILE, windows.WSAENOBUFS, windows.ERROR_TOO_MANY_OPEN_FILES, windows.ERROR_NOT_ENOUGH_MEMORY, windows.ERROR_OUTOFMEMORY,
	windows.ERROR_NO_SYSTEM_RESOURCES, windows.ERROR_COMMITMENT_LIMIT, windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL,
}
