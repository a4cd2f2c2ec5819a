package notify

import (
	"bytes"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

type taken struct{}

// RoundTrip implements http.RoundTripper.
func (taken) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(nil)), Request: r}, nil
}

// What was told is remembered of so many things; the oldest makes room.
func TestNotifier_past_is_bounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := New(Config{URL: "https://hooks.lab.test", Secret: Secret{[]byte("key")}, Strangers: filepath.Join(t.TempDir(), "s.json"), Quiet: time.Hour, Transport: taken{}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range mostKeys {
			n.past["leak\x00"+strconv.Itoa(i)] = &past{at: time.Now().Add(time.Duration(i) * time.Second)}
		}
		n.tell(event{kind: Leak, key: "one more"})
		synctest.Wait()
		if len(n.past) != mostKeys || n.past["leak\x000"] != nil || n.past["leak\x00one more"] == nil {
			t.Errorf("%d are remembered, the oldest: %v", len(n.past), n.past["leak\x000"])
		}
		n.Close(t.Context())
	})
}

// What could not be told is told at the next occasion, with how often there was one, and not only when it has been quiet for long enough. Leaks leave room for alarms.
func TestNotifier_droppedIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := New(Config{URL: "https://hooks.lab.test", Secret: Secret{[]byte("key")}, Strangers: filepath.Join(t.TempDir(), "s.json"), Quiet: 24 * time.Hour, Transport: taken{}})
		if err != nil {
			t.Fatal(err)
		}
		n.hour, n.inHour = time.Now(), MostAnHour-Reserved
		for key, told := range map[Type]bool{Leak: false, Reload: true} {
			before := n.inHour
			if n.tell(event{kind: key, key: "x"}); (n.inHour > before) != told {
				t.Errorf("%s: %d in this hour, before: %d", key, n.inHour, before)
			}
		}
		time.Sleep(time.Hour)
		n.tell(event{kind: Leak, key: "x"})
		n.tell(event{kind: Reload, key: "x"})
		if n.inHour != 1 || n.past["leak\x00x"].missed != 0 {
			t.Errorf("an hour later %d were told; want the leak alone", n.inHour)
		}
		synctest.Wait()
		n.Close(t.Context())
	})
}

// The proxy of the environment may be the guard itself.
func TestNewSender_asks_no_proxy(t *testing.T) {
	s, err := newSender(Config{URL: "https://hooks.lab.test"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.close(t.Context())
	if own, ok := s.client.Transport.(*http.Transport); !ok || own.Proxy != nil {
		t.Errorf("got %#v", s.client.Transport)
	}
}
