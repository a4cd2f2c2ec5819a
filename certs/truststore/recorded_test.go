package truststore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/certs/truststore"
)

// TestSystem_recordedCommands plays the life of a root in the system stores of Linux. The update program is played by what it is documented
// to do: it makes the bundle of the anchors.
func TestSystem_recordedCommands(t *testing.T) {
	t.Parallel()
	for family, want := range map[string]struct {
		anchors, bundle, anchor string
		others                  []string
		ran                     []string
	}{
		"Fedora, RHEL": {
			"/etc/pki/ca-trust/source/anchors", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "NAME.pem",
			[]string{"/etc/ssl/certs/"},
			[]string{"update-ca-trust extract", "update-ca-trust extract"},
		},
		"Arch": {
			"/etc/ca-certificates/trust-source/anchors", "/etc/ca-certificates/extracted/tls-ca-bundle.pem", "NAME.crt",
			[]string{"/etc/ssl/certs/"},
			[]string{"update-ca-trust", "update-ca-trust"},
		},
		"SUSE": {
			"/etc/pki/trust/anchors", "/var/lib/ca-certificates/ca-bundle.pem", "NAME.pem",
			[]string{"/etc/ssl/certs/"},
			[]string{"update-ca-certificates", "update-ca-certificates"},
		},
		"Debian, Ubuntu": {
			"/usr/local/share/ca-certificates", "/etc/ssl/certs/ca-certificates.crt", "NAME.crt", nil,
			[]string{"update-ca-certificates", "openssl verify -no-CAfile -no-CAstore -CApath /etc/ssl/certs /root.pem", "update-ca-certificates --fresh"},
		},
	} {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			c := newComputer(t, "linux", true, append(want.others, want.anchors+"/", want.bundle)...)
			c.write(t, want.bundle, "# the distribution's\n")
			c.answer = func(command truststore.Command) ([]byte, error) {
				if command.Name == "openssl" {
					return []byte("root.pem: OK\n"), nil
				}
				return nil, c.bundle(want.anchors, want.bundle)
			}
			before := c.tree(t)
			r := only(t, c.stores.Install(t.Context(), truststore.System))
			if r.Status != truststore.Installed || r.Program != family || !r.Recorded || !strings.Contains(r.Verified, "SHA-256 compared") {
				t.Fatalf("got %+v", r)
			}
			if got := c.told(r.Did[0]); got != "write "+want.anchors+"/"+want.anchor {
				t.Errorf("did %q", got)
			}
			r = only(t, c.stores.Uninstall(t.Context(), truststore.System))
			if r.Status != truststore.Removed || !r.Exact {
				t.Errorf("got %+v", r)
			}
			if diff := cmp.Diff(before, c.tree(t)); diff != "" {
				t.Errorf("something has changed (-before +after):\n%s", diff)
			}
			var ran []string
			for _, line := range c.ran {
				if len(ran) == 0 || ran[len(ran)-1] != line || !strings.HasPrefix(line, "openssl") {
					ran = append(ran, line)
				}
			}
			if diff := cmp.Diff(want.ran, ran); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
		})
	}
}

// bundle makes the bundle of the distribution's certificates and the anchors.
func (c *computer) bundle(anchors, bundle string) error {
	text := "# the distribution's\n"
	entries, err := os.ReadDir(filepath.Join(c.root, anchors))
	if err != nil {
		return err
	}
	for _, e := range entries {
		anchor, err := os.ReadFile(filepath.Join(c.root, anchors, e.Name()))
		if err != nil {
			return err
		}
		text += string(anchor)
	}
	return os.WriteFile(filepath.Join(c.root, bundle), []byte(text), 0o644)
}

// TestSystem_asUser asks for the administrator, and runs nothing.
func TestSystem_asUser(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", false, "/usr/local/share/ca-certificates/", "/etc/ssl/certs/ca-certificates.crt")
	before := c.tree(t)
	r := only(t, c.stores.Install(t.Context(), truststore.System))
	if r.Status != truststore.NeedsAdmin || len(r.Did) != 2 || len(c.ran) != 0 || before != c.tree(t) {
		t.Errorf("got %+v, ran %q", r, c.ran)
	}
}

