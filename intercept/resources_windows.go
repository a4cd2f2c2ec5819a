package intercept

import "golang.org/x/sys/windows"

// resourceErrors are what Windows and Winsock say when they are out of something. Package syscall has POSIX's errors there, too, but made up: no call returns one.
var resourceErrors = []error{
	windows.WSAEMFILE, windows.WSAENOBUFS, windows.ERROR_TOO_MANY_OPEN_FILES,
	windows.ERROR_NOT_ENOUGH_MEMORY, windows.ERROR_OUTOFMEMORY, windows.ERROR_NO_SYSTEM_RESOURCES, windows.ERROR_COMMITMENT_LIMIT,
	windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL,
}

// errNoPort would be what Winsock says of the want of ports alone; it has no such word.
var errNoPort error
