package certs_test

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/certs"
)

// What a thief of the issuing key can do with it: nothing outside the scope. The certificates are forged with that key
// directly, past everything in this package, and shown to two verifiers that know nothing of it.

// names is the subjectAltName of a forged certificate, written byte by byte: the standard library would refuse to
// encode some of these.
type names struct {
	dns []string
	ip  []string
}

func (n names) extension(t *testing.T) pkix.Extension {
	t.Helper()
	var values []asn1.RawValue
	for _, name := range n.dns {
		values = append(values, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte(name)})
	}
	for _, ip := range n.ip {
		b := net.ParseIP(ip)
		if v4 := b.To4(); v4 != nil {
			b = v4
		}
		values = append(values, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 7, Bytes: b})
	}
	der, err := asn1.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: true, Value: der}
}

// forge returns the DER of a leaf with these names: the certificate may be one that Go does not even parse.
func forge(t *testing.T, thief *pair, n names, more ...func(*x509.Certificate)) []byte {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber:    big.NewInt(time.Now().UnixNano()),
		NotBefore:       time.Now().Add(-time.Minute),
		NotAfter:        time.Now().Add(time.Hour),
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtKeyUsage:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		SubjectKeyId:    []byte("forged"),
		ExtraExtensions: []pkix.Extension{n.extension(t)},
	}
	for _, f := range more {
		f(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, thief.cert, thief.key.Public(), thief.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// forgeries: the scopes are one domain, and the names of documentation and testing as they are built in.
var forgeries = map[string]struct {
	scope []string
	names names
	good  bool
}{
	"in scope":           {[]string{"example.com"}, names{dns: []string{"autodiscover.example.com"}}, true},
	"the name itself":    {[]string{"example.com"}, names{dns: []string{"example.com"}}, true},
	"a bank":             {[]string{"example.com"}, names{dns: []string{"www.bank.example.net"}}, false},
	"a bank with a dot":  {[]string{"example.com"}, names{dns: []string{"www.bank.example.net."}}, false},
	"mixed, bank second": {[]string{"example.com"}, names{dns: []string{"autodiscover.example.com", "www.bank.example.net"}}, false},
	"mixed with address": {[]string{"example.com"}, names{dns: []string{"autodiscover.example.com"}, ip: []string{"192.0.2.1"}}, false},
	"IPv4":               {[]string{"example.com"}, names{ip: []string{"192.0.2.1"}}, false},
	"IPv4 loopback":      {[]string{"example.com"}, names{ip: []string{"127.0.0.1"}}, false},
	"IPv6":               {[]string{"example.com"}, names{ip: []string{"2001:db8::1"}}, false},
	"look-alike":         {[]string{"example.com"}, names{dns: []string{"evilexample.com"}}, false},
	"name as a prefix":   {[]string{"example.com"}, names{dns: []string{"example.com.evil.net"}}, false},
	"wildcard outside":   {[]string{"example.com"}, names{dns: []string{"*.bank.example.net"}}, false},
	"wildcard above":     {[]string{"example.com"}, names{dns: []string{"*.com"}}, false},
	"the parent":         {[]string{"example.com"}, names{dns: []string{"com"}}, false},

	// With example.net in scope its hosts are in scope: that is what was asked for. The form with the dot is refused
	// even then, as a dNSName in a certificate never has one (RFC 5280, section 4.2.1.6, and RFC 1034, section 3.5).
	"built-in, in scope":          {builtIn, names{dns: []string{"www.bank.example.net"}}, true},
	"built-in, in scope with dot": {builtIn, names{dns: []string{"www.bank.example.net."}}, false},
	"built-in, single label":      {builtIn, names{dns: []string{"mail.lab.test"}}, true},
	"built-in, a bank":            {builtIn, names{dns: []string{"www.mybank.co.uk"}}, false},
	"built-in, look-alike":        {builtIn, names{dns: []string{"www.mybanktest"}}, false},
	"built-in, name as a prefix":  {builtIn, names{dns: []string{"test.mybank.com"}}, false},
	"built-in, address":           {builtIn, names{ip: []string{"10.0.0.1"}}, false},
}

var builtIn = []string{
	"example", "example.com", "example.net", "example.org", "invalid", "test", "localhost", "local", "internal",
	"home.arpa", "onion", "alt", "xn--kgbechtv", "xn--zckzah",
}

func TestConstraints_goVerifier(t *testing.T) {
	t.Parallel()
	for name, tt := range forgeries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := place(t)
			a := open(t, dir, tt.scope...)
			err := verify(a.Root(), [][]byte{forge(t, stolen(t, dir), tt.names), a.Issuing().Raw}, "")
			if tt.good != (err == nil) {
				t.Fatalf("verifies: %v", err)
			}
			if err != nil {
				wantConstraint(t, err)
			}
		})
	}
}

