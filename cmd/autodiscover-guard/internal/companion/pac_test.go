package companion_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/rules"
	"autodiscover-guard/rules/reserved"
)

var local = companion.Proxy{Host: "127.0.0.1", Port: "8080"}

func builtIn(t *testing.T) *rules.Policy {
	t.Helper()
	p, err := rules.New(rules.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wide is a policy that opens more than the built-in one.
func wide(t *testing.T) *rules.Policy {
	t.Helper()
	p, err := rules.New(rules.Config{
		Reserved: reserved.All(), Services: map[string]rules.Mode{"office365": rules.Enforce, "doh": rules.Enforce, "ispdb": rules.Off},
		Open:  []string{"autodiscover.hoster.net", "bücher.hoster.de", "mail.wiki.corp.stranger.net"},
		Close: []string{"wiki.corp.stranger.net", "bank.test"},
		Rules: []rules.Rule{{Name: "pin", Domains: []string{"corp.stranger.net"}, Allow: []string{"*.corp.stranger.net"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hostTable are hosts that somebody could get wrong, by hand, for every engine.
var hostTable = []string{
	"example.com", "EXAMPLE.com", "example.com.", "autodiscover.example.com", "a.b.c.example.org", "autoconfig.example.net", "user.test", "test",
	"lab.internal", "printer.local", "router.home.arpa", "1.0.0.10.in-addr.arpa", "xn--zckzah", "xn--fsqu00a.xn--0zwm56d", "hidden.onion",
	"prod.autodetect.outlook.cloud.microsoft", "autodetect.outlookmobile.com", "live.thunderbird.net", "v1.ispdb.net",
	"autodiscover.com", "Autodiscover.COM.", "autodiscover.co.uk", "autodiscover.com.br", "autodiscover.es", "autodiscover.xyz", "autodiscover.ck", "autodiscover.co.ck",

	"evilexample.com", "example.com.evil.net", "example.co", "xample.com", "notexample", "examples.com", "example-com.net", "mytest", "com", "net",
	"autodiscover", "autodiscover.", "autodiscover.shop.com", "autodiscover.corp", "xautodiscover.com", "autodiscover.com.evil.net", "autodiscover.github.io",
	"www.autodiscover.com", "outlook.office365.com", "login.microsoftonline.com", "outlook.cloud.microsoft", "outlookmobile.com", "mail.google.com",
	"thunderbird.net", "www.thunderbird.net", "xn--fsqu00a.com", "intranet", "fileserver", "constructor", "__proto__", "tostring.hasownproperty",
	"127.0.0.1", "10.0.0.1", "192.0.2.1", "8.8.8.8", "[::1]", "[2001:db8::1]",
}

// someHosts are hosts near the policy's own, in many spellings.
func someHosts(p *rules.Policy, n int) []string {
	random := rand.New(rand.NewPCG(3, 4))
	h := p.Hosts()
	labels := []string{"a", "www", "autodiscover", "example", "com", "test", "co", "uk", "xn--zckzah", "kobe", "jp", "net", "a1"}
	pick := func(list []string) string { return list[random.IntN(len(list))] }
	hosts := append([]string(nil), hostTable...)
	for len(hosts) < n {
		name := pick(append(h.Except, h.Below...))
		switch random.IntN(7) {
		case 0:
			name = pick(labels) + "." + name
		case 1:
			name = "evil" + name
		case 2:
			name += "." + pick(labels)
		case 3:
			name = "autodiscover." + pick(h.BackOff)
		case 4:
			name = "autodiscover." + pick(labels) + "." + pick(labels)
		case 5:
			name = pick(labels) + "." + pick(labels)
		}
		if random.IntN(4) == 0 {
			name = strings.ToUpper(name)
		}
		hosts = append(hosts, name+strings.Repeat(".", random.IntN(6)/5))
	}
	return hosts
}

// wanted is what the policy itself says of a host: the guard's result where it is opened or, as far as [rules.Hosts] lists it, shunned.
func wanted(p *rules.Policy, h rules.Hosts, host, guard string) string {
	_, listed := slices.BinarySearch(h.BackOff, strings.TrimPrefix(reserved.Canonical(host), "autodiscover."))
	if _, shun := p.Shun(host); p.Opens(host) || shun && listed {
		return guard
	}
	return "DIRECT"
}

// engine evaluates a PAC file for URLs, one a line, in a program that we did not write.
type engine struct {
	name    string
	command func(t *testing.T, file string) *exec.Cmd
}

// moduleFolder is where .ci/run puts what it takes from npm for tests.
func moduleFolder(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("AUTODISCOVER_GUARD_PARSERS"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	return filepath.Join(cache, "autodiscover-guard-tests")
}

func nodeEngine(name string, modules ...string) func(*testing.T, string) *exec.Cmd {
	return func(t *testing.T, file string) *exec.Cmd {
		t.Helper()
		need(t, "node", "nodejs")
		folder := filepath.Join(moduleFolder(t), "node_modules")
		for _, m := range modules {
			if _, err := os.Stat(filepath.Join(folder, filepath.FromSlash(m))); err != nil {
				t.Skipf("%s of npm is not installed: .ci/run packages", m)
			}
		}
		cmd := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "engines", "pac.js"), name, file)
		cmd.Env = append(os.Environ(), "NODE_PATH="+folder)
		return cmd
	}
}

// need skips a test where a program is missing.
func need(t *testing.T, program, debian string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed: apt-get install %s, or .ci/run packages", program, debian)
	}
}

var engines = []engine{
	{"V8 of node", nodeEngine("v8")},
	{"QuickJS in npm's pac-resolver", nodeEngine("quickjs", "pac-resolver", "@tootallnate/quickjs-emscripten")},
	{"SpiderMonkey 1.7 in pacparser", func(t *testing.T, file string) *exec.Cmd {
		t.Helper()
		need(t, "pactester", "libpacparser1")
		return exec.CommandContext(t.Context(), "pactester", "-p", file, "-f", "/dev/stdin")
	}},
}

// evaluate gives what an engine says of each host.
func (e engine) evaluate(t *testing.T, pac []byte, hosts []string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "proxy.pac")
	if err := os.WriteFile(file, pac, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := e.command(t, file)
	cmd.Stdin = strings.NewReader("https://" + strings.Join(hosts, "/\nhttps://") + "/\n")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != len(hosts) {
		t.Fatalf("%d results for %d hosts: %s", len(lines), len(hosts), stderr.String())
	}
	for i, line := range lines { // pactester writes the URL before the result
		if _, result, ok := strings.Cut(line, " : "); ok {
			lines[i] = result
		}
	}
	return lines
}

// For thousands of hosts every engine says the proxy exactly where the policy opens or shuns.
func TestPAC_says_what_the_policy_does(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy *rules.Policy
		proxy  companion.Proxy
		guard  string
	}{
		"built in":      {builtIn(t), local, "PROXY 127.0.0.1:8080"},
		"wide over TLS": {wide(t), companion.Proxy{Host: "proxy.lab.test", Port: "8443", TLS: true, Open: true}, "HTTPS proxy.lab.test:8443; DIRECT"},
	} {
		pac := companion.PAC(c.policy, c.proxy)
		hosts := someHosts(c.policy, 6000)
		want := make([]string, len(hosts))
		guarded, listed := 0, c.policy.Hosts()
		for i, host := range hosts {
			if want[i] = wanted(c.policy, listed, host, c.guard); want[i] == c.guard {
				guarded++
			}
		}
		if guarded < 1000 || guarded > 5000 {
			t.Fatalf("%d of %d hosts go to the guard: no test", guarded, len(hosts))
		}
		for _, e := range engines {
			t.Run(name+", "+e.name, func(t *testing.T) {
				t.Parallel()
				for i, got := range e.evaluate(t, pac, hosts) {
					if got != want[i] {
						t.Errorf("%s: got %s, want %s", hosts[i], got, want[i])
					}
				}
			})
		}
	}
}

func TestPAC_form(t *testing.T) {
	t.Parallel()
	one, err := rules.New(rules.Config{Close: []string{"bank.test"}})
	if err != nil {
		t.Fatal(err)
	}
	if pac := companion.PAC(one, local); !strings.Contains(string(pac), `var closed = "bank.test";`) {
		t.Errorf("one host is closed:\n%s", pac)
	}
	pac := companion.PAC(builtIn(t), companion.Proxy{Host: "guard.a-long-name.corp.example.net", Port: "8443", TLS: true, Open: true})
	if len(pac) >= 4096 {
		t.Errorf("%d bytes, want less than 4096", len(pac))
	}
	for line := range strings.Lines(string(pac)) {
		if len(line) > 130 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	for _, c := range pac {
		if c != '\n' && (c < ' ' || c > '~') {
			t.Errorf("byte %#x is no printable ASCII", c)
		}
	}
	for _, word := range []string{"dnsResolve", "isInNet", "myIpAddress", "shExpMatch", "RegExp", "let ", "const ", "=>", "/^"} {
		if strings.Contains(string(pac), word) {
			t.Errorf("%q is in it", word)
		}
	}
}

func TestPAC_is_ECMAScript_3(t *testing.T) {
	t.Parallel()
	e := engine{"acorn", nodeEngine("es3", "acorn")}
	file := filepath.Join(t.TempDir(), "proxy.pac")
	if err := os.WriteFile(file, companion.PAC(wide(t), local), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := e.command(t, file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A name that would end the text that it stands in does not.
func TestPAC_hostile_proxy(t *testing.T) {
	t.Parallel()
	pac := string(companion.PAC(builtIn(t), companion.Proxy{Host: "a\";alert(1)//\n", Port: "1"}))
	if strings.Contains(pac, `a";`) || !strings.Contains(pac, `var guard = "PROXY a;alert(1)//:1";`) {
		t.Error(pac[:300])
	}
}

func TestPAC_proxy_at_an_IPv6_address(t *testing.T) {
	t.Parallel()
	p := companion.Proxy{Host: "2001:db8::1", Port: "8080", Open: true}
	if pac := string(companion.PAC(builtIn(t), p)); !strings.Contains(pac, `var guard = "PROXY [2001:db8::1]:8080; DIRECT";`) {
		t.Error(pac[:300])
	}
}
