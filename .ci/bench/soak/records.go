package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// counts is how many exchanges there were about each domain.
type counts map[string]int64

// tally is what the clients know. Of an exchange that a client left early nobody but the guard knows whether it began.
type tally struct{ exact, atMost counts }

// readRecords counts the decision records; one that stands for several says so in "repeat".
func readRecords(state string) (counts, error) {
	files, err := filepath.Glob(filepath.Join(state, "decisions*.jsonl"))
	if err != nil {
		return nil, err
	}
	written := counts{}
	for _, name := range files {
		if err := readFile(name, written); err != nil {
			return nil, err
		}
	}
	return written, nil
}

func readFile(name string, written counts) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r struct {
			Message  string   `json:"msg"`
			Subjects []string `json:"subjects"`
			Repeat   int64    `json:"repeat"`
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("reading a record: %w: %s", err, lines.Text())
		}
		if r.Message != "decision" {
			continue
		}
		subject := ""
		if len(r.Subjects) == 1 {
			subject = r.Subjects[0]
		}
		written[subject] += max(r.Repeat, 1)
	}
	return lines.Err()
}

// missing compares what was asked with what was written: the same number where the client heard an answer; where it left early at least as many
// as upstream was asked, at most as many as it began.
func missing(asked tally, reached, written counts) (findings []string) {
	domains := maps.Clone(written)
	maps.Copy(domains, asked.exact)
	maps.Copy(domains, asked.atMost)
	for _, domain := range slices.Sorted(maps.Keys(domains)) {
		least, most := asked.exact[domain], asked.exact[domain]
		if n, ok := asked.atMost[domain]; ok {
			least, most = reached[domain], n
		}
		if n := written[domain]; n < least || n > most {
			findings = append(findings, fmt.Sprintf("%s: %d records, want %d to %d", domain, n, least, most))
		}
	}
	return findings
}