// wantConstraint wants the refusal to be for the name and nothing else. Go does not parse a name with a final dot.
func wantConstraint(t *testing.T, err error) {
	t.Helper()
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	if ok && invalid.Reason == x509.CANotAuthorizedForThisName {
		return
	}
	if !strings.Contains(err.Error(), "cannot parse dnsName") && !strings.Contains(err.Error(), "x509: SAN dNSName is malformed") {
		t.Errorf("refused for another reason: %v", err)
	}
}

func TestConstraints_otherAbuse(t *testing.T) {
	t.Parallel()
	dir := place(t)
	a := open(t, dir, "example.com")
	thief := stolen(t, dir)
	in := names{dns: []string{"autodiscover.example.com"}}

	der := forge(t, thief, in, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} })
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(a.Root())
	between.AddCert(a.Issuing())
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning, x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageClientAuth} {
		cert.ExtKeyUsage = []x509.ExtKeyUsage{usage}
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: cert.ExtKeyUsage}); err == nil {
			t.Errorf("usage %v: good", usage)
		}
	}

	// A third tier below the issuing certificate, to shake its constraints off.
	ca := template("below")
	ca.PermittedDNSDomains, ca.ExcludedIPRanges = nil, nil
	below := issue(t, ca, thief)
	chain := [][]byte{forge(t, below, names{dns: []string{"www.bank.example.net"}}), below.cert.Raw, a.Issuing().Raw}
	if err := verify(a.Root(), chain, ""); err == nil {
		t.Error("a CA below the issuing certificate is good")
	}

	// Names of other types are no server names: a client that asks for a host does not find it there.
	u, err := url.Parse("https://www.bank.example.net/")
	if err != nil {
		t.Fatal(err)
	}
	der = forge(t, thief, in, func(c *x509.Certificate) {
		c.ExtraExtensions, c.URIs, c.EmailAddresses = nil, []*url.URL{u}, []string{"www.bank.example.net"}
		c.Subject.CommonName = "www.bank.example.net"
	})
	if err := verify(a.Root(), [][]byte{der, a.Issuing().Raw}, "www.bank.example.net"); err == nil {
		t.Error("a common name is good as a server name")
	}
}

func TestConstraints_openssl(t *testing.T) {
	t.Parallel()
	openssl(t)
	for name, tt := range forgeries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := place(t)
			a := open(t, dir, tt.scope...)
			out, ok := opensslVerify(t, a, forge(t, stolen(t, dir), tt.names))
			if ok != tt.good {
				t.Fatalf("openssl verifies: %v\n%s", ok, out)
			}
			if !ok && !strings.Contains(out, "permitted subtree violation") && !strings.Contains(out, "excluded subtree violation") {
				t.Errorf("refused for another reason:\n%s", out)
			}
		})
	}
}

func TestLeaf_openssl(t *testing.T) {
	t.Parallel()
	openssl(t)
	for _, scope := range [][]string{{"example.com"}, builtIn} {
		a := open(t, place(t), scope...)
		leaf, err := a.Leaf("autodiscover.example.com")
		if err != nil {
			t.Fatal(err)
		}
		for _, more := range [][]string{
			{"-verify_hostname", "autodiscover.example.com", "-x509_strict"},
			{"-purpose", "sslserver"},
		} {
			if out, ok := opensslVerify(t, a, leaf.Certificate[0], more...); !ok {
				t.Errorf("%v:\n%s", more, out)
			}
		}
		if out, ok := opensslVerify(t, a, leaf.Certificate[0], "-verify_hostname", "www.example.com"); ok {
			t.Errorf("good for another name:\n%s", out)
		}
		if out, ok := opensslVerify(t, a, leaf.Certificate[0], "-purpose", "smimesign"); ok {
			t.Errorf("good for mail:\n%s", out)
		}
	}
}

func TestFingerprint_openssl(t *testing.T) {
	t.Parallel()
	openssl(t)
	a := open(t, place(t), "example.com")
	out, err := exec.CommandContext(t.Context(), "openssl", "x509", "-in", a.RootFile(), "-noout", "-fingerprint", "-sha256").Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, got, _ := strings.Cut(strings.TrimSpace(string(out)), "="); got != a.Fingerprint() {
		t.Errorf("openssl shows %s, we %s", got, a.Fingerprint())
	}
}

func openssl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed:", err)
	}
}

// opensslVerify shows a leaf to OpenSSL, which trusts the root and is given the issuing certificate as a server sends it.
func opensslVerify(t *testing.T, a *certs.Authority, leaf []byte, more ...string) (string, bool) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "root.pem"), a.RootPEM())
	write(t, filepath.Join(dir, "issuing.pem"), certPEM(a.Issuing()))
	write(t, filepath.Join(dir, "leaf.pem"), certPEM(&x509.Certificate{Raw: leaf}))
	args := append([]string{"verify", "-no-CApath", "-CAfile", "root.pem", "-untrusted", "issuing.pem"}, more...)
	cmd := exec.CommandContext(t.Context(), "openssl", append(args, "leaf.pem")...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}
