package intercept

import (
	"errors"
	"strings"
	"testing"
)

// An alert in the clear is heard in however many pieces it comes, and behind whatever. Nothing else is taken for one.
func TestPlaintextAlert(t *testing.T) {
	const alert = "\x15\x03\x03\x00\x02\x02\x30" // fatal, unknown_ca
	badRecord := errors.New("local error: tls: bad record MAC")
	heard := func(err error, pieces ...string) string {
		f := plaintextAlert{inHandshake: true}
		for _, p := range pieces {
			f.note([]byte(p))
		}
		return f.explain(err).Error()
	}
	const want = "remote error: tls: unknown certificate authority"
	for _, before := range []string{"", "abc", strings.Repeat("x", 100)} {
		for at := range len(alert) + 1 {
			for to := at; to <= len(alert); to++ {
				if got := heard(badRecord, before+alert[:at], alert[at:to], "", alert[to:]); got != want {
					t.Errorf("behind %d bytes, in pieces of %d, %d and %d: got %q", len(before), at, to-at, len(alert)-to, got)
				}
			}
		}
	}
	for name, other := range map[string]string{
		"another record":     "\x17" + alert[1:],
		"no TLS":             "\x15\x02" + alert[2:],
		"a longer record":    alert[:3] + "\x01\x02\x02\x30",
		"an encrypted alert": alert[:4] + "\x13\x02\x30",
		"no level":           alert[:5] + "\x03\x30",
		"more behind it":     alert + "x",
	} {
		if got := heard(badRecord, other); got != badRecord.Error() {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if got := heard(errors.New("EOF"), alert); got != "EOF" {
		t.Errorf("another error: got %q", got)
	}
	silent := plaintextAlert{}
	silent.note([]byte(alert))
	if got := silent.explain(badRecord); !errors.Is(got, badRecord) {
		t.Errorf("behind the handshake: got %v", got)
	}
}
