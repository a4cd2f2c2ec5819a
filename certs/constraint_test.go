package certs_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
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
// directly, past everything in this package, and shown to verifiers that know nothing of it.

// names is the subjectAltName of a forged certificate, written byte by byte: the standard library would refuse to
// encode some of these.
type names struct {
	cn  string
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
func forge(t *testing.T, thief *pair, pub crypto.PublicKey, n names, more ...func(*x509.Certificate)) []byte {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		NotBefore:    time.Now().Add(-time.Minute),
		NotAfter:     time.Now().Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		SubjectKeyId: []byte("forged"),
		Subject:      pkix.Name{CommonName: n.cn},
	}
	if len(n.dns)+len(n.ip) != 0 {
		c.ExtraExtensions = []pkix.Extension{n.extension(t)}
	}
	for _, f := range more {
		f(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, thief.cert, pub, thief.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// forgery is a certificate that a thief of the issuing key makes.
type forgery struct {
	what  string
	scope []string
	names names
	ask   string // what the client asks for; it is a name of the certificate
	good  bool   // in scope
	// never is a certificate that some verifiers refuse from an authority without any limits, too, for what it is.
	never bool
}

var (
	one = []string{"example.com"}

	forgeries = []forgery{
		{what: "name in scope", scope: one, names: names{dns: []string{"autodiscover.example.com"}}, ask: "autodiscover.example.com", good: true},
		{what: "the scope's own name", scope: one, names: names{dns: []string{"example.com"}}, ask: "example.com", good: true},
		{what: "wildcard in scope", scope: one, names: names{dns: []string{"*.example.com"}}, ask: "mail.example.com", good: true},
		{what: "name out of scope", scope: one, names: names{dns: []string{"www.bank.example.net"}}, ask: "www.bank.example.net"},
		{what: "name out of scope, final dot", scope: one, names: names{dns: []string{"www.bank.example.net."}}, ask: "www.bank.example.net", never: true},
		{what: "look-alike", scope: one, names: names{dns: []string{"evilexample.com"}}, ask: "evilexample.com"},
		{what: "scope as a prefix", scope: one, names: names{dns: []string{"example.com.evil.net"}}, ask: "example.com.evil.net"},
		{what: "the scope's parent", scope: one, names: names{dns: []string{"com"}}, ask: "com", never: true},
		{what: "mixed, asked for the good name", scope: one, names: names{dns: []string{"autodiscover.example.com", "www.bank.example.net"}}, ask: "autodiscover.example.com"},
		{what: "mixed, asked for the bad name", scope: one, names: names{dns: []string{"autodiscover.example.com", "www.bank.example.net"}}, ask: "www.bank.example.net"},
		{what: "mixed with an address", scope: one, names: names{dns: []string{"autodiscover.example.com"}, ip: []string{"127.0.0.1"}}, ask: "autodiscover.example.com"},
		{what: "wildcard out of scope", scope: one, names: names{dns: []string{"*.bank.example.net"}}, ask: "www.bank.example.net"},
		{what: "wildcard above the scope", scope: one, names: names{dns: []string{"*.com"}}, ask: "bank.com", never: true},
		{what: "wildcard above, asked for the scope", scope: one, names: names{dns: []string{"*.com"}}, ask: "example.com", never: true},
		{what: "common name only", scope: one, names: names{cn: "www.bank.example.net"}, ask: "www.bank.example.net", never: true},
		{what: "common name beside a good name", scope: one, names: names{cn: "www.bank.example.net", dns: []string{"autodiscover.example.com"}}, ask: "www.bank.example.net", never: true},
		{what: "IPv4 address", scope: one, names: names{ip: []string{"127.0.0.1"}}, ask: "127.0.0.1"},
		{what: "both kinds of address", scope: one, names: names{ip: []string{"127.0.0.1", "2001:db8::1"}}, ask: "127.0.0.1"},

		// With example.net in scope its hosts are in scope: that is what was asked for. The form with the dot is refused even then, as a
		// dNSName in a certificate never has one (RFC 5280, section 4.2.1.6, and RFC 1034, section 3.5).
		{what: "built-in: name in scope", scope: builtIn, names: names{dns: []string{"www.bank.example.net"}}, ask: "www.bank.example.net", good: true},
		{what: "built-in: below a single label", scope: builtIn, names: names{dns: []string{"mail.lab.test"}}, ask: "mail.lab.test", good: true},
		{what: "built-in: name out of scope", scope: builtIn, names: names{dns: []string{"www.mybank.co.uk"}}, ask: "www.mybank.co.uk"},
		{what: "built-in: look-alike", scope: builtIn, names: names{dns: []string{"www.mybanktest"}}, ask: "www.mybanktest", never: true},
		{what: "built-in: scope as a prefix", scope: builtIn, names: names{dns: []string{"test.mybank.com"}}, ask: "test.mybank.com"},
		{what: "built-in: address", scope: builtIn, names: names{ip: []string{"127.0.0.1"}}, ask: "127.0.0.1"},
	}
)

var builtIn = []string{
	"example", "example.com", "example.net", "example.org", "invalid", "test", "localhost", "local", "internal",
	"home.arpa", "onion", "alt", "xn--kgbechtv", "xn--zckzah",
}

// The table: every verifier refuses what is out of scope and accepts what is in it. And, so that a refusal cannot come from something else,
// the same certificates below an authority without limits are accepted.
func TestConstraints(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	free := freeAuthority(t)
	roots := []*x509.Certificate{free.root.cert}
	var sites []site // for each forgery one below the authority, and one below the unlimited one
	authorities := map[string]*certs.Authority{}
	for _, f := range forgeries {
		scope := strings.Join(f.scope, " ")
		if authorities[scope] == nil {
			authorities[scope] = open(t, place(t), f.scope...)
			roots = append(roots, authorities[scope].Root())
		}
		a := authorities[scope]
		chain := [][]byte{forge(t, stolen(t, a.Dir()), key.Public(), f.names), a.Issuing().Raw}
		unlimited := [][]byte{forge(t, free.issuing, key.Public(), f.names), free.issuing.cert.Raw}
		sites = append(sites, serveSite(t, f.ask, chain, key), serveSite(t, f.ask, unlimited, key))
		if !f.good && f.names.cn == "" {
			wantConstraint(t, chain, a.Root())
		}
	}
	results := newResults("certificate", "in scope")
	for _, v := range verifiers {
		t.Run(v.name, func(t *testing.T) {
			if why := v.missing(); why != "" {
				results.skip(v.name, why)
				t.Skip(why)
			}
			got := v.judge(t, roots, sites)
			for i, f := range forgeries {
				limited, unlimited := got[2*i], got[2*i+1]
				results.add(f.what, yes(f.good), v.name, limited.accepted)
				if limited.accepted != f.good {
					t.Errorf("%s, asked for %s: accepted %v\n%s", f.what, f.ask, limited.accepted, limited.why)
				}
				if !unlimited.accepted && !f.never {
					t.Errorf("%s: refused without any limit, so that its refusal proves nothing\n%s", f.what, unlimited.why)
				}
			}
			results.version(v.name, v.versionLine(t))
		})
	}
	t.Logf("as in the README:\n%s", results)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// freeAuthority is what most proxies have: a root and an issuing certificate without limits.
func freeAuthority(t *testing.T) company {
	t.Helper()
	root, issuing := template("root without limits"), template("issuing without limits")
	for _, c := range []*x509.Certificate{root, issuing} {
		c.PermittedDNSDomains, c.ExcludedIPRanges = nil, nil
	}
	var c company
	c.root = issue(t, root, nil)
	c.issuing = issue(t, issuing, c.root)
	return c
}

// While a root is followed by a wider one, nobody is cut off: clients with the former, the new, or both.
func TestOverlap(t *testing.T) {
	a := open(t, place(t), "example.com")
	former := a.Root()
	both := certs.Scope{Names: []string{"example.com", "lab.test"}}
	if _, err := a.Widen(both); err != nil {
		t.Fatal(err)
	}
	if err := a.Rescope(both); err != nil {
		t.Fatal(err)
	}
	var sites []site
	for _, name := range []string{"autodiscover.example.com", "mail.lab.test"} {
		leaf, err := a.Leaf(name)
		if err != nil {
			t.Fatal(err)
		}
		key, ok := leaf.PrivateKey.(crypto.Signer)
		if !ok {
			t.Fatalf("key is a %T", leaf.PrivateKey)
		}
		sites = append(sites, serveSite(t, name, leaf.Certificate, key))
	}
	results := newResults("client trusts", "name of")
	for _, v := range verifiers {
		t.Run(v.name, func(t *testing.T) {
			if why := v.missing(); why != "" {
				results.skip(v.name, why)
				t.Skip(why)
			}
			for _, tt := range []struct {
				trusts string
				roots  []*x509.Certificate
				wider  bool // names that only the new root has are accepted
			}{
				{"the former root", []*x509.Certificate{former}, false},
				{"the new root", []*x509.Certificate{a.Root()}, true},
				{"both", []*x509.Certificate{former, a.Root()}, true},
				{"both, the new one first", []*x509.Certificate{a.Root(), former}, true},
			} {
				if v.unordered && tt.roots[0].Equal(a.Root()) && len(tt.roots) == 2 {
					continue
				}
				got := v.judge(t, tt.roots, sites)
				results.add(tt.trusts, "the former root", v.name, got[0].accepted)
				results.add(tt.trusts, "the new root only", v.name, got[1].accepted)
				if !got[0].accepted {
					t.Errorf("trusting %s: a name of the former root is refused\n%s", tt.trusts, got[0].why)
				}
				if got[1].accepted != tt.wider {
					t.Errorf("trusting %s: a name of the new root: accepted %v\n%s", tt.trusts, got[1].accepted, got[1].why)
				}
			}
			results.version(v.name, v.versionLine(t))
		})
	}
	t.Logf("as in the README:\n%s", results)
}

// wantConstraint wants Go's refusal to be for the name and nothing else. Go does not parse a name with a final dot.
func wantConstraint(t *testing.T, chain [][]byte, root *x509.Certificate) {
	t.Helper()
	err := verify(root, chain, "")
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	if ok && invalid.Reason == x509.CANotAuthorizedForThisName {
		return
	}
	if err == nil || !strings.Contains(err.Error(), "cannot parse dnsName") && !strings.Contains(err.Error(), "x509: SAN dNSName is malformed") {
		t.Errorf("refused for another reason: %v", err)
	}
}

func TestConstraints_otherAbuse(t *testing.T) {
	t.Parallel()
	dir := place(t)
	a := open(t, dir, "example.com")
	thief := stolen(t, dir)
	in := names{dns: []string{"autodiscover.example.com"}}

	der := forge(t, thief, thief.key.Public(), in, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} })
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
	chain := [][]byte{forge(t, below, thief.key.Public(), names{dns: []string{"www.bank.example.net"}}), below.cert.Raw, a.Issuing().Raw}
	if err := verify(a.Root(), chain, ""); err == nil {
		t.Error("a CA below the issuing certificate is good")
	}

	// Names of other types are no server names: a client that asks for a host does not find it there.
	u, err := url.Parse("https://www.bank.example.net/")
	if err != nil {
		t.Fatal(err)
	}
	der = forge(t, thief, thief.key.Public(), in, func(c *x509.Certificate) {
		c.ExtraExtensions, c.URIs, c.EmailAddresses = nil, []*url.URL{u}, []string{"www.bank.example.net"}
		c.Subject.CommonName = "www.bank.example.net"
	})
	if err := verify(a.Root(), [][]byte{der, a.Issuing().Raw}, "www.bank.example.net"); err == nil {
		t.Error("a common name is good as a server name")
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
