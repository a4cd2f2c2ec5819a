package certs_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/certs"
)

func TestLeaf_profile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := open(t, place(t), "example.com", "example.net")
		leaf, err := a.Leaf("autodiscover.example.com")
		if err != nil {
			t.Fatal(err)
		}
		c := leaf.Leaf
		if diff := cmp.Diff([]string{"autodiscover.example.com"}, c.DNSNames); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
		if n := len(c.IPAddresses) + len(c.EmailAddresses) + len(c.URIs); n != 0 {
			t.Errorf("%d other names", n)
		}
		if c.Subject.String() != "CN=autodiscover.example.com" {
			t.Errorf("subject %q", c.Subject)
		}
		if c.IsCA || !c.BasicConstraintsValid || c.KeyUsage != x509.KeyUsageDigitalSignature ||
			!slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
			t.Errorf("CA %v, usage %b, %v", c.IsCA, c.KeyUsage, c.ExtKeyUsage)
		}
		if c.NotBefore != time.Now().UTC().Add(-24*time.Hour) || c.NotAfter != time.Now().UTC().Add(14*24*time.Hour) {
			t.Errorf("valid from %v to %v at %v", c.NotBefore, c.NotAfter, time.Now())
		}
		if n := c.SerialNumber; n.Sign() <= 0 || n.BitLen() > 127 {
			t.Errorf("serial number %v", n)
		}
		if string(c.AuthorityKeyId) != string(a.Issuing().SubjectKeyId) || len(c.SubjectKeyId) != 20 {
			t.Error("key identifiers do not fit")
		}
		if len(leaf.Certificate) != 2 || string(leaf.Certificate[0]) != string(c.Raw) ||
			string(leaf.Certificate[1]) != string(a.Issuing().Raw) {
			t.Error("chain is not leaf and issuing certificate")
		}
		if err := verify(a.Root(), leaf.Certificate, "autodiscover.example.com"); err != nil {
			t.Error(err)
		}
		if err := verify(a.Root(), leaf.Certificate, "www.autodiscover.example.com"); err == nil {
			t.Error("good for another name")
		}
	})
}

func TestLeaf_spellings(t *testing.T) {
	t.Parallel()
	a := open(t, place(t), "example.com", "test")
	want, err := a.Leaf("autodiscover.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"AUTODISCOVER.example.COM", "autodiscover.example.com.", "AutoDiscover.Example.Com."} {
		got, err := a.Leaf(name)
		if err != nil || got != want {
			t.Errorf("%q: %p, %v, want %p", name, got, err, want)
		}
	}
	for _, name := range []string{"example.com", "test", "my_host.test", "_dmarc.example.com", "a.b.c.d.test"} {
		leaf, err := a.Leaf(name)
		if err != nil {
			t.Errorf("%q: %v", name, err)
		} else if err := verify(a.Root(), leaf.Certificate, name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestLeaf_longName(t *testing.T) {
	t.Parallel()
	a := open(t, place(t), "example.com")
	for n, cn := range map[int]bool{64: true, 65: false, 253: false} {
		name := strings.TrimPrefix(deep(n-len(".example.com")), ".") + ".example.com"
		leaf, err := a.Leaf(name)
		if err != nil {
			t.Fatalf("%d bytes: %v", len(name), err)
		}
		if got := leaf.Leaf.Subject.CommonName != ""; got != cn {
			t.Errorf("%d bytes: common name %q", len(name), leaf.Leaf.Subject.CommonName)
		}
		for _, e := range leaf.Leaf.Extensions {
			if e.Id.String() == "2.5.29.17" && e.Critical == cn {
				t.Errorf("%d bytes: subjectAltName critical: %v", len(name), e.Critical)
			}
		}
		if err := verify(a.Root(), leaf.Certificate, name); err != nil {
			t.Errorf("%d bytes: %v", len(name), err)
		}
	}
}

// A leaf that ends with its issuer is made once, too: another would not get longer.
func TestLeaf_endsWithItsIssuer(t *testing.T) {
	t.Parallel()
	dir := place(t)
	ca, below := template("root"), template("issuing")
	ca.NotAfter = time.Now().Add(oneDay)
	below.NotAfter = ca.NotAfter
	root := issue(t, ca, nil)
	lay(t, dir, root, issue(t, below, root))
	a := open(t, dir, "example.com")
	first, err := a.Leaf("example.com")
	if err != nil || !first.Leaf.NotAfter.Equal(a.Root().NotAfter) {
		t.Fatalf("until %v, %v", first.Leaf.NotAfter, err)
	}
	if again, err := a.Leaf("example.com"); err != nil || again != first {
		t.Errorf("made anew: %v, %v", again != first, err)
	}
}

// Five hundred handshakes for one host at once make one leaf.
func TestLeaf_singleFlight(t *testing.T) {
	t.Parallel()
	a := open(t, place(t), "example.com")
	got := make([]*tls.Certificate, 500)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			<-start
			leaf, err := a.Leaf("autodiscover.example.com")
			if err != nil {
				t.Error(err)
			}
			got[i] = leaf
		})
	}
	close(start)
	wg.Wait()
	for _, leaf := range got {
		if leaf != got[0] {
			t.Fatal("more than one leaf was minted")
		}
	}
}

