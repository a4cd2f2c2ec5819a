package intercept_test

import (
	"flag"
	"runtime"
	"strconv"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Parallel tests here mostly wait for a limit to pass: with no more at a time than twice as many as there are cores, half of the machine is idle.
	if err := flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	// Behind a header that is too long net/http waits half a second for the client to go, which is longer than goleak does: a test that ends with one failed when run alone.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}
