package reserved_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/idna"

	"autodiscover-guard/rules/reserved"
)

// everything holds all sets.
var everything = sync.OnceValue(func() *reserved.Set {
	var names []string
	for _, info := range reserved.Sets() {
		names = append(names, info.Name)
	}
	s, err := reserved.New(names...)
	if err != nil {
		panic(err)
	}
	return s
})

func TestEntries_completeAndUnique(t *testing.T) {
	sets := map[string]bool{}
	for _, info := range reserved.Sets() {
		sets[info.Name] = true
		if info.About == "" {
			t.Errorf("set %s: About is empty", info.Name)
		}
	}
	seen := map[string]bool{}
	for _, e := range everything().Entries() {
		checkEntry(t, e, sets)
		if seen[e.Name] {
			t.Errorf("%s: listed twice", e.Name)
		}
		seen[e.Name] = true
		if got := reserved.Canonical(e.Name); got != e.Name {
			t.Errorf("%s: not canonical, want %s", e.Name, got)
		}
		if len(e.Name) >= 64 {
			t.Errorf("%s: longer than the tail that Match looks at", e.Name)
		}
	}
	if len(seen) != 93 {
		t.Errorf("got %d names, want 93: update the number with the table", len(seen))
	}
}

func checkEntry(t *testing.T, e reserved.Entry, sets map[string]bool) {
	t.Helper()
	if !sets[e.Set] {
		t.Errorf("%s: unknown set %q", e.Name, e.Set)
	}
	if e.Authority == "" || e.Citation == "" {
		t.Errorf("%s: authority %q, citation %q: neither may be empty", e.Name, e.Authority, e.Citation)
	}
	if e.Nature != reserved.Documentation && e.Nature != reserved.PrivateUse {
		t.Errorf("%s: nature %v", e.Name, e.Nature)
	}
}

func TestEntries_labelsOfTestDomains(t *testing.T) {
	set, err := reserved.New("idn-test")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range set.Entries() {
		label, language, _ := strings.Cut(e.Note, " ")
		if language == "" {
			t.Errorf("%s: no language in %q", e.Name, e.Note)
		}
		// idna.Punycode only encodes: what the row calls its U-label must be one already.
		if got, err := idna.Punycode.ToASCII(label); err != nil || got != e.Name {
			t.Errorf("%s: U-label %s encodes to %s (%v)", e.Name, label, got, err)
		}
		if got := reserved.Canonical(label); got != e.Name {
			t.Errorf("Canonical(%s): got %s, want %s", label, got, e.Name)
		}
	}
	if n := len(set.Entries()); n != 11 {
		t.Errorf("got %d test domains, want 11", n)
	}
}

func TestEntries_nestedNamesAgree(t *testing.T) {
	entries := everything().Entries()
	for _, e := range entries {
		for _, above := range entries {
			if strings.HasSuffix(e.Name, "."+above.Name) && e.Nature != above.Nature {
				t.Errorf("%s is %v, but %s above it is %v", e.Name, e.Nature, above.Name, above.Nature)
			}
		}
	}
}

func TestEntries_ownedByCaller(t *testing.T) {
	reserved.Default().Entries()[0].Name = "changed"
	reserved.Default().Names()[0] = "changed"
	reserved.AddrEntries()[0].Name = "changed"
	reserved.Sets()[0].Name = "changed"
	if got := reserved.Default().Names()[0]; got != "example" {
		t.Errorf("first name: got %s, want example", got)
	}
	if got := reserved.AddrEntries()[0].Name; got != "192.0.2.0/24" {
		t.Errorf("first range: got %s, want 192.0.2.0/24", got)
	}
	if got := reserved.Sets()[0].Name; got != "ietf" {
		t.Errorf("first set: got %s, want ietf", got)
	}
}

func TestNames_sameOrderAsEntries(t *testing.T) {
	names := everything().Names()
	for i, e := range everything().Entries() {
		if names[i] != e.Name {
			t.Fatalf("name %d: got %s, want %s", i, names[i], e.Name)
		}
	}
}

