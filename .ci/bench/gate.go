// Command bench compares two files of Go benchmark results and fails where the first, the new one, allocates more than the second, the
// baseline. Time is printed by benchstat for people, and is never a reason to fail: machines differ, and so do their neighbours.
//
//	go run ./bench NEW BASELINE
package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"

	"golang.org/x/perf/benchfmt"
)

// limits says how far each unit may rise. slack is an absolute allowance for rounding: B/op is a mean over all iterations, and what a run
// allocates once is spread over them.
var limits = map[string]struct{ ratio, slack float64 }{
	"allocs/op": {ratio: 1.05},
	"B/op":      {ratio: 1.10, slack: 16},
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bench NEW BASELINE")
		os.Exit(2)
	}
	findings, notes, err := compareFiles(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		os.Exit(2)
	}
	for _, n := range notes {
		fmt.Println("note:", n)
	}
	for _, f := range findings {
		fmt.Println("worse:", f)
	}
	if len(findings) > 0 {
		os.Exit(1)
	}
}

func compareFiles(fresh, baseline string) (findings, notes []string, err error) {
	var results [2]results
	for i, name := range []string{fresh, baseline} {
		f, err := os.Open(name)
		if err != nil {
			return nil, nil, err
		}
		results[i], err = read(f, name)
		if err = cmp.Or(err, f.Close()); err != nil {
			return nil, nil, err
		}
	}
	findings, notes = compare(results[0], results[1])
	return findings, notes, nil
}

// row is a benchmark's unit: one line of the comparison.
type row struct{ name, unit string }

// results holds every value that was measured for a row, in the file's order.
type results map[row][]float64

// procs is the number of cores that the testing package puts after a name; a baseline from another machine has another.
var procs = regexp.MustCompile(`-[0-9]+$`)

func read(r io.Reader, name string) (results, error) {
	all := results{}
	in := benchfmt.NewReader(r, name)
	for in.Scan() {
		switch rec := in.Result().(type) {
		case *benchfmt.Result:
			full := rec.GetConfig("pkg") + "." + procs.ReplaceAllString(rec.Name.String(), "")
			for _, v := range rec.Values {
				if _, ok := limits[v.Unit]; ok {
					all[row{full, v.Unit}] = append(all[row{full, v.Unit}], v.Value)
				}
			}
		case *benchfmt.SyntaxError:
			return nil, rec
		}
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New(name + ": no benchmark with -benchmem in it")
	}
	return all, nil
}

// compare sets the least of the new values against the baseline's median: noise only ever adds, so what even the best run cannot reach is
// not noise.
func compare(fresh, baseline results) (findings, notes []string) {
	for _, r := range rows(baseline) {
		values, ok := fresh[r]
		if !ok {
			findings = append(findings, fmt.Sprintf("%s %s: gone; if that is meant, make a new baseline", r.name, r.unit))
			continue
		}
		was, now, limit := median(baseline[r]), slices.Min(values), limits[r.unit]
		if now > math.Max(was*limit.ratio, was+limit.slack) {
			findings = append(findings, fmt.Sprintf("%s: %.0f %s, was %.0f", r.name, now, r.unit, was))
		}
	}
	for _, r := range rows(fresh) {
		if _, ok := baseline[r]; !ok && r.unit == "allocs/op" {
			notes = append(notes, r.name+": not in the baseline yet")
		}
	}
	return findings, notes
}

func rows(r results) []row {
	return slices.SortedFunc(maps.Keys(r), func(a, b row) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.unit, b.unit))
	})
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}
