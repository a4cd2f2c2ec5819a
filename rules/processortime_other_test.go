//go:build !unix

package rules_test

import (
	"testing"
	"time"
)

var processBegan = time.Now()

// processorTime is how long this process has run, for want of what it has had of processors.
func processorTime(*testing.T) time.Duration { return time.Since(processBegan) }
