package truststore_test

import (
	"context"
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
			[]string{"update-ca-certificates", "openssl verify -no-CAfile -no-CAstore -CApath /etc/ssl/certs /copy.pem", "update-ca-certificates --fresh"},
		},
	} {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			c := newComputer(t, "linux", true, append(want.others, want.anchors+"/", want.bundle, "/etc/ssl/certs/a-file.pem")...)
			c.write(t, want.bundle, c.others)
			c.link(t, "/etc/ssl/certs/a-link.0", "old")
			openssl := func() ([]byte, error) { return []byte("root.pem: OK\n"), nil }
			c.answer = func(command truststore.Command) ([]byte, error) {
				if command.Name == "openssl" {
					return openssl()
				}
				if len(want.others) == 0 { // Debian's makes links of what lies beside the bundle
					for _, name := range []string{"a-file.pem", "a-link.0", "new.0"} {
						c.link(t, "/etc/ssl/certs/"+name, "new")
					}
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
			if len(want.others) == 0 {
				good := openssl
				for status, answers := range map[truststore.Status][]func() ([]byte, error){
					truststore.Present: {func() ([]byte, error) { return nil, &truststore.MissingError{Program: "openssl"} }},
					truststore.Absent: {
						func() ([]byte, error) {
							return nil, failed(truststore.Command{Name: "openssl"}, "unable to get local issuer certificate")
						},
						func() ([]byte, error) { return []byte("error 20"), nil },
					},
				} {
					for _, openssl = range answers {
						if r := only(t, c.stores.Verify(t.Context(), truststore.System)); r.Status != status {
							t.Errorf("want %v, got %+v", status, r)
						}
					}
				}
				openssl = good
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

// link makes a symbolic link, in the place of whatever is there.
func (c *computer) link(t *testing.T, name, to string) {
	t.Helper()
	path := filepath.Join(c.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(path)
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

// bundle makes the bundle of the distribution's certificates and the anchors.
func (c *computer) bundle(anchors, bundle string) error {
	var text strings.Builder
	text.WriteString(c.others)
	entries, err := os.ReadDir(filepath.Join(c.root, anchors))
	if err != nil {
		return err
	}
	for _, e := range entries {
		anchor, err := os.ReadFile(filepath.Join(c.root, anchors, e.Name()))
		if err != nil {
			return err
		}
		text.WriteString(string(anchor))
	}
	return os.WriteFile(filepath.Join(c.root, bundle), []byte(text.String()), 0o644)
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
	if r := only(t, c.stores.PlanUninstall(t.Context(), truststore.System)); r.Status != truststore.Absent || len(r.Did) != 0 {
		t.Errorf("nothing is there: got %+v", r)
	}
	c.write(t, "/usr/local/share/ca-certificates/"+c.stores.Name()+".crt", string(c.pem)) // and the bundle was not made yet
	before = c.tree(t)
	for _, reports := range [][]truststore.Report{c.stores.PlanUninstall(t.Context(), truststore.System), c.stores.Uninstall(t.Context(), truststore.System)} {
		if r := only(t, reports); r.Status != truststore.NeedsAdmin || len(r.Did) != 2 || len(c.ran) != 0 || before != c.tree(t) {
			t.Errorf("got %+v, ran %q", r, c.ran)
		}
	}
}

// TestSystem_takenOutByHand: what somebody else has taken out is done with, and can be installed again.
func TestSystem_takenOutByHand(t *testing.T) {
	t.Parallel()
	const anchors, bundle = "/etc/pki/ca-trust/source/anchors", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
	c := newComputer(t, "linux", true, anchors+"/", bundle)
	c.answer = func(truststore.Command) ([]byte, error) { return nil, c.bundle(anchors, bundle) }
	for range 2 {
		if r := only(t, c.stores.Install(t.Context(), truststore.System)); r.Status != truststore.Installed || !r.Recorded {
			t.Fatalf("got %+v", r)
		}
		if err := os.Remove(filepath.Join(c.root, anchors, c.stores.Name()+".pem")); err != nil {
			t.Fatal(err)
		}
		c.write(t, bundle, c.others)
		if r := only(t, c.stores.Uninstall(t.Context(), truststore.System)); r.Status != truststore.Absent || !strings.Contains(r.Note, "somebody else") {
			t.Errorf("got %+v", r)
		}
		if _, err := os.Stat(filepath.Join(c.root, "journal")); err == nil {
			t.Error("the journal is kept")
		}
	}
}

// TestSystem_updateFails puts back what was there, also where the program cannot, and where somebody has lost patience.
func TestSystem_updateFails(t *testing.T) {
	t.Parallel()
	const full, asItWas = "no space left on device", "; everything is as it was"
	for name, row := range map[string]struct {
		fails func(interrupt func(), undoes bool) error
		notes []string
	}{
		"with an error": {func(_ func(), undoes bool) error {
			if undoes {
				return nil
			}
			return failed(truststore.Command{Name: "update-ca-certificates"}, full)
		}, []string{full, asItWas}},
		"both times": {func(func(), bool) error {
			return failed(truststore.Command{Name: "update-ca-certificates"}, full)
		}, []string{full, "; and it could not be undone: "}},
		"interrupted": {func(interrupt func(), undoes bool) error {
			if undoes {
				return nil
			}
			interrupt()
			return context.Canceled
		}, []string{"canceled", asItWas}},
		"without doing anything": {func(func(), bool) error { return nil }, []string{"it was put there, but is not trusted", asItWas}},
	} {
		c := newComputer(t, "linux", true, "/usr/local/share/ca-certificates/", "/etc/ssl/certs/ca-certificates.crt")
		c.write(t, "/etc/ssl/certs/ca-certificates.crt", c.others)
		before := c.tree(t)
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		c.answer = func(command truststore.Command) ([]byte, error) {
			undoes := len(command.Args) > 0 // --fresh
			err := row.fails(interrupt, undoes)
			if err != nil {
				c.write(t, "/etc/ssl/certs/ca-certificates.crt", "half")
			}
			return nil, err
		}
		r := only(t, c.stores.Install(ctx, truststore.System))
		if r.Status != truststore.Failed || r.Recorded {
			t.Errorf("%s: got %+v", name, r)
		}
		for _, note := range row.notes {
			if !strings.Contains(r.Note, note) {
				t.Errorf("%s: got %q, want %q in it", name, r.Note, note)
			}
		}
		if diff := cmp.Diff([]string{"update-ca-certificates", "update-ca-certificates --fresh"}, c.ran); diff != "" {
			t.Errorf("%s: commands (-want +got):\n%s", name, diff)
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
			"security add-trusted-cert -r trustRoot -p ssl -k /home/Library/Keychains/login.keychain-db /copy.pem",
			"security find-certificate -a -p /home/Library/Keychains/login.keychain-db",
			"security verify-cert -L -l -p ssl -c /copy.pem",
			"security find-certificate -a -p /home/Library/Keychains/login.keychain-db",
			"security verify-cert -L -l -p ssl -c /copy.pem",
			"security remove-trusted-cert /copy.pem",
			"security delete-certificate -Z SHA1 /home/Library/Keychains/login.keychain-db",
			"security find-certificate -a -p /home/Library/Keychains/login.keychain-db",
		},
		truststore.System: {
			"security find-certificate -a -p /Library/Keychains/System.keychain",
			"security add-trusted-cert -d -r trustRoot -p ssl -k /Library/Keychains/System.keychain /copy.pem",
			"security find-certificate -a -p /Library/Keychains/System.keychain",
			"security verify-cert -L -l -p ssl -c /copy.pem",
			"security find-certificate -a -p /Library/Keychains/System.keychain",
			"security verify-cert -L -l -p ssl -c /copy.pem",
			"security remove-trusted-cert -d /copy.pem",
			"security delete-certificate -Z SHA1 /Library/Keychains/System.keychain",
			"security find-certificate -a -p /Library/Keychains/System.keychain",
		},
	} {
		c := newComputer(t, "darwin", true)
		present, trusted := false, true
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
			case "verify-cert":
				if !trusted {
					return nil, failed(command, "CSSMERR_TP_NOT_TRUSTED")
				}
			}
			return nil, nil
		}
		c.life(t, store, want)

		present, trusted, c.ran = true, false, nil
		if r := only(t, c.stores.Verify(t.Context(), store)); r.Status != truststore.Absent || !strings.Contains(r.Verified, "not trusted: CSSMERR_TP_NOT_TRUSTED") {
			t.Errorf("%s: got %+v", store, r)
		}
		if r := only(t, c.stores.Uninstall(t.Context(), store)); r.Status != truststore.Removed || strings.Contains(strings.Join(c.ran, ""), "remove-trusted-cert") {
			t.Errorf("%s: got %+v, ran %q", store, r, c.ran)
		}
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
		present, sum := false, strings.ToLower(sha1Hex(c.cert))
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
			return fmt.Appendf(nil, "Root \"Vertrauenswürdige Stammzertifizierungsstellen\"\r\nZertifikathash(sha1): %s %s\r\n", sum[:2], sum[2:]), nil
		}
		look := "certutil.exe " + scope + "-store Root SHA1"
		c.life(t, store, []string{
			look, "certutil.exe " + scope + "-addstore -f Root /copy.pem", look,
			look, "certutil.exe " + scope + "-delstore Root SHA1", look,
		})
		present, sum = true, sum[2:]+sum[:2]
		if r := only(t, c.stores.Verify(t.Context(), store)); r.Status != truststore.Absent {
			t.Errorf("%s: got %+v", store, r)
		}
	}
}
