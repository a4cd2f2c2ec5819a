package passwords

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
)

// held is a hash that says what is computed, and is done when it is told to be.
type held struct {
	begun   chan string
	release chan struct{}
}

func (h held) matches(password string) bool {
	h.begun <- password
	<-h.release
	return strings.HasPrefix(password, "right")
}

// heldFile is a file with one name, whose hash is held. Channels belong to the test's bubble.
func heldFile() (*File, held) {
	h := held{make(chan string, 100), make(chan struct{})}
	return &File{hashes: map[string]hash{"jane": h}, every: []hash{h}, key: []byte("key"), known: map[[32]byte]string{}}, h
}

var guesser, desk, phone = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")

// answer is what Allowed said.
type answer struct {
	right bool
	err   error
}

func ask(ctx context.Context, f *File, client netip.Addr, password string) <-chan answer {
	said := make(chan answer, 1)
	go func() {
		right, err := f.Allowed(ctx, client, "jane", password)
		said <- answer{right, err}
	}()
	synctest.Wait()
	return said
}

func (h held) next(t *testing.T, want string) {
	t.Helper()
	synctest.Wait()
	select {
	case got := <-h.begun:
		if got != want {
			t.Errorf("%q is computed, want %q", got, want)
		}
	default:
		t.Errorf("nothing is computed, want %q", want)
	}
}

func (h held) nothing(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case got := <-h.begun:
		t.Errorf("%q is computed out of turn", got)
	default:
	}
}

// One client's guesses hold up nobody else's first log-in for more than one computation, and more than some are not taken.
func TestFile_guessesHoldUpTheirSenderOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h := heldFile()
		if maxWaiting != 16 {
			t.Errorf("%d may wait; the documents say 16", maxWaiting)
		}
		guesses := make([]<-chan answer, 0, maxWaiting+1)
		for i := range maxWaiting + 1 {
			guesses = append(guesses, ask(t.Context(), f, guesser, fmt.Sprint("guess ", i)))
		}
		h.next(t, "guess 0")
		h.nothing(t) // the other slot is not the guesser's
		first := ask(t.Context(), f, desk, "right at the desk")
		h.next(t, "right at the desk")
		if got := <-ask(t.Context(), f, guesser, "one more"); got.right || !errors.Is(got.err, ErrTooMany) {
			t.Errorf("one more: got %v", got)
		}
		second := ask(t.Context(), f, phone, "right at the phone")
		third := ask(t.Context(), f, phone, "right, by another program")
		h.nothing(t)
		h.release <- struct{}{}
		h.next(t, "right at the phone")
		h.nothing(t) // a client has one turn, however many of its attempts wait
		for range maxWaiting + 3 {
			h.release <- struct{}{}
			synctest.Wait()
		}
		h.next(t, "guess 1")
		h.next(t, "right, by another program")
		for i := range maxWaiting - 1 {
			h.next(t, fmt.Sprint("guess ", i+2))
		}
		for name, said := range map[string]<-chan answer{"desk": first, "phone": second, "another program": third} {
			if got := <-said; !got.right || got.err != nil {
				t.Errorf("%s: got %v", name, got)
			}
		}
		for i, said := range guesses {
			if got := <-said; got.right || got.err != nil {
				t.Errorf("guess %d: got %v", i, got)
			}
		}
		if got := <-ask(t.Context(), f, desk, "right at the desk"); !got.right {
			t.Errorf("a log-in that is known: got %v", got)
		}
		h.nothing(t)
		mustBeOver(t, &f.queue)
	})
}

// A client that goes away takes what it has not yet been told with it.
func TestFile_waitEndsWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h := heldFile()
		running, stop := context.WithCancel(t.Context())
		waiting, leave := context.WithCancel(t.Context())
		first := ask(running, f, desk, "right one")
		h.next(t, "right one")
		second := ask(waiting, f, desk, "another")
		leave()
		if got := <-second; got.right || !errors.Is(got.err, context.Canceled) {
			t.Errorf("while it waited: got %v", got)
		}
		stop()
		if got := <-first; got.right || !errors.Is(got.err, context.Canceled) {
			t.Errorf("while it was looked at: got %v", got)
		}
		// What runs still counts, although nobody waits for it.
		third := ask(t.Context(), f, desk, "a third")
		h.nothing(t)
		// Others, whose turns have not come.
		ask(t.Context(), f, phone, "at the phone")
		h.next(t, "at the phone")
		one, leaveOne := context.WithCancel(t.Context())
		other, leaveOther := context.WithCancel(t.Context())
		ask(one, f, guesser, "one guess")
		ask(other, f, guesser, "another guess")
		kept := ask(t.Context(), f, guesser, "a guess that stays")
		leaveOne()
		leaveOther()
		h.nothing(t)
		for range 4 {
			h.release <- struct{}{}
			synctest.Wait()
		}
		for _, said := range []<-chan answer{third, kept} {
			if got := <-said; got.right || got.err != nil {
				t.Errorf("somebody who stayed: got %v", got)
			}
		}
		h.next(t, "a guess that stays")
		h.next(t, "a third")
		h.nothing(t)
		mustBeOver(t, &f.queue)
	})
}

// A browser says the same on each of its connections. It is looked at once, also when the connection that came first goes away.
func TestFile_sameAtOnceIsOneAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h := heldFile()
		ask(t.Context(), f, desk, "wrong")
		h.next(t, "wrong")
		ctx, leave := context.WithCancel(t.Context())
		ask(ctx, f, desk, "right")
		same := make([]<-chan answer, 0, 4*maxWaiting)
		for range 4 * maxWaiting {
			same = append(same, ask(t.Context(), f, desk, "right"))
		}
		leave()
		synctest.Wait()
		h.release <- struct{}{}
		h.next(t, "right")
		same = append(same, ask(t.Context(), f, desk, "right"))
		h.release <- struct{}{}
		for _, said := range same {
			if got := <-said; !got.right || got.err != nil {
				t.Errorf("got %v", got)
			}
		}
		h.nothing(t)
		mustBeOver(t, &f.queue)
	})
}

// Who leaves after his attempt, or while his client waits for its next turn, disturbs nobody.
func TestFile_leavesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h := heldFile()
		over := f.queue.join(desk, f.digest("jane", "over"), func() bool { return h.matches("over") })
		h.next(t, "over")
		waiting, leave := context.WithCancel(t.Context())
		ask(waiting, f, desk, "late")
		ask(t.Context(), f, phone, "at the phone")
		ask(t.Context(), f, guesser, "guess")
		h.release <- struct{}{} // whoever came first is done, and the others have the slots
		synctest.Wait()
		leave()
		synctest.Wait()
		f.queue.leave(over)
		h.release <- struct{}{}
		h.release <- struct{}{}
		mustBeOver(t, &f.queue)
	})
}

// mustBeOver checks that nothing is kept of clients that are done.
func mustBeOver(t *testing.T, all *fairQueue) {
	t.Helper()
	synctest.Wait()
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.running != 0 || len(all.clients) != 0 || len(all.ready) != 0 {
		t.Errorf("%d run, %d lines, %d next", all.running, len(all.clients), len(all.ready))
	}
}
