package gateway_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/cmd/autodiscover-guard/internal/gateway"
)

func plan(change func(*gateway.Plan)) gateway.Plan {
	p := gateway.Plan{
		Program: "/usr/local/bin/autodiscover-guard", User: "guard", Proxy: netip.MustParseAddrPort("[::]:8080"), Transparent: netip.MustParseAddrPort("[::]:8443"),
		Clients: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}, Ports: []uint16{80, 443}, Drain: 30 * time.Second, Descriptors: 4096,
	}
	change(&p)
	return p
}

// What cannot be meant, or would mean something else to whoever reads the file, is refused.
func TestPlan_refused(t *testing.T) {
	for name, change := range map[string]func(*gateway.Plan){
		"nothing":             func(p *gateway.Plan) { *p = gateway.Plan{} },
		"no program":          func(p *gateway.Plan) { p.Program = "" },
		"no user":             func(p *gateway.Plan) { p.User = "" },
		"no proxy":            func(p *gateway.Plan) { p.Proxy = netip.AddrPort{} },
		"no descriptors":      func(p *gateway.Plan) { p.Descriptors = 0 },
		"a negative drain":    func(p *gateway.Plan) { p.Drain = -time.Second },
		"root":                func(p *gateway.Plan) { p.User = "root" },
		"root by number":      func(p *gateway.Plan) { p.User = "0" },
		"a line in a path":    func(p *gateway.Plan) { p.Config = "/etc/a\nExecStartPre=/bin/evil" },
		"a specifier":         func(p *gateway.Plan) { p.State = "/srv/%i" },
		"a statement for nft": func(p *gateway.Plan) { p.User = "x return; accept" },
		"any port":            func(p *gateway.Plan) { p.Transparent = netip.MustParseAddrPort("[::]:0") },
	} {
		t.Run(name, func(t *testing.T) {
			if files, err := plan(change).Files(); err == nil {
				t.Errorf("got %d files", len(files))
			}
		})
	}
}

// A socket whose address comes later than it does not fail: the service requires it, and nobody would try it again.
func TestPlan_freeBind(t *testing.T) {
	files, err := plan(func(p *gateway.Plan) {
		p.Sockets, p.Transparent, p.Admin = true, netip.MustParseAddrPort("192.168.0.1:8443"), netip.MustParseAddrPort("[2001:db8::1]:8081")
	}).Files()
	if err != nil {
		t.Fatal(err)
	}
	sockets := 0
	for _, f := range files {
		if f.Part != "sockets" {
			continue
		}
		sockets++
		if free, all := strings.Contains(f.Text, "\nFreeBind=yes\n"), strings.Contains(f.Text, "-proxy.socket"); free == all {
			t.Errorf("got FreeBind %v in\n%s", free, f.Text)
		}
	}
	if sockets != 3 {
		t.Errorf("got %d sockets, want 3", sockets)
	}
}

// A guard that ends at once is planned like the others.
func TestPlan_noDrain(t *testing.T) {
	files, err := plan(func(p *gateway.Plan) { p.Drain = 0 }).Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Part == "service" && !strings.Contains(f.Text, "\nTimeoutStopSec=15s\n") {
			t.Errorf("got\n%s", f.Text)
		}
	}
}

// IPv6 is passed on where clients have it and the door serves it, and nowhere else: it costs the gateway what router advertisements tell it.
func TestPlan_forwarding(t *testing.T) {
	v6 := []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("2001:db8::/32")}
	for name, c := range map[string]struct {
		change func(*gateway.Plan)
		want   bool
	}{
		"both":               {func(p *gateway.Plan) { p.Clients = v6 }, true},
		"IPv4 clients":       {func(*gateway.Plan) {}, false},
		"and their own IPv6": {func(p *gateway.Plan) { p.Clients = append(p.Clients, netip.MustParsePrefix("::1/128")) }, false},
		"a door for IPv4":    {func(p *gateway.Plan) { p.Clients, p.Transparent = v6, netip.MustParseAddrPort("0.0.0.0:8443") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := plan(c.change).Files()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if f.Part != "sysctl" {
					continue
				}
				for _, line := range []string{"\nnet.ipv6.conf.all.forwarding = 1\n", "accept_ra"} {
					if got := strings.Contains(f.Text, line); got != c.want {
						t.Errorf("%q: got %v in\n%s", line, got, f.Text)
					}
				}
				if !strings.Contains(f.Text, "\nnet.ipv4.ip_forward = 1\n") {
					t.Errorf("got\n%s", f.Text)
				}
				return
			}
			t.Error("nothing is forwarded")
		})
	}
}

