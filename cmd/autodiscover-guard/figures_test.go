package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/cmd/autodiscover-guard/internal/lab"
	"autodiscover-guard/intercept"
)

const ourMetrics = "autodiscover_guard_"

// figuresToken opens the figures of the guard in which there is one series of each kind.
const figuresToken = "figures-token-of-the-lab-0123456789abcdef"

// figures are the metrics of a guard that has had to do with everything that they count: an exchange under a rule with an awkward name, a
// notification, a token.
func figures(t *testing.T) string {
	t.Helper()
	service, err := lab.Start([]string{lab.AutoDetectHost}, lab.AutoDetect())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Close() })
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(hook.Close)
	guard := newProcess(t, service)
	write(t, filepath.Join(guard.dir, "token"), figuresToken)
	write(t, filepath.Join(guard.dir, "hook.secret"), "a key for the webhook of this test\n")
	certificate, shown := selfSigned(t, "admin")
	write(t, filepath.Join(guard.dir, "admin.pem"), certificate)
	guard.addSettings(t, "listen: {admin_token_file: token, admin_certificate: admin.pem}\nnotify: {url: \""+hook.URL+"\", secret_file: hook.secret}\n"+
		"policy:\n  rules:\n    - {name: 'la\"b\\n→', domains: [example.com]}\n")
	guard.start(t)
	t.Cleanup(func() { guard.kill(t) })
	if _, err := guard.ask(t.Context(), "user@example.com"); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(shown.Leaf)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	// The notification is about the exchange, and sent behind it.
	deadline, tick := time.After(20*time.Second), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+guard.said("admin")+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+figuresToken)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s, %v", response.Status, err)
		}
		if strings.Contains(string(text), ourMetrics+"notifications_total{") && strings.Contains(string(text), ourMetrics+"decisions_total{") {
			return string(text)
		}
		select {
		case <-deadline:
			t.Fatalf("no notification was counted:\n%s", text)
		case <-tick.C:
		}
	}
}

// TestFigures holds the metrics of a running guard against the README, name by name and label by label, and lets Prometheus read them.
func TestFigures(t *testing.T) {
	t.Parallel()
	text := figures(t)
	served := servedFamilies(text)
	if d := cmp.Diff(documentedFamilies(t), served); d != "" {
		t.Errorf("metrics with their labels (-README +served):\n%s", d)
	}
	for name, words := range documentedWords(t) {
		if d := cmp.Diff(words, servedWords(text, name)); d != "" {
			t.Errorf("%s: words of its label (-README +served):\n%s", name, d)
		}
	}
	for name := range served {
		for _, about := range []string{"HELP", "TYPE"} {
			if n := strings.Count(text, "# "+about+" "+ourMetrics+name+" "); n != 1 {
				t.Errorf("%s: %d lines of %s", name, n, about)
			}
		}
	}
	if !strings.Contains(text, `rule="la\"b\\n→"`) {
		t.Errorf("the rule's name is not written as the format wants it:\n%s", text)
	}
	t.Run("alerts", func(t *testing.T) { alerts(t, served) })
	t.Run("promtool", func(t *testing.T) {
		cmd := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
		if cmd.Err != nil {
			t.Skip("promtool is not installed: ", cmd.Err)
		}
		cmd.Stdin = strings.NewReader(text)
		out, _ := cmd.CombinedOutput() // 3 is its exit code where it has something to say
		// A person who is to do something counts in days.
		said := strings.Replace(string(out), ourMetrics+"authority_expiry_days use base unit \"seconds\" instead of \"days\"\n", "", 1)
		if said != "" {
			t.Errorf("promtool says:\n%s", said)
		}
	})
}

// alerts compares the alerts for Prometheus with what is served, and with the README's table.
func alerts(t *testing.T, served map[string]string) {
	piece, err := pieceNamed("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	text := string(piece.Write(companion.Facts{}))
	for _, name := range regexp.MustCompile(ourMetrics+"([a-z_]+)").FindAllStringSubmatch(text, -1) {
		if _, ok := served[name[1]]; !ok {
			t.Errorf("there is no %s", name[0])
		}
	}
	var names, documented []string
	for _, found := range regexp.MustCompile(`(?m)^ +- alert: (\w+)$`).FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `(AutodiscoverGuard\\w+)`").FindAllStringSubmatch(document(t, "README.md"), -1) {
		documented = append(documented, row[1])
	}
	if d := cmp.Diff(documented, names); d != "" || len(names) == 0 {
		t.Errorf("alerts (-README +printed):\n%s", d)
	}
}

