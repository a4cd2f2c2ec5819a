package companion_test

import (
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// inNamespace runs a script in a network namespace of its own, where nothing of this computer can be changed.
func inNamespace(t *testing.T, script string, arguments ...string) string {
	t.Helper()
	need(t, "nft", "nftables")
	need(t, "unshare", "util-linux")
	need(t, "ip", "iproute2")
	if out, err := exec.CommandContext(t.Context(), "unshare", "--net", "nft", "list", "ruleset").CombinedOutput(); err != nil {
		t.Skipf("no network namespace can be had: %v %s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "unshare", append([]string{"--net", "bash", "-c", script, "script"}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// nft is content with the table for clients and with that for this computer, loads each twice, and is not with a spoilt one. Nobody but the clients is meant.
func TestNftables_checked(t *testing.T) {
	t.Parallel()
	gateway, alone := facts(t), facts(t)
	alone.Clients = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	one := facts(t)
	one.Clients = one.Clients[:2]
	for name, f := range map[string]struct {
		file    string
		chain   string
		clients []string
	}{
		"gateway":       {write(t, "nftables", gateway), "forward", []string{"192.0.2.0/25", "2001:db8::/64"}},
		"one family":    {write(t, "nftables", one), "forward", []string{"192.0.2.0/25"}},
		"this computer": {write(t, "nftables", alone), "output", nil},
	} {
		out := inNamespace(t, `set -e; nft -c -f "$1"; nft -f "$1"; nft -f "$1"; nft list ruleset; echo 'nonsense {' >>"$1"; ! nft -c -f "$1" 2>/dev/null`, f.file)
		if strings.Count(out, "reject with tcp reset") != 2 || !strings.Contains(out, "hook "+f.chain) {
			t.Errorf("%s:\n%s", name, out)
		}
		if rules := strings.Count(out, "saddr @clients"); rules != 0 && len(f.clients) == 0 || rules != 2 && len(f.clients) > 0 {
			t.Errorf("%s: %d rules ask who it is:\n%s", name, rules, out)
		}
		for _, clients := range f.clients {
			if !strings.Contains(out, "elements = { "+clients+" }") {
				t.Errorf("%s: not about %s:\n%s", name, clients, out)
			}
		}
	}
}

// A program of this computer that guesses a mail server is refused at once at a stranger's address, and not at one of the operator's, nor at another
// port. All addresses are the namespace's own, and something listens at each: what is refused is refused by the table.
func TestNftables_refuses_strangers(t *testing.T) {
	t.Parallel()
	need(t, "python3", "python3")
	f := facts(t)
	f.Clients = nil
	text, err := os.ReadFile(write(t, "nftables", f))
	if err != nil {
		t.Fatal(err)
	}
	out := inNamespace(t, `
set -e
ip link set lo up
for a in 203.0.113.9/32 198.51.100.7/32 10.0.0.7/32 2001:db8::9/128 fd00::7/128; do ip address add $a dev lo; done
nft -f - <<<"$1"
exec python3 -c "$2"`, string(text), `
import socket
for port in 25, 443, 993:
    s = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    globals()["keep%d" % port] = s
for host in "203.0.113.9", "198.51.100.7", "10.0.0.7", "127.0.0.1", "2001:db8::9", "fd00::7":
    said = []
    for port in 25, 443, 993:
        try:
            socket.create_connection((host, port), 5).close()
            said.append("open")
        except ConnectionRefusedError:
            said.append("refused")
    print(host, *said)`)
	want := `203.0.113.9 refused open refused
198.51.100.7 open open open
10.0.0.7 open open open
127.0.0.1 open open open
2001:db8::9 refused open refused
fd00::7 open open open
`
	if out != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
}
