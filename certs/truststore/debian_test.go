package truststore_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"autodiscover-guard/certs/truststore"
)

// TestUninstall_debianKeystore: Debian's update puts the root into Java's keystore, and does not take it out again. Where the bytes of before are not put back,
// after a kill or another package's update, that is for us to do; what the store Java has put there is not.
func TestUninstall_debianKeystore(t *testing.T) {
	t.Parallel()
	const anchors, bundle, keystore = "/usr/local/share/ca-certificates", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/java/cacerts"
	c := newComputer(t, "linux", true, anchors+"/", bundle, keystore, "/usr/lib/jvm/java-17/bin/keytool")
	c.write(t, bundle, c.others)
	const theirs, byJava = "\xfe\xed\xfe\xed debian:other.pem ", "autodiscover-guard-by-keytool "
	c.write(t, keystore, theirs)
	c.answer = func(command truststore.Command) ([]byte, error) {
		switch alias := "debian:" + c.stores.Name() + ".pem "; {
		case command.Name == "openssl":
			return []byte(": OK\n"), nil
		case strings.HasSuffix(command.Name, "keytool"):
			if got, want := c.told(command.String()), "/usr/lib/jvm/java-17/bin/keytool -delete -keystore "+keystore+" -storepass changeit -J-Duser.language=en -alias debian:NAME.pem"; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			c.write(t, keystore, strings.ReplaceAll(c.read(t, keystore), alias, ""))
			return nil, nil
		case len(command.Args) == 0:
			c.write(t, keystore, c.read(t, keystore)+alias)
		}
		return nil, c.bundle(anchors, bundle)
	}
	if r := only(t, c.stores.Install(t.Context(), truststore.System)); r.Status != truststore.Installed {
		t.Fatalf("got %+v", r)
	}
	c.write(t, keystore, c.read(t, keystore)+byJava) // so that it has changed since
	r := only(t, c.stores.Uninstall(t.Context(), truststore.System))
	if r.Status != truststore.Removed || r.Exact || !strings.Contains(r.Note, "has changed since the installation") {
		t.Errorf("got %+v", r)
	}
	if got := c.read(t, keystore); got != theirs+byJava {
		t.Errorf("the keystore has %q", got)
	}
	if r := only(t, c.stores.Uninstall(t.Context(), truststore.System)); r.Status != truststore.Absent {
		t.Errorf("got %+v", r)
	}
	c.write(t, keystore, theirs+"debian:"+c.stores.Name()+".pem ")
	if r := only(t, c.stores.Verify(t.Context(), truststore.System)); r.Status != truststore.Absent || !strings.Contains(r.Verified, "but still in ") {
		t.Errorf("got %+v", r)
	}
	if err := os.Remove(filepath.Join(c.root, keystore)); err != nil {
		t.Fatal(err)
	}
	if r := only(t, c.stores.Verify(t.Context(), truststore.System)); r.Status != truststore.Absent || strings.Contains(r.Verified, "but still in ") {
		t.Errorf("got %+v", r)
	}
}
