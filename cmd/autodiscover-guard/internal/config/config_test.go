package config_test

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the expected messages in testdata/invalid")

// samePrefix has cmp compare ranges of addresses, whose fields are not exported.
var samePrefix = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

var services = config.KnownServices("autodetect", "ispdb", "office365")

// Each file in testdata/invalid is one way to be wrong, with the exact message beside it.
func TestParse_invalid(t *testing.T) {
	files, err := filepath.Glob("testdata/invalid/*.yaml")
	if err != nil || len(files) < 60 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := config.Parse("guard.yaml", data, services)
			if err == nil {
				t.Fatalf("no mistake was found; got %+v", c)
			}
			golden := strings.TrimSuffix(file, "yaml") + "txt"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if d := cmp.Diff(string(want), err.Error()+"\n"); d != "" {
				t.Errorf("message (-want +got):\n%s", d)
			}
			ordered(t, err)
		})
	}
}

func ordered(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*config.Error](err)
	if !ok || len(e.Problems) == 0 {
		t.Fatalf("got %T with no problems", err)
	}
	if !slices.IsSortedFunc(e.Problems, func(a, b config.Problem) int { return a.Line - b.Line }) {
		t.Errorf("problems are not in the order of the file:\n%v", e)
	}
	if p, ok := errors.AsType[config.Problem](err); !ok || p.Text == "" {
		t.Errorf("the problems cannot be reached one by one: %v", p)
	}
}

