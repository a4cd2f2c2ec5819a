package intercept

import (
	"net"
	"strings"
	"testing"
)

// Where crypto/tls reads a name, so does helloName; of what is cut off it makes no other one.
func TestHelloName_asCryptoTLS(t *testing.T) {
	for _, name := range []string{"mail.lab.test", strings.Repeat("a.", 120) + "net", "192.0.2.1"} {
		greeting := []byte(hello(t, name))
		want := name
		if net.ParseIP(name) != nil { // which a client does not send (RFC 6066, section 3)
			want = ""
		}
		if got := helloName(greeting); got != want {
			t.Errorf("%q: got %q", name, got)
		}
		for n := range greeting {
			if got := helloName(greeting[:n]); got != "" && got != want {
				t.Errorf("%q, %d bytes: got %q", name, n, got)
			}
		}
	}
}

// What is no ClientHello names nobody.
func TestHelloName_others(t *testing.T) {
	greeting := hello(t, "mail.lab.test")
	for _, text := range []string{"", "\x16", "\x16\x03\x01\xff\xff", strings.Repeat("\x16\x03\x01\x00\x00", 1000), "SSH-2.0-x\r\n", strings.Replace(greeting, "\x16", "\x17", 1)} {
		if got := helloName([]byte(text)); got != "" {
			t.Errorf("%.20q: got %q", text, got)
		}
	}
}

func TestMeantBy(t *testing.T) {
	for name, want := range map[string]string{
		"mail.lab.test": "mail.lab.test", "mail.lab.test.": "mail.lab.test", " .mail.lab.test.. ": "mail.lab.test", "mail.lab.test:443": "mail.lab.test", "mail.lab.test.:": "mail.lab.test",
		"": "", ".": "", ":443": "", "2001:db8::1": "2001",
	} {
		if got := meantBy(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
