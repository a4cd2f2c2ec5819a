package doctor

import "golang.org/x/sys/windows"

// errRefused is what Winsock says where nobody listens; syscall.ECONNREFUSED is made up there.
const errRefused = windows.WSAECONNREFUSED
