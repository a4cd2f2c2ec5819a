// Command decisions makes decision logs of any size of which everything is known, and holds what "autodiscover-guard review" says of them against
// that.
//
//	go run -C .ci ./bench/decisions -bytes 1e9 -truth truth.json > decisions.jsonl
//	autodiscover-guard review --format json --top 0 decisions.jsonl > report.json
//	go run -C .ci ./bench/decisions -check truth.json report.json
//
// .ci/bench/review does all three, and measures.
//
// It shares nothing with the program that it tests: records are written by hand, in the form that the record's schema documents, and what a record is
// counted as is known from why it was made.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "decisions:", err)
		os.Exit(1)
	}
}

func run() error {
	size := flag.Float64("bytes", 1e6, "least size of the log")
	seed := flag.Uint64("seed", 1, "the same seed makes the same log")
	truthFile := flag.String("truth", "", "file for what is true of the log")
	check := flag.Bool("check", false, "compare two files: what is true, and the report")
	limits := flag.String("run", "", "measure a review, at most `MB,MB/s`: the program, the log, and the file for its report")
	flag.Parse()
	if *limits != "" {
		if flag.NArg() != 3 {
			return fmt.Errorf("-run wants a program, a log and a report, got %q", flag.Args())
		}
		return measure(*limits, flag.Arg(0), flag.Arg(1), flag.Arg(2))
	}
	if *check {
		if flag.NArg() != 2 {
			return fmt.Errorf("-check wants two files, got %q", flag.Args())
		}
		return compare(flag.Arg(0), flag.Arg(1))
	}
	w := bufio.NewWriterSize(os.Stdout, 1<<20)
	g := newGenerator(*seed, w)
	for float64(g.written) < *size {
		g.line()
	}
	g.torn()
	if err := w.Flush(); err != nil {
		return err
	}
	if *truthFile == "" {
		return nil
	}
	text, err := json.Marshal(g.truth.document())
	if err != nil {
		return err
	}
	return os.WriteFile(*truthFile, text, 0o600)
}
