package companion_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/rules"
)

// facts are of a policy that has something of every kind.
func facts(t *testing.T) companion.Facts {
	t.Helper()
	p, err := rules.New(rules.Config{Rules: []rules.Rule{
		{Name: "pin", Domains: []string{"corp.stranger.net", "*.corp.stranger.net"}, Allow: []string{"mail.corp.stranger.net"}},
		{Name: "lab", Domains: []string{"lab.example", "*.deep.example"}, Allow: []string{"mail.lab.example"}},
		{Name: "closed", Domains: []string{"closed.stranger.net", "*.all.stranger.net"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return companion.Facts{
		Policy: p, At: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Proxy: local, PACURL: "http://127.0.0.1:8081/proxy.pac", Root: rootCertificate(t),
		Clients: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("192.0.2.0/25"), netip.MustParsePrefix("2001:db8::/64")},
		Servers: []netip.Prefix{netip.MustParsePrefix("198.51.100.7/32")},
	}
}

// write makes a piece as a file.
func write(t *testing.T, name string, f companion.Facts) string {
	t.Helper()
	p, ok := companion.PieceNamed(name)
	if !ok {
		t.Fatalf("no piece %s", name)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, p.Write(f), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// passes runs a program that has to be content, and then with a file that was spoilt, so that the program is known to look.
func passes(t *testing.T, file string, command ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, "\n{ this is { no \"such thing\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err == nil {
		t.Errorf("%s is content with anything\n%s", strings.Join(command, " "), out)
	}
}

func TestPieces_are_whole(t *testing.T) {
	t.Parallel()
	names := companion.PieceNames()
	if !slices.IsSorted(names) || len(names) != 10 {
		t.Errorf("pieces %v", names)
	}
	f := facts(t)
	for _, p := range companion.Pieces() {
		first := string(p.Write(f))
		if p.About == "" || p.Where == "" || len(first) < 50 || first != string(p.Write(f)) {
			t.Errorf("%s: nothing about it, nothing in it, or made again it is another one", p.Name)
		}
		if strings.Contains(first, "PRIVATE") {
			t.Errorf("%s: a key", p.Name)
		}
		nameServer := p.Name == "bind" || p.Name == "dnsmasq" || p.Name == "unbound"
		if strings.Contains(first, "Not covered, because they cannot be listed: *.all.stranger.net\n") != nameServer {
			t.Errorf("%s: what it cannot do:\n%s", p.Name, first)
		}
		if policy := f.Policy.Revision(); strings.Contains(first, policy) != (nameServer || slices.Contains([]string{"nftables", "outlook", "pac", "systemd"}, p.Name)) {
			t.Errorf("%s: of which policy:\n%s", p.Name, first)
		}
		for _, c := range first {
			if c > '~' {
				t.Errorf("%s: %q is no ASCII", p.Name, c)
			}
		}
	}
}

func TestPieces_checked_by_their_programs(t *testing.T) {
	t.Parallel()
	f := facts(t)
	for _, c := range []struct {
		piece, program, debian string
		command                func(file string) []string
	}{
		{"dnsmasq", "dnsmasq", "dnsmasq-base", func(file string) []string { return []string{"dnsmasq", "--test", "--conf-file=" + file} }},
		{"unbound", "unbound-checkconf", "unbound", func(file string) []string { return []string{"unbound-checkconf", file} }},
		{"prometheus", "promtool", "prometheus", func(file string) []string { return []string{"promtool", "check", "rules", "--lint-fatal", file} }},
		{"bind", "named-checkzone", "bind9-utils", func(file string) []string { return []string{"named-checkzone", "rpz.autodiscover-guard", file} }},
	} {
		t.Run(c.piece, func(t *testing.T) {
			t.Parallel()
			need(t, c.program, c.debian)
			file := write(t, c.piece, f)
			passes(t, file, c.command(file)...)
		})
	}
	t.Run("prometheus, each alert", func(t *testing.T) {
		t.Parallel()
		need(t, "promtool", "prometheus")
		cases, err := os.ReadFile(filepath.Join("testdata", "alerts_test.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		rules := write(t, "prometheus", f)
		file := filepath.Join(filepath.Dir(rules), "cases.yaml")
		if err := os.WriteFile(file, bytes.ReplaceAll(cases, []byte("[alerts.yaml]"), []byte("[prometheus]")), 0o600); err != nil {
			t.Fatal(err)
		}
		passes(t, file, "promtool", "test", "rules", file)
	})
	t.Run("systemd", func(t *testing.T) {
		t.Parallel()
		need(t, "systemd-analyze", "systemd")
		dir := filepath.Join(t.TempDir(), "webmail.service.d")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		unit, dropIn := strings.TrimSuffix(dir, ".d"), filepath.Join(dir, "autodiscover-guard.conf")
		text, err := os.ReadFile(write(t, "systemd", f))
		if err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{unit: "[Service]\nExecStart=/bin/true\n", dropIn: string(text)} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", unit).CombinedOutput()
		if err != nil || strings.Contains(string(out), "autodiscover-guard.conf") {
			t.Errorf("%v\n%s", err, out)
		}
		if err := os.WriteFile(dropIn, append(text, "NoSuchKey=a\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, _ := exec.CommandContext(t.Context(), "systemd-analyze", "verify", unit).CombinedOutput(); !strings.Contains(string(out), "NoSuchKey") {
			t.Errorf("a spoilt drop-in was not noticed:\n%s", out)
		}
	})
}

// A service is told of the guard as its programs can reach it.
func TestSystemd_proxy(t *testing.T) {
	t.Parallel()
	piece, _ := companion.PieceNamed("systemd")
	for url, proxy := range map[string]companion.Proxy{
		"http://127.0.0.1:8080":       local,
		"https://guard.lab.test:8443": {Host: "guard.lab.test", Port: "8443", TLS: true},
		"http://[fe80::1%%eth0]:80":   {Host: "fe80::1%eth0", Port: "80"},
	} {
		f := facts(t)
		f.Proxy = proxy
		if got := string(piece.Write(f)); !strings.Contains(got, `Environment="http_proxy=`+url+`" "https_proxy=`+url+`" "HTTPS_PROXY=`+url+`"`+"\n") {
			t.Errorf("%s:\n%s", url, got)
		}
	}
}

const validatePolicies = `import json, sys, jsonschema
schema, policies = json.load(open(sys.argv[1])), json.load(sys.stdin)
unknown = set(policies["policies"]) - set(schema["properties"])
assert not unknown, unknown
for name, value in policies["policies"].items():
    part = dict(schema["properties"][name], definitions=schema.get("definitions", {}))
    assert set(value) <= set(part["properties"]), value
    jsonschema.validate(value, part)`

// Thunderbird's own schema of policies.json has nothing against it, and something against what is wrong.
func TestThunderbird_by_its_own_schema(t *testing.T) {
	t.Parallel()
	schema := filepath.Join(moduleFolder(t), "thunderbird", "modules", "policies", "policies-schema.json")
	if _, err := os.Stat(schema); err != nil {
		t.Skip("Thunderbird's schema is not there: .ci/run packages")
	}
	need(t, "python3", "python3")
	if exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", "import jsonschema").Run() != nil {
		t.Skip("jsonschema is not installed: apt-get install python3-jsonschema, or .ci/run packages")
	}
	p, _ := companion.PieceNamed("thunderbird")
	text := string(p.Write(facts(t)))
	validate := func(text string) error {
		cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", validatePolicies, schema)
		cmd.Stdin = strings.NewReader(text)
		return cmd.Run()
	}
	if err := validate(text); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	for _, spoilt := range []string{strings.Replace(text, "autoConfig\"", "automatic\"", 1), strings.Replace(text, "\"Install\"", "\"Instal\"", 1), strings.Replace(text, "true", "\"yes\"", 1)} {
		if spoilt == text || validate(spoilt) == nil {
			t.Errorf("not noticed:\n%s", spoilt)
		}
	}
	var read struct {
		Policies struct {
			Certificates struct{ Install []string }
			Proxy        struct{ Mode, AutoConfigURL string }
		}
	}
	if err := json.Unmarshal([]byte(text), &read); err != nil || read.Policies.Proxy.AutoConfigURL != facts(t).PACURL || len(read.Policies.Certificates.Install) != 1 {
		t.Errorf("%v %+v", err, read)
	}
}

// No program reads registry files outside Windows; the grammar is this test's.
func TestOutlook_grammar(t *testing.T) {
	t.Parallel()
	f := facts(t)
	f.PACURL = "http://guard.lab.test/a\"\r\n[HKEY_LOCAL_MACHINE\\x]"
	for i, f := range []companion.Facts{facts(t), f} {
		text, err := os.ReadFile(write(t, "outlook", f))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(text), "\r\n"), "\r\n")
		if lines[0] != "Windows Registry Editor Version 5.00" || lines[1] != "" {
			t.Errorf("begins with %q", lines[:2])
		}
		line := regexp.MustCompile(`^(|;.*|\[HKEY_CURRENT_USER(\\[A-Za-z0-9. ]+)+\]|"[A-Za-z0-9]+"=("[^"\\]*"|dword:[0-9a-f]{8}))$`)
		for _, l := range lines[2:] {
			if !line.MatchString(l) {
				t.Errorf("%d: %q is no line of a registry file", i, l)
			}
		}
	}
}
