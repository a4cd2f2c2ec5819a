//go:build unix

package certs_test

import (
	"os/exec"
	"syscall"
	"time"
)

// ownGroup makes a command that starts others end together with them.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
}
