package main

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"autodiscover-guard/certs/truststore"
)

// What the administrator is asked to run does what was asked for, though his home is another one and nobody has named him any place.
func TestTruster_asAdmin(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the paths are those of other systems")
	}
	home := filepath.Join("/home", "alice")
	for _, c := range []struct {
		places      map[string][]string
		store, path string
		want        string
	}{
		{nil, truststore.System, "/etc/ssl/certs", "--store system"},
		{nil, truststore.Policies, "/etc/firefox/policies/policies.json", "--store policies"},
		{nil, truststore.Java, "/etc/ssl/certs/java/cacerts", "--store java"},
		{nil, truststore.Java, home + "/.sdkman/candidates/java/21/lib/security/cacerts", "--keystore " + home + "/.sdkman/candidates/java/21/lib/security/cacerts"},
		{nil, truststore.NSS, home + "/.pki/nssdb", "--nss-database " + home + "/.pki/nssdb"},
		{nil, truststore.NSS, "/elsewhere/profile", "--nss-database /elsewhere/profile"},
		{map[string][]string{truststore.Java: {"/opt/app/cacerts"}}, truststore.Java, "/opt/app/cacerts", "--keystore /opt/app/cacerts"},
		{map[string][]string{truststore.Java: {"/opt/app/cacerts"}}, truststore.Policies, "/etc/firefox/policies/policies.json", "--store policies"},
		{map[string][]string{truststore.Policies: {"/opt/app/policies.json"}}, truststore.Policies, "/opt/app/policies.json", "--policies-file /opt/app/policies.json"},
	} {
		w := &truster{state: "/var/lib/guard", config: truststore.Config{Home: home, Places: c.places}}
		r := truststore.Report{Store: c.store, Path: c.path}
		if got := w.asAdmin("install", r); !strings.HasPrefix(got, "sudo ") || !strings.HasSuffix(got, " ca install "+c.want+" --state /var/lib/guard") {
			t.Errorf("%s %s: got %s", c.store, c.path, got)
		}
	}
}
