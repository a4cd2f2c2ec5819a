package certs_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"autodiscover-guard/certs"
)

// Every form of key and every container that CAs hand out.
func TestReadMaterial(t *testing.T) {
	t.Parallel()
	c := newCompany(t, untouched)
	ec, ok := c.issuing.key.(*ecdsa.PrivateKey)
	if !ok {
		t.Fatalf("key is a %T", c.issuing.key)
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	chain := slices.Concat(certPEM(c.issuing.cert), certPEM(c.policy.cert), certPEM(c.root.cert))
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}})
	modern, err := pkcs12.Modern.Encode(c.issuing.key, c.issuing.cert, []*x509.Certificate{c.policy.cert, c.root.cert}, "pass")
	if err != nil {
		t.Fatal(err)
	}
	legacy, err := pkcs12.LegacyDES.Encode(c.issuing.key, c.issuing.cert, []*x509.Certificate{c.policy.cert, c.root.cert}, "pass")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		data        []byte
		keys, certs int
	}{
		"PKCS #8":            {slices.Concat(keyPEM(t, c.issuing.key), chain), 1, 3},
		"SEC 1":              {slices.Concat(parameters, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}), chain), 1, 3},
		"PKCS #1":            {pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), 1, 0},
		"PKCS #12":           {modern, 1, 3},
		"PKCS #12 of old":    {legacy, 1, 3},
		"DER":                {c.root.cert.Raw, 0, 1},
		"text around blocks": {slices.Concat([]byte("Bag Attributes\n    friendlyName: x\n"), chain, []byte("\n\n")), 0, 3},
	} {
		m, err := certs.ReadMaterial(tt.data, "pass")
		if err != nil || len(m.Keys) != tt.keys || len(m.Certificates) != tt.certs {
			t.Errorf("%s: %d keys, %d certificates, %v", name, len(m.Keys), len(m.Certificates), err)
			continue
		}
		if tt.keys+tt.certs == 4 {
			if err := certs.Import(place(t), m); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := certs.ReadMaterial(modern, "wrong"); !errors.Is(err, certs.ErrPassword) {
		t.Errorf("wrong password: %v", err)
	}
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"empty":          {nil, "it is neither PEM, nor a certificate in DER, nor a PKCS #12 file"},
		"cut":            {chain[:100], "there is no whole PEM block in it"},
		"encrypted":      {pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}}), "the key is encrypted"},
		"encrypted, old": {pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"DEK-Info": "x"}, Bytes: []byte{1}}), "the key is encrypted"},
		"a request":      {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte{1}}), `reading the "CERTIFICATE REQUEST" block: it is neither`},
		"endless":        {make([]byte, 1<<20), "it is larger than"},
	} {
		if _, err := certs.ReadMaterial(tt.data, ""); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
}

// Of what looks like none of the forms, no parser's own words help.
func TestReadMaterial_text(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "jane:secret\n", "\x00"} {
		if _, err := certs.ReadMaterial([]byte(text), ""); err == nil || strings.Contains(err.Error(), "asn1") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What OpenSSL writes: an encrypted PKCS #12 in its two styles, and both traditional forms of keys.
func TestReadMaterial_openssl(t *testing.T) {
	t.Parallel()
	openssl(t)
	c := newCompany(t, untouched)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "key.pem"), keyPEM(t, c.issuing.key))
	write(t, filepath.Join(dir, "cert.pem"), certPEM(c.issuing.cert))
	write(t, filepath.Join(dir, "above.pem"), slices.Concat(certPEM(c.policy.cert), certPEM(c.root.cert)))
	export := []string{"pkcs12", "-export", "-inkey", "key.pem", "-in", "cert.pem", "-certfile", "above.pem", "-passout", "pass:secret", "-out", "out"}
	for name, args := range map[string][]string{
		"PKCS #12":        export,
		"PKCS #12, old":   append(slices.Clone(export), "-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"),
		"traditional key": {"ec", "-in", "key.pem", "-out", "out"},
	} {
		cmd := exec.CommandContext(t.Context(), "openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		m, err := certs.ReadMaterial(read(t, filepath.Join(dir, "out")), "secret")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(m.Certificates) == 0 {
			m.Certificates = c.material().Certificates
		}
		if err := certs.Import(place(t), m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
