package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// The transparent door needs a packet filter that sends connections to it. As root the soak runs in a network namespace of its own, where there is nothing
// but loopback: connections to the address elsewhere go to the guard, whose own connections go to this process, as `upstream.resolve` says.
const (
	elsewhere = "192.0.2.10" // RFC 5737
	door      = "127.0.0.1:8443"
	inside    = "SOAK_NAMESPACE"
)

const gateway = `set -e
ip link set lo up
ip route add ` + elsewhere + `/32 dev lo src 127.0.0.1
nft -f - <<'X'
table ip soak {
	chain output {
		type nat hook output priority -100; policy accept;
		ip daddr ` + elsewhere + ` tcp dport { 80, 443 } redirect to :8443
	}
}
X
`

// isolated runs the program once more, in a namespace of its own. It says why not where that cannot be.
func isolated(ctx context.Context, args []string) (code int, missing string) {
	if os.Getuid() != 0 {
		return 0, "network namespaces need root"
	}
	for _, program := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			return 0, program + " is not installed (apt-get install iproute2 nftables)"
		}
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err.Error()
	}
	c := exec.CommandContext(ctx, self, args...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.Env = append(os.Environ(), inside+"=1")
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := c.Start(); err != nil {
		return 0, "no network namespaces here: " + err.Error()
	}
	var ended *exec.ExitError
	if err := c.Wait(); err != nil && !errors.As(err, &ended) {
		return 2, ""
	}
	return c.ProcessState.ExitCode(), ""
}

// redirect has the packet filter of this namespace send connections to the door.
func redirect() error {
	c := exec.Command("sh")
	c.Stdin = strings.NewReader(gateway)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("setting up the transparent door: %w: %s", err, out)
	}
	return nil
}

// dialElsewhere is how a client gets to the door: it knows of no proxy, and takes every host for one.
func dialElsewhere(ctx context.Context, _, address string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", net.JoinHostPort(elsewhere, port))
}