// Whatever the doors are, the guard's own connections are left alone before anything is redirected, and the service has no capability.
func TestPlan_neverALoop(t *testing.T) {
	for name, change := range map[string]func(*gateway.Plan){
		"redirect":    func(*gateway.Plan) {},
		"tproxy":      func(p *gateway.Plan) { p.TPROXY = true },
		"one address": func(p *gateway.Plan) { p.Transparent = netip.MustParseAddrPort("192.168.0.1:8443") },
		"own":         func(p *gateway.Plan) { p.Transparent = netip.MustParseAddrPort("127.0.0.1:8443"); p.Clients = nil },
		"low port":    func(p *gateway.Plan) { p.Proxy = netip.MustParseAddrPort("[::]:443") },
	} {
		t.Run(name, func(t *testing.T) {
			files, err := plan(change).Files()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if !strings.HasPrefix(f.Text, "# "+f.Path+"\n") || strings.Contains(f.Text, "<no value>") {
					t.Errorf("%s: does not say where it goes, or is not whole:\n%s", f.Path, f.Text)
				}
				switch f.Part {
				case "nftables":
					_, output, _ := strings.Cut(f.Text, "chain output {")
					own, send := strings.Index(output, "meta skuid guard return"), max(strings.Index(output, "jump to_guard"), strings.Index(output, "mark set"))
					if own < 0 || send < 0 || own > send {
						t.Errorf("the guard's own connections are redirected:\n%s", f.Text)
					}
				case "service":
					if !strings.Contains(f.Text, "\nCapabilityBoundingSet=\n") || strings.Contains(f.Text, "AmbientCapabilities") {
						t.Errorf("the service has a capability:\n%s", f.Text)
					}
				}
			}
		})
	}
}

