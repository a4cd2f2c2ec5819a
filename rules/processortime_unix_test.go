//go:build unix

package rules_test

import (
	"syscall"
	"testing"
	"time"
)

// processorTime is what this process has had of processors, which does not grow while it waits for one on a busy computer.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
