package intercept

import (
	"errors"
	"net"
	"syscall"
)

// A side of a tunnel that breaks off, by a reset or because the kernel has given it up, breaks the other one off, too. What ends in good form there is whole to all protocols that
// have no length of their own: half a file of FTP's, half an answer in HTTP/1.0. Elsewhere than on Linux it does end so, because nobody tells there when what came before has been sent.

// isCut reports whether copying from one side to the other ended because one of the two has broken off. EPIPE is not that: to Linux (tcp_reset) it is the reset of a side that has said its
// last word before.
func isCut(err error) bool {
	errno, ok := errors.AsType[syscall.Errno](err)
	return ok && !errors.Is(errno, syscall.EPIPE)
}

// passCut resets the ends of a tunnel between which copying has ended with err, where that is a break.
func passCut(far, near any, err error) {
	if isCut(err) {
		resetEnds(far, near)
	}
}

// resetEnds resets the ends of a tunnel. The far one goes first: the near one closes it.
func resetEnds(far, near any) {
	for _, end := range [...]any{far, near} {
		if c, ok := end.(net.Conn); ok && awaitSent(c) {
			reset(c)
		}
	}
}
