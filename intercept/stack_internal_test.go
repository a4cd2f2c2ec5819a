package intercept

import (
	"runtime/metrics"
	"testing"
	"unsafe"
)

// A stack that grows lies elsewhere afterwards.
func TestDeepen_growsTheStack(t *testing.T) {
	start := []metrics.Sample{{Name: "/gc/stack/starting-size:bytes"}}
	metrics.Read(start)
	if size := start[0].Value.Uint64(); size > 8<<10 {
		t.Skipf("goroutines begin with %d bytes here, which is enough", size)
	}
	moved := make(chan bool)
	go func() {
		var here byte
		before := uintptr(unsafe.Pointer(&here))
		growStack(0)
		moved <- uintptr(unsafe.Pointer(&here)) != before
	}()
	if !<-moved {
		t.Error("the stack is where it was")
	}
}
