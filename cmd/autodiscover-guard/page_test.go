package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
)

// screenshots is where TestPage_in_Chromium leaves its pictures, for a person to look at; without it they are thrown away.
const screenshots = "AUTODISCOVER_GUARD_SCREENSHOTS"

// seenPage is what testdata/browser/page.js tells.
type seenPage struct {
	Requests, Problems                   []string
	Axe                                  map[string][]string
	Rules                                int
	Wide                                 map[string]int
	Appeared, Announced, Ago, Paused     string
	Skip, Skipped, Outline               string
	Opened, PlainDetail, PlainPause      bool
	Filtered, Before, After, None, Plain []string
	Address, Facts                       string
	Plots                                int
	AliveMS                              int64 // how long it took until the page has heard from the guard and shown it
}

// browser is the driver, ready to start.
func browser(t *testing.T, script, origin string) *exec.Cmd {
	t.Helper()
	var chromium string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		t.Skip("chromium is not installed: apt-get install chromium")
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed: apt-get install nodejs")
	}
	modules := os.Getenv("AUTODISCOVER_GUARD_PARSERS")
	if modules == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Skip("no place for npm packages: ", err)
		}
		modules = filepath.Join(cache, "autodiscover-guard-tests")
	}
	modules = filepath.Join(modules, "node_modules")
	for _, name := range []string{"puppeteer-core", "axe-core"} {
		if _, err := os.Stat(filepath.Join(modules, name)); err != nil {
			t.Skipf("npm's %s is not installed: .ci/run packages installs it", name)
		}
	}
	dir := os.Getenv(screenshots)
	if dir == "" {
		dir = t.TempDir()
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "browser", script), chromium, origin, dir)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	return cmd
}

// A person with a browser looks at the page of a running guard: a decision appears within a second (on a computer so busy that one question of the page's takes a
// tenth of that, within ten questions), filters and details work, by keyboard and
// without scripts, too; no fault of accessibility that axe calls serious; no request leaves the origin.
func TestPage_in_Chromium(t *testing.T) {
	service, err := lab.Start([]string{lab.AutoDetectHost}, lab.AutoDetect())
	must(err)
	defer service.Close()
	guard := newProcess(t, service)
	guard.start(t)
	for _, address := range []string{"user@lab.test", "jane@shop.com", "email@example.com", "anna@sub.example.org"} {
		if _, err := guard.ask(t.Context(), address); err != nil {
			t.Fatal(err)
		}
	}
	origin := "http://" + guard.said("admin")
	cmd := browser(t, "page.js", origin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	must(err)
	must(cmd.Start())
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	expect := func(want string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("%q, want %q\n%s", lines.Text(), want, stderr.String())
		}
	}
	expect("live")
	if _, err := guard.ask(t.Context(), "new@example.com"); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	expect("seen")
	took := time.Since(begun)
	var seen seenPage
	rest := ""
	for lines.Scan() {
		rest = lines.Text()
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	must(json.Unmarshal([]byte(rest), &seen))
	one := time.Duration(seen.AliveMS) * time.Millisecond
	t.Logf("a decision appears after %v; one question of the page's takes %v", took, one)
	if took > max(time.Second, 10*one) {
		t.Error("that is too late")
	}
	checkReached(t, &seen, origin)
	checkUsed(t, &seen, origin)
}

// checkReached checks who was asked, and what axe says.
func checkReached(t *testing.T, seen *seenPage, origin string) {
	t.Helper()
	for _, url := range seen.Requests {
		if !strings.HasPrefix(url, origin+"/") {
			t.Errorf("a request leaves the origin: %s", url)
		}
	}
	if len(seen.Requests) == 0 || !slices.ContainsFunc(seen.Requests, func(u string) bool { return strings.HasPrefix(u, origin+"/events?") }) {
		t.Errorf("requests were not heard: %v", seen.Requests)
	}
	if len(seen.Problems) > 0 {
		t.Errorf("the browser complains: %v", seen.Problems)
	}
	for _, name := range []string{"light", "dark", "narrow", "narrow-dark", "setup", "setup-dark"} {
		faults, ok := seen.Axe[name]
		if !ok || len(faults) > 0 {
			t.Errorf("axe, %s: %v %s", name, ok, strings.Join(faults, "\n"))
		}
		if seen.Wide[name] > 0 {
			t.Errorf("%s: wider than the window by %d px", name, seen.Wide[name])
		}
	}
	if seen.Rules < 20 {
		t.Errorf("axe passed %d rules, so it hardly looked", seen.Rules)
	}
}

// checkUsed checks what became of what was clicked and typed.
func checkUsed(t *testing.T, seen *seenPage, origin string) {
	t.Helper()
	for _, c := range []struct {
		what string
		ok   bool
		got  any
	}{
		{"the decision that appeared", strings.Contains(seen.Appeared, "example.com") && strings.Contains(seen.Appeared, "refuse"), seen.Appeared},
		{"announced", seen.Announced == "New decisions: 1 refuse", seen.Announced},
		{"relative time", strings.HasSuffix(seen.Ago, " s ago"), seen.Ago},
		{"pause", seen.Paused == "Paused", seen.Paused},
		{"the first stop is the skip link", seen.Skip == "skip" && seen.Skipped == "decisions", seen.Skip + " " + seen.Skipped},
		{"focus is visible", seen.Outline == "solid", seen.Outline},
		{"a detail opens by keyboard", seen.Opened, seen.Opened},
		{"filter", slices.Equal(seen.Filtered, []string{"example.com", "example.com"}), seen.Filtered},
		{"a view is an address", strings.HasPrefix(seen.Address, origin+"/?domain=example.com"), seen.Address},
		{"before", slices.Contains(seen.Before, "imapgms.jnet.sei.co.jp"), seen.Before},
		{"after", slices.Contains(seen.After, "nothing"), seen.After},
		{"the matched rule", strings.Contains(seen.Facts, "documentation, reserved by IETF, RFC 6761"), seen.Facts},
		{"nothing fits", len(seen.None) == 0, seen.None},
		{"filter without scripts", slices.Equal(seen.Plain, []string{"shop.com"}), seen.Plain},
		{"detail without scripts", seen.PlainDetail && seen.PlainPause, seen.PlainDetail},
		{"plots", seen.Plots >= 2, seen.Plots},
	} {
		if !c.ok {
			t.Errorf("%s: %v", c.what, c.got)
		}
	}
}
