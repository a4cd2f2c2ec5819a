package truststore_test

import (
	"encoding/pem"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"autodiscover-guard/certs/truststore"
)

// Certificates lie in a JKS keystore as they are: a runtime is started only for one that has the root's bytes, or that may be encrypted.
func TestJava_startsARuntimeForAReason(t *testing.T) {
	t.Parallel()
	const jks = "\xfe\xed\xfe\xed"
	for name, row := range map[string]struct {
		text         func(root string) string
		want         truststore.Status
		asks, listed bool
	}{
		"JKS without it":   {func(string) string { return jks + "other" }, truststore.Absent, false, false},
		"JKS with it":      {func(root string) string { return jks + "other" + root }, truststore.Present, true, true},
		"JKS, not its own": {func(root string) string { return jks + root }, truststore.Absent, true, false},
		"PKCS #12":         {func(string) string { return "\x30\x82" }, truststore.Present, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newComputer(t, "linux", false, "cacerts")
			c.write(t, "cacerts", row.text(string(c.cert.Raw)))
			c.stores.Places = map[string][]string{truststore.Java: {filepath.Join(c.root, "cacerts")}}
			c.answer = func(truststore.Command) ([]byte, error) {
				if !row.listed {
					return nil, nil
				}
				return slices.Concat([]byte("Alias name: NAME\n"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})), nil
			}
			if r := only(t, c.stores.Verify(t.Context(), truststore.Java)); r.Status != row.want || len(c.ran) != 0 != row.asks {
				t.Errorf("%+v after %q", r, c.ran)
			}
		})
	}
}

// What the password of a JKS keystore is shows when something is put there.
func TestJava_otherPassword(t *testing.T) {
	t.Parallel()
	c := newComputer(t, "linux", false, "cacerts")
	c.write(t, "cacerts", "\xfe\xed\xfe\xed")
	c.stores.Places = map[string][]string{truststore.Java: {filepath.Join(c.root, "cacerts")}}
	c.answer = func(command truststore.Command) ([]byte, error) {
		return nil, failed(command, "keytool error: java.io.IOException: Keystore was tampered with, or password was incorrect")
	}
	r := only(t, c.stores.Install(t.Context(), truststore.Java))
	if r.Status != truststore.Failed || !strings.HasPrefix(r.Note, "the keystore has another password than changeit") {
		t.Errorf("%+v", r)
	}
}

// Where JAVA_TOOL_OPTIONS is set, every runtime says so in standard error, and keytool complains in the other one.
func TestExec_saidInBoth(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh")
	}
	_, err := truststore.Exec(t.Context(), truststore.Command{Name: "sh", Args: []string{"-c", "echo Picked up >&2; echo password was incorrect; exit 1"}})
	if bad, ok := errors.AsType[*truststore.RunError](err); !ok || bad.Said != "Picked up password was incorrect" {
		t.Errorf("%v", err)
	}
}
