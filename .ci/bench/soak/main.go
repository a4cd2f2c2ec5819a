// Command soak lets the real program work for a while, with clients and upstreams that come and go as they please, and fails where it loses an
// answer, mixes two up, tells a guarded client about a stranger, misses a decision record, or grows.
//
//	go run -C .ci ./bench/soak -for 10m
//
// Everything is on loopback: the upstreams are in this process, the guard is a process of its own. As root it is in a network namespace, too, so that the
// packet filter can send some of the clients to the transparent door. The table that is printed has what the guard's process holds while nobody
// asks it anything, and is judged at the end: see flat.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

type options struct {
	guard   string
	lasting time.Duration
	every   time.Duration
	clients int
	rate    int

	transparent bool
}

func main() {
	var o options
	flag.StringVar(&o.guard, "guard", "", "the program `FILE`; built from the repository where empty")
	flag.DurationVar(&o.lasting, "for", 10*time.Minute, "how long")
	flag.DurationVar(&o.every, "every", 30*time.Second, "how often the guard is measured")
	flag.IntVar(&o.clients, "clients", 24, "how many clients ask at once")
	flag.IntVar(&o.rate, "rate", 150, "how many questions a second, all clients together")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, o))
}

// run is the program, but for its end. It builds the guard outside the namespace, where the modules can be had.
func run(ctx context.Context, o options) (code int) {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(dir)
	if o.guard == "" {
		o.guard = filepath.Join(dir, "autodiscover-guard")
		build := exec.CommandContext(ctx, "go", "build", "-C", "..", "-o", o.guard, "./cmd/autodiscover-guard")
		if text, err := build.CombinedOutput(); err != nil {
			return failed(fmt.Errorf("building the guard: %w: %s", err, text))
		}
	}
	if os.Getenv(inside) == "" {
		code, missing := isolated(ctx, append(os.Args[1:], "-guard", o.guard))
		if missing == "" {
			return code
		}
		fmt.Println("soak: without the transparent door:", missing)
	} else {
		if err := redirect(); err != nil {
			return failed(err)
		}
		o.transparent = true
	}
	findings, err := soak(ctx, o, dir, os.Stdout)
	if err != nil {
		return failed(err)
	}
	for _, f := range findings {
		fmt.Println("finding:", f)
	}
	if len(findings) > 0 {
		return 1
	}
	fmt.Println("soak: nothing found")
	return 0
}

func failed(err error) (code int) {
	fmt.Fprintln(os.Stderr, "soak: error:", err)
	return 2
}

func soak(ctx context.Context, o options, dir string, out io.Writer) (findings []string, err error) {
	up, err := startUpstream()
	if err != nil {
		return nil, err
	}
	defer up.close()
	g, err := startGuard(ctx, o, dir, up)
	if err != nil {
		return nil, err
	}
	defer g.kill()
	l := newLoad(g, o)
	samples, err := watch(ctx, o, g, l, out)
	if err != nil {
		return nil, err
	}
	if err := g.stop(); err != nil {
		findings = append(findings, fmt.Sprintf("the guard ended with %v; its last words:\n%s", err, g.lastWords()))
	}
	records, err := readRecords(g.state)
	if err != nil {
		return nil, err
	}
	findings = append(findings, l.findings()...)
	findings = append(findings, missing(l.exchanges(), up.asked(), records)...)
	findings = append(findings, flat(samples)...)
	l.print(out, records)
	return findings, nil
}

// watch lets the load run, and stops it for each measurement.
func watch(ctx context.Context, o options, g *guard, l *load, out io.Writer) ([]sample, error) {
	begun := time.Now()
	var samples []sample
	fmt.Fprintln(out, header)
	for time.Since(begun) < o.lasting {
		span, cancel := context.WithTimeout(ctx, min(o.every, o.lasting-time.Since(begun)))
		l.run(span)
		cancel()
		if ctx.Err() != nil {
			return samples, errors.New("interrupted")
		}
		s, err := g.measure(ctx)
		if err != nil {
			return samples, fmt.Errorf("measuring the guard: %w; its last words:\n%s", err, g.lastWords())
		}
		s.at, s.done = time.Since(begun).Round(time.Second), l.done.Load()
		samples = append(samples, s)
		fmt.Fprintln(out, s)
	}
	return samples, nil
}
