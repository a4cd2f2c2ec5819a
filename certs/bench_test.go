package certs_test

import (
	"strconv"
	"testing"
)

func BenchmarkLeaf(b *testing.B) {
	a := open(b, place(b), "example.com")
	n := 0 // not in the closure: -count runs it again with the same cache
	b.Run("cold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n++
			if _, err := a.Leaf(strconv.Itoa(n) + ".cold.example.com"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("cached", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.Leaf("autodiscover.example.com"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("cached-parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := a.Leaf("autodiscover.example.com"); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("refused", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.Leaf("www.bank.example.net"); err == nil {
				b.Fatal("minted")
			}
		}
	})
}

// The hit path is on every handshake; its promise is kept by a test rather than by a figure.
func TestLeaf_cachedDoesNotAllocate(t *testing.T) {
	a := open(t, place(t), "example.com")
	if _, err := a.Leaf("autodiscover.example.com"); err != nil {
		t.Fatal(err)
	}
	got := testing.AllocsPerRun(1000, func() { _, _ = a.Leaf("autodiscover.example.com.") })
	if got >= 1 {
		t.Errorf("%v allocations for a cached leaf", got)
	}
}
