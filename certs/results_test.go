package certs_test

import (
	"fmt"
	"slices"
	"strings"
)

// results is a table in Markdown: what verifiers said, a row for each question and a column for each verifier.
type results struct {
	heads    [2]string
	rows     [][2]string
	columns  []string
	cells    map[[3]string]string
	versions []string
}

func newResults(first, second string) *results {
	return &results{heads: [2]string{first, second}, cells: map[[3]string]string{}}
}

func (r *results) add(first, second, column string, accepted bool) {
	row := [2]string{first, second}
	if !slices.Contains(r.rows, row) {
		r.rows = append(r.rows, row)
	}
	if !slices.Contains(r.columns, column) {
		r.columns = append(r.columns, column)
	}
	r.cells[[3]string{first, second, column}] = map[bool]string{true: "accepts", false: "refuses"}[accepted]
}

func (r *results) skip(column, why string) {
	r.versions = append(r.versions, column+" not asked: "+why)
}

func (r *results) version(column, line string) {
	r.versions = append(r.versions, column+": "+line)
}

// String is the table, and which versions were asked.
func (r *results) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | %s | %s |\n|---|---|%s\n", r.heads[0], r.heads[1], strings.Join(r.columns, " | "), strings.Repeat("---|", len(r.columns)))
	for _, row := range r.rows {
		fmt.Fprintf(&b, "| %s | %s |", row[0], row[1])
		for _, column := range r.columns {
			fmt.Fprintf(&b, " %s |", r.cells[[3]string{row[0], row[1], column}])
		}
		b.WriteString("\n")
	}
	return b.String() + "\n" + strings.Join(r.versions, "; ")
}
