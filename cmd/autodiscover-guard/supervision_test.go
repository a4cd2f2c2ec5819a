package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// notifyListener is a program for scripts: the service manager's end of sd_notify(3). It listens at a datagram socket and writes down what comes, one
// assignment on a line, until a signal ends it.
//
//	notify-listener SOCKET FILE
func notifyListener() {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: os.Args[1], Net: "unixgram"})
	must(err)
	out, err := os.Create(os.Args[2])
	must(err)
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ended
		_ = conn.Close()
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		fmt.Fprintln(out, strings.TrimSuffix(string(buffer[:n]), "\n"))
	}
}

// freePort sets a variable to a port of 127.0.0.1 that nobody listens at, for programs that cannot be asked which one they took: freeport NAME...
// It lies below those that systems give out by themselves (from 32768 on Linux, 49152 elsewhere), of which another test may get it meanwhile.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: freeport NAME...")
	}
	for _, name := range args {
		for tries := 100; ; tries-- {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 16384+rand.IntN(16384)))
			if err == nil {
				defer l.Close() // so that the next one is another
				ts.Setenv(name, fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
				break
			}
			if tries == 0 {
				ts.Fatalf("no free port: %v", err)
			}
		}
	}
}

// haveNamespaces reports whether a script can have a network of its own, with a packet filter that redirects in it.
func haveNamespaces() bool {
	const rules = "table inet t { chain c { type nat hook output priority -100; meta skuid 65534 fib daddr type local tcp dport 443 redirect to :8443; }; " +
		"chain p { type filter hook prerouting priority mangle; meta l4proto tcp socket transparent 1 accept; ip daddr 192.0.2.1 tcp dport 1 tproxy ip to :8443; }; }"
	return exec.Command("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "nft", rules).Run() == nil
}
