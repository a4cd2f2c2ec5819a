package rules_test

import (
	"bytes"
	"compress/gzip"
	"runtime"
	"strings"
	"testing"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// BenchmarkJudge_dialects judges the largest answer of each dialect in the corpora: the cost that a real document can have.
func BenchmarkJudge_dialects(b *testing.B) {
	largest := map[dialect.ID]exchange{}
	all := loadCorpus(b)
	for _, s := range loadShared(b) {
		all = append(all, exchange{name: s.name, request: s.request, answer: s.answer})
	}
	p := allServices(b)
	for _, x := range all {
		plan, d := decide(p, x.request, x.answer)
		if (plan.Step == rules.Forward || plan.Step == rules.Scrub) && d.Dialect != dialect.None && len(x.answer.Body) > len(largest[d.Dialect].answer.Body) {
			largest[d.Dialect] = x
		}
	}
	for _, info := range dialect.All() {
		x, ok := largest[info.ID]
		if !ok {
			continue
		}
		b.Run(info.Name, func(b *testing.B) {
			b.SetBytes(int64(len(x.answer.Body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, d := decide(p, x.request, x.answer); d.Action == 0 {
					b.Fatal("undecided")
				}
			}
		})
	}
}

// bombs are answers that are small on the wire, or cheap to make, and dear to read.
func bombs(tb testing.TB) map[string]dialect.Answer {
	tb.Helper()
	var zeros bytes.Buffer
	w := gzip.NewWriter(&zeros)
	block := make([]byte, 1<<20)
	for range 100 {
		if _, err := w.Write(block); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	html := dialect.Header{"Content-Type": {"text/xml"}}
	return map[string]dialect.Answer{
		"entities":      {Status: 200, Header: html, Body: []byte(`<!DOCTYPE l [<!ENTITY a "` + strings.Repeat("a", 1000) + `"><!ENTITY b "` + strings.Repeat("&a;", 1000) + `">]><Autodiscover>&b;</Autodiscover>`)},
		"depth":         {Status: 200, Header: html, Body: []byte(strings.Repeat("<a>", 300_000))},
		"siblings":      {Status: 200, Header: html, Body: []byte("<Autodiscover>" + strings.Repeat("<a/>", 250_000) + "</Autodiscover>")},
		"attributes":    {Status: 200, Header: html, Body: []byte("<Autodiscover " + strings.Repeat(`a="b" `, 150_000) + "/>")},
		"json-depth":    {Status: 200, Header: dialect.Header{"Content-Type": {"application/json"}}, Body: []byte(strings.Repeat(`{"a":`, 200_000))},
		"json-values":   {Status: 200, Header: dialect.Header{"Content-Type": {"application/json"}}, Body: []byte(`[` + strings.Repeat("1,", 500_000) + `1]`)},
		"gzip-of-zeros": {Status: 200, Header: dialect.Header{"Content-Type": {"text/xml"}, "Content-Encoding": {"gzip"}}, Body: zeros.Bytes()},
	}
}

// TestJudge_bombs: each is refused for somebody guarded, passed untouched for anybody else, and takes little memory.
func TestJudge_bombs(t *testing.T) {
	p := builtin(t)
	for name, a := range bombs(t) {
		t.Run(name, func(t *testing.T) {
			plan := p.Plan(poxQuestion("lab.test"), rules.From{})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d := p.Judge(plan, a)
			runtime.ReadMemStats(&after)
			if d.Action != rules.ActionRefuse {
				t.Errorf("guarded: %v", d.Action)
			}
			if took, most := after.TotalAlloc-before.TotalAlloc, uint64(32<<20); took > most {
				t.Errorf("takes %d bytes, want at most %d", took, most)
			}
			if d := p.Judge(p.Plan(poxQuestion("shop.com"), rules.From{}), a); d.Action != rules.ActionPass {
				t.Errorf("not guarded: %v", d.Action)
			}
		})
	}
}

// BenchmarkJudge_bombs says how long refusing takes.
func BenchmarkJudge_bombs(b *testing.B) {
	p := builtin(b)
	plan := p.Plan(poxQuestion("lab.test"), rules.From{})
	for name, a := range bombs(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Judge(plan, a)
			}
		})
	}
}
