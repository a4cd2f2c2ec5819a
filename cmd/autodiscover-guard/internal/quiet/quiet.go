// Package quiet keeps libraries from talking on the standard error of every command while they start. github.com/VictoriaMetrics/metrics v1.45.0
// (process_metrics_linux.go: psiMetricsStart) writes a line to the standard logger there, wherever the kernel does not account for pressure, as those of
// Red Hat do not by default, or where a container does not see it.
//
// It has to begin before they do, and does: of the packages whose imports are ready, the one whose path is first in the alphabet begins (Go
// specification, "Program initialization"), and it imports nothing but log and io. "run" gives the standard logger a place of its own.
package quiet

import (
	"io"
	"log"
)

var _ = silence()

func silence() struct{} {
	log.SetOutput(io.Discard)
	return struct{}{}
}
