package reserved_test

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"autodiscover-guard/rules/reserved"
)

func FuzzMatch(f *testing.F) {
	f.Add("mail.example.com")
	f.Fuzz(func(t *testing.T, name string) {
		set := everything()
		e, ok := set.Match(name)
		canonical := reserved.Canonical(name)
		if again, ok2 := set.Match(canonical); again != e || ok2 != ok {
			t.Fatalf("Match(%q) is %q, Match(%q) is %q", name, e.Name, canonical, again.Name)
		}
		if again, _ := set.Match(name + "."); again != e {
			t.Fatalf("Match(%q) is %q, with a trailing dot %q", name, e.Name, again.Name)
		}
		below, okBelow := set.Match("sub." + canonical)
		if ok && (!okBelow || below != e) {
			t.Fatalf("Match(%q) is %q, below it %q", name, e.Name, below.Name)
		}
		if !ascii(canonical) {
			return
		}
		if want := reference(set, canonical); e.Name != want {
			t.Fatalf("Match(%q): got %q, want %q", name, e.Name, want)
		}
		if upper, _ := set.Match(strings.ToUpper(canonical)); upper != e {
			t.Fatalf("Match(%q) is %q, in capitals %q", canonical, e.Name, upper.Name)
		}
		if _, more := set.MatchSubject(name); ok && !more {
			t.Fatalf("MatchSubject(%q) knows less than Match", name)
		}
	})
}

var escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

func FuzzCanonical(f *testing.F) {
	f.Add("Example.COM.")
	f.Fuzz(func(t *testing.T, name string) {
		got := reserved.Canonical(name)
		if again := reserved.Canonical(got); again != got {
			t.Fatalf("Canonical(%q) is %q, and of that %q", name, got, again)
		}
		if strings.HasSuffix(got, ".") || escape.MatchString(got) || strings.ContainsAny(got, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			t.Fatalf("Canonical(%q): %q is not canonical", name, got)
		}
		if len(got) <= 1024 && !ascii(got) {
			t.Fatalf("Canonical(%q): %q is not ASCII", name, got)
		}
		if len(got) > 100+40*len(name) {
			t.Fatalf("Canonical(%q): %d bytes from %d", name, len(got), len(name))
		}
		// An address of more than 128 bytes is all zone, and no zone is that long.
		if a, err := netip.ParseAddr(name); err == nil && len(name) <= 128 && got != a.Unmap().WithZone("").String() {
			t.Fatalf("Canonical(%q): got %q, which is another address", name, got)
		}
		want, err := netip.ParseAddr(name)
		if a, ok := reserved.ParseAddr(name); ok != (err == nil) || a != want {
			t.Fatalf("ParseAddr(%q) is %v, %v; netip has %v, %v", name, a, ok, want, err)
		}
		if swapped := reserved.Canonical(swapCase(name)); swapped != got {
			t.Fatalf("Canonical(%q) is %q, with other case %q", name, got, swapped)
		}
	})
}

func swapCase(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			b[i] = c ^ 0x20
		}
	}
	return string(b)
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}
