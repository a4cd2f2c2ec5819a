package companion_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
)

// rootCertificate is that of a fresh authority.
func rootCertificate(t *testing.T) *x509.Certificate {
	t.Helper()
	a, err := certs.Open(t.TempDir(), certs.Scope{Names: []string{"example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a.Root()
}

// plist is what Python's plistlib reads.
type plist struct {
	PayloadType, PayloadUUID, PayloadIdentifier string
	PayloadContent                              []struct {
		PayloadType, PayloadUUID, PayloadIdentifier string
		PayloadContent                              []byte
		ProxyType, ProxyPACURL                      string
		ProxyPACFallbackAllowed                     bool
	}
}

const readPlist = `import base64, json, plistlib, sys
print(json.dumps(plistlib.loads(sys.stdin.buffer.read()), default=lambda b: base64.b64encode(b).decode()))`

func TestProfile(t *testing.T) {
	t.Parallel()
	need(t, "python3", "python3")
	root := rootCertificate(t)
	for _, c := range []struct {
		name, url string
		open      bool
		payloads  int
	}{
		{"root alone", "", false, 1},
		{"with a proxy", "http://guard.lab.test/proxy.pac?a=1&b=<2>", false, 2},
		{"with a proxy, fail-open", "http://guard.lab.test/proxy.pac", true, 2},
	} {
		profile := companion.Profile(root, c.url, c.open)
		cmd := exec.CommandContext(t.Context(), "python3", "-c", readPlist)
		cmd.Stdin = bytes.NewReader(profile)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var got plist
		if err := json.Unmarshal(out, &got); err != nil || len(got.PayloadContent) != c.payloads || got.PayloadType != "Configuration" {
			t.Fatalf("%s: %v %+v", c.name, err, got)
		}
		identifier := regexp.MustCompile(`^[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$`) // RFC 9562, section 5.8
		for _, uuid := range append([]string{got.PayloadUUID}, uuids(got)...) {
			if !identifier.MatchString(uuid) {
				t.Errorf("%s: %q is no UUID", c.name, uuid)
			}
		}
		first := got.PayloadContent[0]
		if first.PayloadType != "com.apple.security.root" || !bytes.Equal(first.PayloadContent, root.Raw) || first.PayloadUUID == got.PayloadUUID {
			t.Errorf("%s: %+v", c.name, first)
		}
		if c.payloads == 2 {
			p := got.PayloadContent[1]
			if p.PayloadType != "com.apple.proxy.http.global" || p.ProxyPACURL != c.url || p.ProxyPACFallbackAllowed != c.open || p.ProxyType != "Auto" {
				t.Errorf("%s: %+v", c.name, p)
			}
		}
		if !bytes.Equal(profile, companion.Profile(root, c.url, c.open)) {
			t.Errorf("%s: made again it is another one", c.name)
		}
		if strings.Contains(string(profile), "PRIVATE") {
			t.Errorf("%s: a key", c.name)
		}
	}
}

func uuids(p plist) (all []string) {
	for _, content := range p.PayloadContent {
		all = append(all, content.PayloadUUID)
	}
	return all
}

// libplist, which iTunes-like tools use, reads the profile too and finds the certificate.
func TestProfile_by_libplist(t *testing.T) {
	t.Parallel()
	need(t, "plistutil", "libplist-utils")
	root := rootCertificate(t)
	cmd := exec.CommandContext(t.Context(), "plistutil", "-i", "-", "-f", "xml")
	cmd.Stdin = bytes.NewReader(companion.Profile(root, "http://guard.lab.test/proxy.pac", true))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, data, _ := strings.Cut(string(out), "<data>")
	data, _, _ = strings.Cut(data, "</data>")
	block, _ := pem.Decode([]byte("-----BEGIN CERTIFICATE-----\n" + strings.ReplaceAll(strings.TrimSpace(data), "\t", "") + "\n-----END CERTIFICATE-----\n"))
	if block == nil || !bytes.Equal(block.Bytes, root.Raw) {
		t.Errorf("another certificate came out:\n%s", out)
	}
}