// TestSystem_updateFails puts back what was there.
func TestSystem_updateFails(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", true, "/usr/local/share/ca-certificates/", "/etc/ssl/certs/ca-certificates.crt")
	c.write(t, "/etc/ssl/certs/ca-certificates.crt", "# the distribution's\n")
	before := c.tree(t)
	for name, answer := range map[string]func(truststore.Command) ([]byte, error){
		"with an error": func(command truststore.Command) ([]byte, error) {
			if len(command.Args) > 0 { // --fresh, when it is undone
				return nil, nil
			}
			c.write(t, "/etc/ssl/certs/ca-certificates.crt", "half")
			return nil, failed(command, "no space left on device")
		},
		"without doing anything": func(truststore.Command) ([]byte, error) { return nil, nil },
	} {
		c.answer = answer
		r := only(t, c.stores.Install(t.Context(), truststore.System))
		if r.Status != truststore.Failed || !strings.HasSuffix(r.Note, "; everything is as it was") || r.Recorded {
			t.Errorf("%s: got %+v", name, r)
		}
		if diff := cmp.Diff(before, c.tree(t)); diff != "" {
			t.Errorf("%s: something has changed (-before +after):\n%s", name, diff)
		}
	}
}

// TestKeychain_recordedCommands is macOS. Not run there.
func TestKeychain_recordedCommands(t *testing.T) {
	t.Parallel()
	for store, want := range map[string][]string{
		truststore.User: {
			"security find-certificate -a -p /home/Library/Keychains/login.keychain-db",
			"security add-trusted-cert -r trustRoot -p ssl -k /home/Library/Keychains/login.keychain-db /root.pem",
			"security find-certificate -a -p /home/Library/Keychains/login.keychain-db",
			"security verify-cert -L -l -p ssl -c /root.pem",
			"security find-certificate -a -p /home/Library/Keychains/login.keychain-db",
			"security verify-cert -L -l -p ssl -c /root.pem",
			"security remove-trusted-cert /root.pem",
			"security delete-certificate -Z SHA1 /home/Library/Keychains/login.keychain-db",
			"security find-certificate -a -p /home/Library/Keychains/login.keychain-db",
		},
		truststore.System: {
			"security find-certificate -a -p /Library/Keychains/System.keychain",
			"security add-trusted-cert -d -r trustRoot -p ssl -k /Library/Keychains/System.keychain /root.pem",
			"security find-certificate -a -p /Library/Keychains/System.keychain",
			"security verify-cert -L -l -p ssl -c /root.pem",
			"security find-certificate -a -p /Library/Keychains/System.keychain",
			"security verify-cert -L -l -p ssl -c /root.pem",
			"security remove-trusted-cert -d /root.pem",
			"security delete-certificate -Z SHA1 /Library/Keychains/System.keychain",
			"security find-certificate -a -p /Library/Keychains/System.keychain",
		},
	} {
		c := newComputer(t, "darwin", true)
		present := false
		c.answer = func(command truststore.Command) ([]byte, error) {
			switch command.Args[0] {
			case "add-trusted-cert":
				present = true
			case "delete-certificate":
				present = false
			case "find-certificate":
				if present {
					return c.pem, nil
				}
			}
			return nil, nil
		}
		c.life(t, store, want)
	}
}

// life installs and uninstalls, and compares what was run.
func (c *computer) life(t *testing.T, store string, want []string) {
	t.Helper()
	if r := only(t, c.stores.Install(t.Context(), store)); r.Status != truststore.Installed {
		t.Errorf("%s: install: got %+v", store, r)
	}
	if r := only(t, c.stores.Uninstall(t.Context(), store)); r.Status != truststore.Removed {
		t.Errorf("%s: uninstall: got %+v", store, r)
	}
	var got []string
	for _, line := range c.ran {
		got = append(got, strings.ReplaceAll(line, sha1Hex(c.cert), "SHA1"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: commands (-want +got):\n%s", store, diff)
	}
}

// TestWindows_recordedCommands is Windows. Not run there.
func TestWindows_recordedCommands(t *testing.T) {
	t.Parallel()
	for store, scope := range map[string]string{truststore.User: "-user ", truststore.System: ""} {
		c := newComputer(t, "windows", true)
		present := false
		c.answer = func(command truststore.Command) ([]byte, error) {
			line := command.String()
			switch {
			case strings.Contains(line, "-addstore"):
				present = true
			case strings.Contains(line, "-delstore"):
				present = false
			case !present:
				return nil, failed(command, "CertUtil: -store command FAILED: 0x80090011 (-2146893807 NTE_NOT_FOUND)")
			}
			sum := strings.ToLower(sha1Hex(c.cert))
			return fmt.Appendf(nil, "Root \"Vertrauenswürdige Stammzertifizierungsstellen\"\r\nZertifikathash(sha1): %s %s\r\n", sum[:2], sum[2:]), nil
		}
		look := "certutil.exe " + scope + "-store Root SHA1"
		c.life(t, store, []string{
			look, "certutil.exe " + scope + "-addstore -f Root /root.pem", look,
			look, "certutil.exe " + scope + "-delstore Root SHA1", look,
		})
	}
}
