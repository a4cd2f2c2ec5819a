package certs

import (
	"crypto/x509"
	"testing"
)

func TestConstraints_permit(t *testing.T) {
	t.Parallel()
	c := constraintsOf(&x509.Certificate{
		PermittedDNSDomains: []string{"Example.com", ".below.test", "test.arpa.", ""}, ExcludedDNSDomains: []string{"not.example.com", ".under.test.arpa"},
	})
	for name, want := range map[string]bool{
		"example.com": true, "a.example.com": true, "a.b.example.com": true, "*.example.com": true, "evilexample.com": false, "com": false, "example.com.net": false,
		"below.test": false, "a.below.test": true, "*.below.test": true, "evilbelow.test": false,
		"test.arpa": true, "not.example.com": false, "a.not.example.com": false, "under.test.arpa": true, "a.under.test.arpa": false,
		"stranger.net": false,
	} {
		if got := c.permit(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if (constraints{}).permit("example.com") || !constraintsOf(&x509.Certificate{}).permit("example.com") {
		t.Error("no constraints at all are not those of a certificate without any")
	}
}