// Each figure is the one that its name says.
func TestFigures_values(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	s := intercept.Stats{
		Connections: 1, Tunnels: 2, Clients: 3, Quarantined: 4,
		RefusedClients: 11, RefusedConnections: 12, RefusedTunnels: 13, RefusedPerClient: 14, RetiredTunnels: 15, StalledConnections: 16, RefusedLogins: 17,
		RefusedHeaders: 18, RefusedQuarantine: 19, RefusedLoops: 20, RefusedAmbiguous: 21, FailedAccepts: 22, RefusedBodies: 23,
		Handshakes: map[string]int64{"done": 31}, UpstreamErrors: map[string]int64{"dns": 32},
	}
	writeNow(&b, s)
	writeSince(&b, s)
	got := map[string]string{}
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSpace(line)
		if name, ours := strings.CutPrefix(line, ourMetrics); ours {
			at := strings.LastIndexByte(name, ' ')
			got[name[:at]] = name[at+1:]
		}
	}
	if d := cmp.Diff(map[string]string{
		"connections": "1", "tunnels": "2", "clients": "3", "quarantined": "4",
		`refused_total{why="client not allowed"}`: "11", `refused_total{why="limits.connections"}`: "12", `refused_total{why="limits.tunnels"}`: "13",
		`refused_total{why="limits.per_client"}`: "14", `refused_total{why="limits.lifetime"}`: "15", `refused_total{why="limits.stall_timeout"}`: "16",
		`refused_total{why="no log-in"}`: "17", `refused_total{why="no PROXY header"}`: "18", `refused_total{why="quarantine"}`: "19", `refused_total{why="loop"}`: "20",
		`refused_total{why="ambiguous HTTP/1 request"}`: "21", "accept_failures_total": "22", `refused_total{why="limits.body"}`: "23",
		`handshakes_total{outcome="done"}`: "31", `upstream_errors_total{class="dns"}`: "32",
	}, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// servedFamilies are our own metrics of which there is a series, with the names of their labels.
func servedFamilies(text string) map[string]string {
	label := regexp.MustCompile(`[{,]([a-z_]+)="(?:[^"\\]|\\.)*"`)
	families := map[string]string{}
	for line := range strings.Lines(text) {
		line, own := strings.CutPrefix(line, ourMetrics)
		if !own {
			continue
		}
		var names []string
		for _, found := range label.FindAllStringSubmatch(line, -1) {
			names = append(names, found[1])
		}
		families[line[:strings.IndexAny(line, "{ ")]] = strings.Join(names, ",")
	}
	return families
}

// servedWords are the values of the only label of a metric, all of which are served from the start.
func servedWords(text, name string) []string {
	var words []string
	for _, found := range regexp.MustCompile("(?m)^"+ourMetrics+name+`{[a-z_]+="([^"]*)"} `).FindAllStringSubmatch(text, -1) {
		words = append(words, found[1])
	}
	slices.Sort(words)
	return words
}

// documentedTable is the README's table of metrics.
func documentedTable(t *testing.T) string {
	t.Helper()
	_, table, found := strings.Cut(document(t, "README.md"), "\n**Metrics** ")
	table, _, ends := strings.Cut(table, "\n**Alerts** for Prometheus")
	if !found || !ends {
		t.Fatal("the README has no table of metrics where this test looks for it")
	}
	return table
}

// documentedWords are the values of a metric's label, where the README lists them.
func documentedWords(t *testing.T) map[string][]string {
	t.Helper()
	metrics := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+){[a-z]+}` \\| (.*) \\|$").FindAllStringSubmatch(documentedTable(t), -1) {
		var words []string
		for _, word := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[2], -1) {
			words = append(words, word[1])
		}
		if words != nil {
			slices.Sort(words)
			metrics[row[1]] = words
		}
	}
	if len(metrics) < 5 {
		t.Fatalf("the README lists words of %v only", slices.Sorted(maps.Keys(metrics)))
	}
	return metrics
}

// documentedFamilies are those of the README's table.
func documentedFamilies(t *testing.T) map[string]string {
	t.Helper()
	table := documentedTable(t)
	families := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?) \\|").FindAllStringSubmatch(table, -1) {
		for _, name := range regexp.MustCompile("`([a-z_]+)(?:{([a-z_,]+)})?`").FindAllStringSubmatch(row[1], -1) {
			families[name[1]] = name[2]
		}
	}
	if len(families) < 10 {
		t.Fatalf("the README's table has only %v", slices.Sorted(maps.Keys(families)))
	}
	return families
}