func TestParse_valid(t *testing.T) {
	everything := &config.Config{
		Listen: config.Listen{
			Proxy: "[::]:3128", Certificate: filepath.Join("testdata", "valid", "proxy.pem"), Key: filepath.Join("testdata", "valid", "keys", "proxy.key"),
			Transparent: "[::]:8443", TransparentBy: "tproxy",
			Admin: "[::1]:8082", AdminCertificate: filepath.Join("testdata", "valid", "admin.pem"), AdminKey: filepath.Join("testdata", "valid", "keys", "admin.key"),
			AdminTokenFile: filepath.Join("testdata", "valid", "admin.token"), AdminClients: filepath.Join("testdata", "valid", "admins.pem"),
			AdminURL:      "https://gateway.corp.example:8081",
			ProxyProtocol: []netip.Prefix{netip.MustParsePrefix("192.0.2.10/32"), netip.MustParsePrefix("2001:db8::/32")},
			Pprof:         true,
			Name:          "guard.xn--bcher-kva.example", PAC: config.PACOpen,
		},
		Clients: config.Clients{
			Allow:     []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")},
			Passwords: filepath.Join("testdata", "valid", "passwords"), Certificates: filepath.Join("testdata", "valid", "clients.pem"),
		},
		State: filepath.Join("testdata", "valid", "state"),
		Policy: config.Policy{
			Sets:     []string{"ietf", "vendor-documentation"},
			Services: map[string]config.Mode{"autodetect": config.Off, "ispdb": config.Enforce},
			Open:     []string{"autodiscover.hoster.example", "mail.xn--bcher-kva.example"},
			Close:    []string{"wiki.lab.test"},
			Rules: []rules.Rule{{
				Name: "lab", Domains: []string{"lab.test", "*.lab.test"}, Clients: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
				Services: []string{"autodetect"}, Dialects: []string{"autodetect", "pox"}, Allow: []string{"*.lab.test", "192.0.2.0/24"},
				Otherwise: rules.Rewrite, Answer: rules.AnswerLocal, Upstream: rules.AskNever, Mode: rules.Enforce,
				Servers: []dialect.Server{
					{Protocol: "imap", Host: "mail.lab.test"},
					{Protocol: "smtp", Host: "mail.lab.test", Port: 2525, Encryption: "starttls", Username: "%EMAILLOCALPART%", Auth: "OAuth2"},
					{Protocol: "ews", Host: "mail.lab.test", URL: "https://mail.lab.test/ews"},
				},
				Until: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Note: "Until the new server stands: 2026.",
			}},
			RuleLines: []int{32},
		},
		Upstream: config.Upstream{
			Resolve: map[string]string{
				"autodiscover.lab.test": "192.168.1.5", "prod.lab.test:443": "127.0.0.1:8443",
				"[2001:db8::1]:443": "::1", "2001:db8::2": "[::1]:8443",
			},
			Roots: filepath.Join("testdata", "valid", "roots", "lab.pem"),
			Proxy: "socks5://[2001:db8::5]:1080", ProxyCredentials: filepath.Join("testdata", "valid", "proxy-credentials"),
			NoProxy: []string{"lab.test", "10.0.0.0/8", "db.example:5432"},
			Private: config.Private{Ranges: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.168.1.5/32")}},
		},
		Limits: config.Limits{
			HeaderBytes: 32 << 10, Body: 4 << 20, Handshake: 5 * time.Second, Header: 500 * time.Millisecond, BodyTime: time.Minute,
			Idle: time.Hour, Dial: 90 * time.Second, Answer: 2 * time.Minute,
			Lifetime: 720 * time.Hour, Stall: 2 * time.Minute, Connections: 100, Tunnels: 50, PerClient: 5,
		},
		Log: config.Log{
			Decisions: "-", Level: "debug", Privacy: "hash", Sink: "journald", Repeat: config.Rate{Count: 100, Per: time.Minute},
			Rotate: config.Rotate{Size: 1 << 20, Every: 36 * time.Hour, Keep: 3, Age: 30 * 24 * time.Hour},
		},
		Notify: config.Notify{URL: "https://hooks.corp.example.net/guard?x=1", SecretFile: filepath.Join("testdata", "valid", "hook.secret"), Quiet: time.Hour},
	}
	for name, want := range map[string]*config.Config{
		"everything": everything, "remark": config.Default(), "empty-document": config.Default(),
		"empty-sections": config.Default(), "windows-editor": config.Default(),
	} {
		got, err := config.Load(filepath.Join("testdata", "valid", name+".yaml"), services)
		if d := cmp.Diff(want, got, samePrefix); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
}

func TestParse_size_of_the_file(t *testing.T) {
	remark := strings.Repeat("#", 1<<20)
	if _, err := config.Parse("guard.yaml", []byte(remark)); err != nil {
		t.Errorf("a MiB: %v", err)
	}
	_, err := config.Parse("guard.yaml", []byte(remark+"#"))
	if want := "guard.yaml: the file is larger than 1MiB; is this the right file?"; err == nil || err.Error() != want {
		t.Errorf("more: got %v, want %s", err, want)
	}
}

func TestParse_without_known_services_accepts_any(t *testing.T) {
	c, err := config.Parse("guard.yaml", []byte("policy: {services: {weather: off}}"))
	if err != nil || c.Policy.Services["weather"] != config.Off {
		t.Errorf("got %+v, %v", c, err)
	}
	if _, err := config.Parse("guard.yaml", []byte("policy: {services: {weather: off}}"), config.KnownServices()); err == nil {
		t.Error("a service was accepted where none is known")
	}
}

// A range of IPv4 addresses in the spelling of IPv6 is that of IPv4, which addresses are compared as. One that holds IPv6 addresses, too, stays.
func TestParse_mapped_ranges(t *testing.T) {
	c, err := config.Parse("guard.yaml", []byte(`
listen: {proxy_protocol: ["::ffff:192.0.2.10/128"]}
clients: {allow: ["::ffff:192.0.2.0/120", "::ffff:0:0/96", "::/64", "2001:db8::/32"]}
upstream: {proxy: "http://proxy.lab.test:3128", private: ["::ffff:10.0.0.0/104"], no_proxy: ["::ffff:10.0.0.0/104"]}
policy: {rules: [{name: pin, domains: [corp.example.net], clients: ["::ffff:10.1.0.0/112"], allow: [corp.example.net]}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		key  string
		got  any
		want string
	}{
		{"listen.proxy_protocol", c.Listen.ProxyProtocol, "[192.0.2.10/32]"},
		{"clients.allow", c.Clients.Allow, "[192.0.2.0/24 0.0.0.0/0 ::/64 2001:db8::/32]"},
		{"upstream.private", c.Upstream.Private.Ranges, "[10.0.0.0/8]"},
		{"upstream.no_proxy", c.Upstream.NoProxy, "[10.0.0.0/8]"},
		{"policy.rules.clients", c.Policy.Rules[0].Clients, "[10.1.0.0/16]"},
	} {
		if got := fmt.Sprint(r.got); got != r.want {
			t.Errorf("%s: got %s, want %s", r.key, got, r.want)
		}
	}
}

// The guard is known in every spelling of this computer.
func TestParse_parent_is_the_guard(t *testing.T) {
	for _, host := range []string{"LOCALHOST", "localhost.", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "127.0.0.1"} {
		text := `upstream: {proxy: "http://` + host + `:8080"}`
		if _, err := config.Parse("guard.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "is the guard itself, at listen.proxy") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A proxy beside the guard, and one at the same port of another computer, is not the guard.
func TestParse_other_parents(t *testing.T) {
	for _, text := range []string{
		`upstream: {proxy: "http://127.0.0.1:3128"}`,
		`{listen: {proxy: ":8080"}, clients: {allow: [10.0.0.0/8]}, upstream: {proxy: "http://10.0.0.5:8080"}}`,
		`{listen: {proxy: ":8080"}, clients: {allow: [10.0.0.0/8]}, upstream: {proxy: "http://proxy.lab.test:8080"}}`,
	} {
		if _, err := config.Parse("guard.yaml", []byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The files that the configuration names are all files: a new key is not to be forgotten.
func TestConfig_Files(t *testing.T) {
	c, err := config.Load(filepath.Join("testdata", "valid", "everything.yaml"), services)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"proxy.pem", "keys/proxy.key", "admin.pem", "keys/admin.key", "admin.token", "admins.pem", "passwords", "clients.pem", "roots/lab.pem",
		"proxy-credentials", "hook.secret",
	}
	for i, name := range want {
		want[i] = filepath.Join("testdata", "valid", filepath.FromSlash(name))
	}
	if d := cmp.Diff(want, c.Files()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := config.Default().Files(); got != nil {
		t.Errorf("got %q by default", got)
	}
}

func TestLoad_missing(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "guard.yaml"))
	if !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "reading the configuration: ") {
		t.Errorf("got %v", err)
	}
	if _, err := config.Load(t.TempDir()); err == nil {
		t.Error("a directory was read")
	}
}

func TestLoad_paths_begin_at_the_file(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "guard.yaml")
	if err := os.WriteFile(file, []byte("state: ../state\nupstream: {roots: a/b.pem}\nlog: {decisions: log/d.jsonl}"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(filepath.Dir(dir), "state")
	got, err := c.DecisionsFile()
	if c.State != state || c.Upstream.Roots != filepath.Join(dir, "a", "b.pem") || got != filepath.Join(state, "log", "d.jsonl") || err != nil {
		t.Errorf("got %+v, decisions in %s, %v", c, got, err)
	}
}

func TestDefault_belongs_to_the_caller(t *testing.T) {
	config.Default().Policy.Sets[0] = "changed"
	if got := config.Default().Policy.Sets; !slices.Equal(got, []string{"ietf", "icann", "idn-test"}) {
		t.Errorf("got sets %q", got)
	}
}

func TestConfig_Set(t *testing.T) {
	c := config.Default()
	for key, text := range map[string]string{
		"listen.proxy": "127.0.0.2:0", "state": "here", "log.level": "error", "limits.body": "2MiB", "limits.idle_timeout": "3m",
	} {
		if err := c.Set(key, text); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	want := config.Default()
	want.Listen.Proxy, want.State, want.Log.Level = "127.0.0.2:0", "here", "error"
	want.Limits.Body, want.Limits.Idle = 2<<20, 3*time.Minute
	if d := cmp.Diff(want, c, samePrefix); d != "" {
		t.Errorf("configuration (-want +got):\n%s", d)
	}
	for _, x := range []struct{ key, text, want string }{
		{"log.level", "warning", `log.level: "warning" is not a level; did you mean "warn"?`},
		{"policy.sets", "ietf", "policy.sets: no key with a single value"},
		{"listen", "x", "listen: no key with a single value"},
		{"nothing", "x", "nothing: no key with a single value"},
	} {
		if err := c.Set(x.key, x.text); err == nil || err.Error() != x.want {
			t.Errorf("got %v, want %s", err, x.want)
		}
	}
	if d := cmp.Diff(want, c, samePrefix); d != "" {
		t.Errorf("a refused value changed the configuration (-want +got):\n%s", d)
	}
}

func TestProblem_Error(t *testing.T) {
	p := config.Problem{Line: 7, Key: "policy.x", Text: "unknown key", Valid: []string{"open", "sets"}}
	if got, want := p.Error(), "line 7: policy.x: unknown key; valid here: open, sets"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestReference_is_the_default(t *testing.T) {
	text := config.Reference()
	got, err := config.Parse("guard.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(config.Default(), got, samePrefix); d != "" {
		t.Errorf("configuration (-want +got):\n%s", d)
	}
	for i, line := range strings.Split(text, "\n") {
		if len([]rune(line)) > 100 {
			t.Errorf("line %d is too long: %s", i+1, line)
		}
	}
}

// What the reference shows as an example has to work, and to differ from the default.
func TestReference_examples_work(t *testing.T) {
	lines := strings.Split(config.Reference(), "\n")
	shown := 0
	for i := 0; i+1 < len(lines); i++ {
		if _, sample, ok := strings.Cut(lines[i], "# For example: "); ok {
			indent := lines[i][:strings.Index(lines[i], "#")]
			lines[i+1] = indent + sample
			shown++
		}
	}
	got, err := config.Parse("guard.yaml", []byte(strings.Join(lines, "\n")), services)
	if err != nil || shown == 0 {
		t.Fatalf("%d examples: %v", shown, err)
	}
	if got.State == "" || got.Notify.URL == "" || got.Notify.SecretFile == "" || got.Upstream.Roots == "" || len(got.Policy.Open) == 0 || len(got.Policy.Services) == 0 || len(got.Upstream.Resolve) == 0 {
		t.Errorf("an example has no effect: %+v", got)
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	before, after := config.Default(), config.Default()
	if got := config.Changed(before, after); got != nil {
		t.Errorf("the same: %v", got)
	}
	after.Listen.Key, after.Clients.Passwords, after.Policy.Open, after.Limits.Dial = "another.key", "passwords", []string{"open.test"}, 7*time.Second
	if got, want := config.Changed(before, after), []string{"listen.key", "clients.passwords", "limits.dial_timeout"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
