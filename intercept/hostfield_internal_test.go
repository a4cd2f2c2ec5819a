package intercept

import "testing"

// TestHostField: what servers take for the Host field of a request that net/http turns down, and nothing that may have more behind it.
func TestHostField(t *testing.T) {
	for header, want := range map[string]string{
		"GET  / HTTP/1.1\r\nHost: lab.test:80\r\n\r\n":   "lab.test",
		"GET / HTTP/1.1\nhost:\tLAB.test.\n":             "LAB.test",
		"GET / HTTP/1.1\r\nHost \t: lab.test\r\n":        "lab.test",
		"GET / HTTP/1.1\r\nHost\r\nHOST: lab.test\r\n":   "lab.test",
		"GET / HTTP/1.1\r\nHost: lab.test":               "", // .example.net
		"GET / HTTP/1.1\r\nX-Host: a\r\nX: Host: b\r\n":  "",
		"GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test": "a.test",
		"": "",
	} {
		if got := hostField([]byte(header)); got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}
