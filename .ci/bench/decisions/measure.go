//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// measure runs the review of a log three times, writes its report, and fails where any took more memory (MB) or the fastest was slower
// (MB of log in a second of user time) than limits say.
func measure(limits, program, log, report string) error {
	var memory, speed float64
	if _, err := fmt.Sscanf(limits, "%f,%f", &memory, &speed); err != nil {
		return fmt.Errorf("-run wants MB,MB/s: %w", err)
	}
	info, err := os.Stat(log)
	if err != nil {
		return err
	}
	var most, fastest float64
	for range 3 {
		out, err := os.Create(report)
		if err != nil {
			return err
		}
		cmd := exec.Command(program, "review", "--format", "json", "--top", "0", log)
		cmd.Stdout, cmd.Stderr = out, os.Stderr
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		if err := cmd.Run(); err != nil {
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
		usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			return fmt.Errorf("%s does not tell what a process used", runtime.GOOS)
		}
		resident := float64(usage.Maxrss) / 1024 // Linux counts in KiB
		rate := float64(info.Size()) / 1e6 / cmd.ProcessState.UserTime().Seconds()
		fmt.Printf("decisions: %.1f MB in %.2f s of user time and %.2f s of the system's: %.0f MB/s, %.1f MB resident\n",
			float64(info.Size())/1e6, cmd.ProcessState.UserTime().Seconds(), cmd.ProcessState.SystemTime().Seconds(), rate, resident)
		most, fastest = max(most, resident), max(fastest, rate)
	}
	if most > memory {
		return fmt.Errorf("%.1f MB resident, want %.0f at most", most, memory)
	}
	if fastest < speed {
		return fmt.Errorf("%.0f MB/s, want %.0f at least", fastest, speed)
	}
	return nil
}
