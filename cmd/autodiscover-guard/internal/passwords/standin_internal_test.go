package passwords

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// counted is a hash that every password fits.
type counted struct{ n *int }

func (c counted) matches(string) bool { *c.n++; return true }

// A name that is not there costs a computation too, of the same hash each time, and of every kind of hash that there is: how long an answer takes
// must not tell names.
func TestFile_unknownNameCostsAHash(t *testing.T) {
	cheap, dear := counted{new(int)}, counted{new(int)}
	f := &File{hashes: map[string]hash{"jane": cheap, "joe": dear}, every: []hash{cheap, dear}, key: []byte("key"), known: map[[32]byte]string{}}
	total := func() int { return *cheap.n + *dear.n }
	for i := range 50 {
		name := fmt.Sprint("stranger ", i)
		before, cheapBefore := total(), *cheap.n
		for j, password := range []string{"guess", "guess", strings.Repeat("x", 73)} { // a guess is never remembered
			if right, err := f.Allowed(t.Context(), netip.Addr{}, name, password); right || err != nil {
				t.Fatalf("%s was let in: %v, %v", name, right, err)
			}
			if got := total() - before; got != j+1 {
				t.Errorf("%s: %d computations for %d attempts", name, got, j+1)
			}
		}
		if n := *cheap.n - cheapBefore; n != 0 && n != 3 {
			t.Errorf("%s has got different hashes", name)
		}
	}
	if *cheap.n == 0 || *dear.n == 0 {
		t.Errorf("%d of one kind and %d of the other stood in", *cheap.n, *dear.n)
	}
	for _, c := range []struct{ name, password, computed int }{{maxPassword, maxPassword, 1}, {maxPassword + 1, 1, 0}, {1, maxPassword + 1, 0}} {
		before := total()
		if right, err := f.Allowed(t.Context(), netip.Addr{}, strings.Repeat("n", c.name), strings.Repeat("x", c.password)); right || err != nil || total()-before != c.computed {
			t.Errorf("%d and %d bytes: got %v, %v after %d computations", c.name, c.password, right, err, total()-before)
		}
	}
	text, err := bcrypt.GenerateFromPassword([]byte("open sesame"), 10)
	if err != nil {
		t.Fatal(err)
	}
	one, err := parse(append([]byte("jane:"), text...))
	other, err2 := parse(append([]byte("jane:"), text...))
	if err != nil || err2 != nil || one.digest("joe", "") == other.digest("joe", "") {
		t.Errorf("whose hash stands in can be foretold: %v, %v", err, err2)
	}
}

// A password that bcrypt would not read to its end is no reason to answer at once. Computing allocates, and returning does not.
func TestBcrypt_longPasswordIsComputed(t *testing.T) {
	text, err := bcrypt.GenerateFromPassword([]byte("open sesame"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	h := bcryptHash(text)
	for _, length := range []int{8, 72, 73, maxPassword} {
		password := strings.Repeat("x", length)
		if n := testing.AllocsPerRun(1, func() { _ = h.matches(password) }); n == 0 {
			t.Errorf("%d bytes: nothing was computed", length)
		}
	}
}

// Whoever has logged in is known to the file that is read again, and nothing is computed for him, unless his line is another one there.
func TestFile_Follow(t *testing.T) {
	computed := counted{new(int)}
	file := func(key string, texts map[string]string) *File {
		f := &File{hashes: map[string]hash{}, texts: texts, every: []hash{computed}, key: []byte(key), known: map[[32]byte]string{}}
		for name := range texts {
			f.hashes[name] = computed
		}
		return f
	}
	ask := func(f *File, user, password string, want bool, cost int) {
		t.Helper()
		before := *computed.n
		if right, err := f.Allowed(t.Context(), netip.Addr{}, user, password); right != want || err != nil || *computed.n-before != cost {
			t.Errorf("%s, %s: %v, %v, %d computations; want %v and %d", user, password, right, err, *computed.n-before, want, cost)
		}
	}
	former := file("one", map[string]string{"jane": "$2y$10$a", "jill": "$2y$10$b", "jack": "$2y$10$c"})
	for _, user := range []string{"jane", "jill", "jack"} {
		ask(former, user, "open sesame", true, 1)
	}
	f := file("another", map[string]string{"jane": "$2y$10$a", "jack": "$2y$10$d", "jim": "$2y$10$c"})
	f.Follow(former)
	if !former.mu.TryLock() {
		t.Fatal("who asks the former file is not answered any more")
	}
	former.mu.Unlock()
	ask(f, "jane", "open sesame", true, 0)
	ask(f, "jane", "shut sesame", true, 1) // every password fits here
	ask(f, "jack", "open sesame", true, 1)
	ask(f, "jim", "open sesame", true, 1)
	ask(f, "jill", "open sesame", false, 1)
}