// The same when all of them find a stale leaf.
func TestLeaf_singleFlightWhenStale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := open(t, place(t), "example.com")
		old, err := a.Leaf("autodiscover.example.com")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(13 * 24 * time.Hour) // in the bubble: no time passes
		got := make([]*tls.Certificate, 200)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() { got[i], _ = a.Leaf("autodiscover.example.com") })
		}
		wg.Wait()
		for _, leaf := range got {
			if leaf == nil || leaf == old || leaf != got[0] {
				t.Fatalf("got %p, first %p, stale %p", leaf, got[0], old)
			}
		}
	})
}

func TestLeaf_remint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := open(t, place(t), "example.com")
		first, err := a.Leaf("example.com")
		if err != nil {
			t.Fatal(err)
		}
		life := time.Until(first.Leaf.NotAfter)
		time.Sleep(life*2/3 - time.Minute)
		if again, _ := a.Leaf("example.com"); again != first {
			t.Error("minted anew with more than a third of its life left")
		}
		time.Sleep(2 * time.Minute)
		second, err := a.Leaf("example.com")
		if err != nil || second == first {
			t.Fatalf("not minted anew with less than a third of its life left (%v)", err)
		}
		if err := verify(a.Root(), second.Certificate, "example.com"); err != nil {
			t.Error(err)
		}
		time.Sleep(365 * 24 * time.Hour) // long expired, and so is its issuer
		third, err := a.Leaf("example.com")
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(a.Root(), third.Certificate, "example.com"); err != nil {
			t.Error(err)
		}
	})
}

func TestLeaf_handshake(t *testing.T) {
	t.Parallel()
	a := open(t, place(t), "example.com")
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return a.Leaf(hello.ServerName) },
	})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer ln.Close()
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "hello")
			_ = conn.Close()
		}
	})
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(a.RootPEM()) {
		t.Fatal("RootPEM holds no certificate")
	}
	for name, good := range map[string]bool{"autodiscover.example.com": true, "www.example.net": false} {
		conn, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{RootCAs: roots, ServerName: name})
		if (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if text, err := io.ReadAll(conn); string(text) != "hello" {
				t.Errorf("%s: read %q, %v", name, text, err)
			}
			_ = conn.Close()
		}
	}
}

func TestLeaf_concurrently(t *testing.T) {
	t.Parallel()
	a := open(t, place(t), "example.com")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				name := string(rune('a'+(i+j)%26)) + ".example.com"
				if leaf, err := a.Leaf(name); err != nil || leaf.Leaf.DNSNames[0] != name {
					t.Errorf("%s: %v", name, err)
				}
				if i == 0 && j%10 == 0 {
					if err := a.Renew(); err != nil {
						t.Error(err)
					}
				}
				_, _, _, _ = a.Issuing(), a.RenewalErr(), a.Scope(), a.Fingerprint()
			}
		})
	}
	wg.Wait()
}

// What interception asks of an issuer.
var _ interface {
	Leaf(name string) (*tls.Certificate, error)
} = (*certs.Authority)(nil)
