package certs_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// chromiumJudge has one headless browser, in a home of its own, open a page of ours that fetches from every site and reports what it got.
// Chromium on Linux trusts what the user's NSS database does, beside its own list.
func chromiumJudge(t *testing.T, roots []*x509.Certificate, sites []site) []verdict {
	t.Helper()
	home := t.TempDir()
	nssDatabase(t, filepath.Join(home, ".pki", "nssdb"), roots)
	reports := make(chan []bool, 1)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, chromiumPage, siteURLs(t, sites))
			return
		}
		var got []bool
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		select {
		case reports <- got:
		default:
		}
	}))
	defer page.Close()

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(
		ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-proxy-server", "--no-first-run", "--disable-component-update",
		"--disable-background-networking", "--disable-dev-shm-usage",
		"--host-resolver-rules=MAP * 127.0.0.1", "--user-data-dir="+filepath.Join(home, "profile"), page.URL,
	)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+filepath.Join(home, ".config"), "XDG_CACHE_HOME="+filepath.Join(home, ".cache"))
	var said strings.Builder
	cmd.Stderr = &said
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var got []bool
	select {
	case got = <-reports:
	case <-ctx.Done():
	}
	cancel()
	_ = cmd.Wait() // it says that it was killed
	if len(got) != len(sites) {
		t.Fatalf("%d reports for %d sites; chromium said:\n%s", len(got), len(sites), said.String())
	}
	var all []verdict
	for _, ok := range got {
		all = append(all, verdict{ok, "the page could fetch: " + strconv.FormatBool(ok)})
	}
	return all
}

const chromiumPage = `<!DOCTYPE html><title>verdicts</title><script>
(async () => {
	const got = [];
	for (const url of %s) {
		try { await fetch(url, {mode: "no-cors"}); got.push(true) } catch { got.push(false) }
	}
	await fetch("/", {method: "POST", body: JSON.stringify(got)});
})()
</script>`

func siteURLs(t *testing.T, sites []site) string {
	t.Helper()
	var urls []string
	for _, s := range sites {
		urls = append(urls, "https://"+net.JoinHostPort(s.ask, strconv.Itoa(s.port))+"/")
	}
	text, err := json.Marshal(urls)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