// What the plan says stands in the files, where it is read.
func TestPlan_says(t *testing.T) {
	private := "elements = { 10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16 }; }\n"
	anew := "table inet autodiscover_guard\ndelete table inet autodiscover_guard\ntable inet autodiscover_guard {\n"
	local := "fib daddr type { local, broadcast, multicast } return\n"
	goesBy, sent := "ip daddr @private4 ip daddr != @dialled4 return\n", "ip saddr @clients4 tcp dport { 80, 443 } "
	for name, c := range map[string]struct {
		change    func(*gateway.Plan)
		part      string
		want, not []string // want in this order
	}{
		"a configuration": {func(p *gateway.Plan) { p.Config = "/etc/guard+1@lab_é.yaml" }, "service", []string{
			"--print\" from /etc/guard+1@lab_é.yaml; print it again", "\nExecStart=/usr/local/bin/autodiscover-guard run --config /etc/guard+1@lab_é.yaml\n",
		}, nil},
		"none":              {func(*gateway.Plan) {}, "service", []string{"--print\"; print it again", "\nUser=guard\n", "\nLimitCORE=0\nUMask=0077\nStateDirectory=autodiscover-guard\nStateDirectoryMode=0700\n\n"}, []string{"--config", "Sockets="}},
		"systemd's state":   {func(p *gateway.Plan) { p.Writable = []string{"/srv/a", "/srv/b"} }, "service", []string{"\nStateDirectoryMode=0700\nReadWritePaths=/srv/a /srv/b\n"}, nil},
		"a state":           {func(p *gateway.Plan) { p.State, p.Writable = "/srv/s", []string{"/srv/a"} }, "service", []string{"\nReadWritePaths=/srv/s /srv/a\nEnvironment=HOME=/srv/s\n"}, []string{"StateDirectory"}},
		"a user":            {func(*gateway.Plan) {}, "user", []string{"\nu guard - \"autodiscover-guard\" /var/lib/autodiscover-guard\n"}, nil},
		"a port for anyone": {func(p *gateway.Plan) { p.Proxy = netip.MustParseAddrPort("[::]:1024") }, "service", nil, []string{"Sockets="}},
		"a port for some":   {func(p *gateway.Plan) { p.Proxy = netip.MustParseAddrPort("[::]:1023") }, "service", []string{"\nSockets=autodiscover-guard-proxy.socket\n"}, nil},
		"private ranges": {func(p *gateway.Plan) {
			p.Private = []netip.Prefix{netip.MustParsePrefix("192.168.7.0/24"), netip.MustParsePrefix("fd00::/64")}
		}, "nftables", []string{
			anew, "set private4 { type ipv4_addr; flags interval; auto-merge; " + private, "set dialled4 { type ipv4_addr; flags interval; auto-merge; elements = { 192.168.7.0/24 }; }\n",
			"elements = { fc00::/7, fe80::/10 }; }\n", "elements = { fd00::/64 }; }\n", "\tchain to_guard {\n", goesBy, sent + "redirect to :8443\n", "\tchain prerouting {\n", local,
			"\tchain output {\n", local, "\tchain http3 {\n", goesBy, "\tchain http3_output {\n", local,
		}, nil},
		"and with tproxy": {func(p *gateway.Plan) { p.TPROXY = true }, "nftables", []string{
			anew, "set private4 { type ipv4_addr; flags interval; auto-merge; " + private, "set dialled4 { type ipv4_addr; flags interval; auto-merge; }\n",
			"\tchain prerouting {\n", "tcp socket transparent 1 socket wildcard 0 meta mark set 0xad accept\n", local, goesBy, sent + "tproxy ip to :8443 meta mark set 0xad accept\n", "\tchain output {\n", "meta skuid guard return\n", local, goesBy, sent + "meta mark set 0xad\n",
		}, nil},
		"all dialled":               {func(p *gateway.Plan) { p.AllPrivate = true }, "nftables", []string{"\tchain to_guard {\n", sent}, []string{"private4", "dialled"}},
		"a door from inside":        {func(p *gateway.Plan) { p.Transparent = netip.MustParseAddrPort("127.0.0.1:8443") }, "nftables", []string{"dnat ip to 127.0.0.1:8443\n"}, []string{"chain prerouting", "http3_forward"}},
		"clients from inside":       {func(p *gateway.Plan) { p.Clients = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }, "nftables", []string{sent}, []string{"chain prerouting", "http3_forward"}},
		"tproxy's network":          {func(p *gateway.Plan) { p.TPROXY = true }, "network", []string{"\nExecStart=nft -f /etc/autodiscover-guard.nft\n", "\nExecStart=ip -4 route replace", "\nExecStart=ip -6 route replace"}, nil},
		"the network of a redirect": {func(*gateway.Plan) {}, "network", []string{"\nExecStart=nft -f /etc/autodiscover-guard.nft\n"}, []string{"fwmark"}},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := plan(c.change).Files()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if f.Part != c.part {
					continue
				}
				rest := f.Text
				for _, want := range c.want {
					_, after, ok := strings.Cut(rest, want)
					if !ok {
						t.Fatalf("%q is not there, or not in its place, in\n%s", want, f.Text)
					}
					rest = want[len(want)-1:] + after // lines that follow each other share a newline
				}
				for _, not := range c.not {
					if strings.Contains(f.Text, not) {
						t.Errorf("%q is in\n%s", not, f.Text)
					}
				}
				return
			}
			t.Errorf("there is no %s", c.part)
		})
	}
}
