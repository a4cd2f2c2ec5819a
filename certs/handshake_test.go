package certs_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/certs"
)

// What an issuing certificate with many names does to clients is told before it does, and curl (with OpenSSL) goes by the same limit.
func TestStatus_oversize(t *testing.T) {
	t.Parallel()
	for _, want := range []struct {
		names, widened int
		levels         []certs.Level
		curl           bool
	}{
		{1100, 0, nil, true},
		{1300, 0, []certs.Level{certs.LevelWarning}, true},
		{3200, 0, []certs.Level{certs.LevelWarning}, true},
		{4000, 0, []certs.Level{certs.LevelUrgent}, false},
		{500, 1, nil, true},
		{500, 2, []certs.Level{certs.LevelWarning}, true},
		{1500, 2, []certs.Level{certs.LevelUrgent}, false},
	} {
		t.Run(fmt.Sprint(want.names, " ", want.widened), func(t *testing.T) {
			t.Parallel()
			scope := []string{"example.com"}
			for i := range want.names {
				scope = append(scope, fmt.Sprintf("customer-number-%d.test", i))
			}
			dir := place(t)
			a := open(t, dir, scope...)
			for i := range want.widened {
				if _, err := a.Widen(certs.Scope{Names: []string{fmt.Sprintf("later-%d.test", i)}}); err != nil {
					t.Fatal(err)
				}
			}
			var levels []certs.Level
			for _, w := range a.Status(time.Now()).Warnings {
				levels = append(levels, w.Level)
				if !strings.HasPrefix(w.Text, fmt.Sprintf("%d names make ", want.names+want.widened+1)) || strings.Contains(w.Cure, "former.pem") != (want.widened > 0) {
					t.Error(w)
				}
			}
			if !slices.Equal(levels, want.levels) {
				t.Errorf("warnings of levels %v, want %v", levels, want.levels)
			}
			out, err := curlLeaf(t, a, filepath.Join(dir, "root.pem"))
			if (err == nil) != want.curl || err != nil && !strings.Contains(out, "excessive message size") {
				t.Errorf("curl: %v\n%s", err, out)
			}
		})
	}
}

// curlLeaf has curl ask a server with the authority's certificate for a host.
func curlLeaf(t *testing.T, a *certs.Authority, root string) (string, error) {
	t.Helper()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	leaf, err := a.Leaf("autodiscover.example.com")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return leaf, nil }}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	out, err := exec.CommandContext(t.Context(), curl, "--silent", "--show-error", "--noproxy", "*", "--cacert", root,
		"--connect-to", "::"+server.Listener.Addr().String(), "https://autodiscover.example.com/").CombinedOutput()
	return string(out), err
}
