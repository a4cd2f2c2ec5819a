package intercept

// growStack grows the goroutine's stack to what a handshake or a judged exchange needs anyway. Goroutines begin with a few KiB, and a stack that is found too
// small is copied, frame by frame: at the bottom of a JSON reader below net/http and goproxy that costs more than the reading, near the top it costs next to
// nothing.
//
// It is called with 0: the frame, which the compiler must provide for all other numbers, is all that counts, and nothing of it is written to.
//
//go:noinline
func growStack(n int) {
	if n == 0 {
		return
	}
	var room [7 << 10]byte // makes 16 KiB of a stack of up to 8 KiB, and fits into one of 16 KiB below what calls it
	for i := range n {
		room[(i+int(room[0]))%len(room)]++
	}
}