func TestNew_sets(t *testing.T) {
	defaults, err := reserved.New()
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := reserved.New("idn-test", "icann", "ietf", "ietf")
	if err != nil {
		t.Fatal(err)
	}
	want := reserved.Default().Names()
	if !slices.Equal(defaults.Names(), want) || !slices.Equal(chosen.Names(), want) {
		t.Errorf("got %v and %v, want twice %v", defaults.Names(), chosen.Names(), want)
	}
	icann, err := reserved.New("icann")
	if err != nil {
		t.Fatal(err)
	}
	if got := icann.Names(); !slices.Equal(got, []string{"internal"}) {
		t.Errorf("icann: got %v", got)
	}
	if _, ok := icann.Match("example.com"); ok {
		t.Error("icann alone matches example.com")
	}
}

func TestNew_unknownSet(t *testing.T) {
	for _, name := range []string{"itef", "IETF", ""} {
		_, err := reserved.New("ietf", name)
		unknown, ok := errors.AsType[*reserved.UnknownSetError](err)
		if !ok {
			t.Errorf("New(%q): got %v, want an UnknownSetError", name, err)
			continue
		}
		if unknown.Name != name || !strings.Contains(err.Error(), "idn-test, informal-private, vendor-documentation") {
			t.Errorf("New(%q): %v does not list the sets", name, err)
		}
	}
}

func TestSet_zeroIsDefault(t *testing.T) {
	var null *reserved.Set
	for _, s := range []*reserved.Set{null, {}} {
		if e, ok := s.Match("a.example.com"); !ok || e.Name != "example.com" {
			t.Errorf("got %q, %v", e.Name, ok)
		}
		if e, ok := s.MatchSubject("[192.0.2.1]"); !ok || e.Name != "192.0.2.0/24" {
			t.Errorf("got %q, %v", e.Name, ok)
		}
		if got, want := s.Names(), reserved.Default().Names(); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if got, want := len(s.Entries()), len(reserved.Default().Entries()); got != want {
			t.Errorf("got %d entries, want %d", got, want)
		}
	}
}

func TestSet_concurrentUse(t *testing.T) {
	var s reserved.Set
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if _, ok := s.Match("a.测试"); !ok {
					t.Error("no match")
				}
				s.Names()
			}
		})
	}
	wg.Wait()
}

func TestNature_String(t *testing.T) {
	for n, want := range map[reserved.Nature]string{
		0: "invalid", reserved.Documentation: "documentation", reserved.PrivateUse: "private-use", 77: "invalid",
	} {
		if got := n.String(); got != want {
			t.Errorf("Nature(%d): got %q, want %q", n, got, want)
		}
	}
}

func TestAddrEntries_completeAndDisjoint(t *testing.T) {
	rows := reserved.AddrEntries()
	for i, row := range rows {
		checkEntry(t, row.Entry, map[string]bool{"ietf": true})
		if row.Name != row.Prefix.String() || row.Prefix != row.Prefix.Masked() {
			t.Errorf("%s: prefix is %v", row.Name, row.Prefix)
		}
		for _, other := range rows[:i] {
			if row.Prefix.Overlaps(other.Prefix) {
				t.Errorf("%s overlaps %s", row.Name, other.Name)
			}
		}
		first := row.Prefix.Addr()
		if got, ok := reserved.MatchAddr(first); !ok || got.Name != row.Name {
			t.Errorf("MatchAddr(%v): got %s, %v", first, got.Name, ok)
		}
		if before := first.Prev(); before.IsValid() {
			if got, ok := reserved.MatchAddr(before); ok && got.Name == row.Name {
				t.Errorf("MatchAddr(%v): got %s", before, got.Name)
			}
		}
	}
	if _, ok := reserved.MatchAddr(netip.Addr{}); ok {
		t.Error("the zero address matches")
	}
}
