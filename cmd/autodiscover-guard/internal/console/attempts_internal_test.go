package console

import (
	"net/netip"
	"testing"
	"time"
)

// Whom we remember is bounded, and whoever has tried most stays longest: many addresses do not buy one of them another try.
func TestAttempts_bounded(t *testing.T) {
	a, now := new(attempts), time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	all := make([]netip.Prefix, maxAddresses+3)
	for i, addr := 0, netip.MustParseAddr("10.0.0.1"); i < len(all); i, addr = i+1, addr.Next() {
		all[i] = netip.PrefixFrom(addr, 32)
	}
	const worst, least = 5, 7
	for i, from := range all[:maxAddresses] {
		tries := 2
		switch i {
		case worst:
			tries = maxWrong
		case least:
			tries = 1
		}
		for range tries {
			a.wrong(from, now)
		}
	}
	remembered := func(what string, want int, absent ...int) {
		t.Helper()
		if len(a.until) != want {
			t.Errorf("%s: %d addresses, want %d", what, len(a.until), want)
		}
		for _, i := range absent {
			if _, ok := a.until[all[i]]; ok {
				t.Errorf("%s: %v is remembered", what, all[i])
			}
		}
		if want > 1 && a.wait(all[worst], now) == 0 {
			t.Errorf("%s: who tried most may try again", what)
		}
	}
	remembered("full", maxAddresses)
	a.wrong(all[worst], now) // known, and needs no room
	remembered("one that is known", maxAddresses)
	a.wrong(all[maxAddresses], now)
	remembered("one more", maxAddresses, least)
	a.wrong(all[maxAddresses+1], now.Add(wrongEvery))
	remembered("another, when one is over", maxAddresses, least, maxAddresses)
	a.wrong(all[maxAddresses+2], now.Add(time.Hour))
	remembered("another, when all are over", 1)
}
