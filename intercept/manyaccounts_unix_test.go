//go:build unix

package intercept_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestEvent_manyAccounts: a question may be about as many accounts as fit, and each path of the answer may have as many parts. Compared one with another they would take
// the record minutes.
func TestEvent_manyAccounts(t *testing.T) {
	var users, values strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&users, "<Mailbox>u%d@lab.test</Mailbox>", i)
	}
	for range 40 {
		fmt.Fprintf(&values, "<Url>https://mail.lab.test/U19999%s</Url>", strings.Repeat("/a", 10_000))
	}
	answer := `<Autodiscover><Response><Account><Protocol>` + values.String() + `</Protocol></Account></Response></Autodiscover>`
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(rw, answer)
	})
	r := request(t, http.MethodPost, "http://imap.lab.test/autodiscover/autodiscover.xml", "<Autodiscover>"+strings.ReplaceAll(users.String(), "Mailbox>", "EMailAddress>")+"</Autodiscover>")
	began := processorTime(t)
	if got := send(t, w.client(false), r); got.body != answer {
		t.Fatalf("%s: %.80s", got.Status, got.body)
	}
	was := w.decision(1)["suggestions"].([]any)[0].(map[string]any)["was"].(string)
	if took := processorTime(t) - began; took > 20*time.Second || !strings.HasPrefix(was, "https://mail.lab.test/…/a/a/") {
		t.Errorf("after %v of a processor: %q", took, was)
	}
}

// processorTime is what this process has had of processors, which does not grow while it waits for one on a busy computer.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
