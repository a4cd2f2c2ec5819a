package companion_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// upstreamServer is a name server that has everything: each name has an address, each domain a mail server, each service a target. It is what the
// pieces have to keep from clients. The address is one of its own, by which it is known.
func upstreamServer(t *testing.T) (port string, address netip.Addr) {
	t.Helper()
	c, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	mark := [4]byte{198, 18, byte(at >> 8), byte(at)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer := everything(buf[:n], mark); answer != nil {
				_, _ = c.WriteTo(answer, from)
			}
		}
	}()
	t.Cleanup(func() { _ = c.Close(); <-done })
	return strconv.Itoa(int(at)), netip.AddrFrom4(mark)
}

func everything(query []byte, address [4]byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}
	target := dnsmessage.MustNewName("imapgms.stranger.net.")
	m.Response, m.RecursionAvailable, m.Authoritative, m.Additionals = true, true, true, nil
	switch q.Type {
	case dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: address}}}
	case dnsmessage.TypeMX:
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.MXResource{Pref: 10, MX: target}}}
	case dnsmessage.TypeSRV:
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.SRVResource{Port: 993, Target: target}}}
	default: // nothing of that type
	}
	answer, err := m.Pack()
	if err != nil {
		return nil
	}
	return answer
}

// freePort is one that nobody listens on at the moment, by UDP and TCP.
func freePort(t *testing.T) string {
	t.Helper()
	for range 10 {
		c, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", c.LocalAddr().String())
		_, port, _ := net.SplitHostPort(c.LocalAddr().String())
		_ = c.Close()
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// nameServers are those that a piece is really put into.
var nameServers = []struct {
	name, piece, program, debian string
	command                      func(t *testing.T, piece, port, upstream string) []string
	// null says that the piece has null MX records.
	null bool
}{
	{"dnsmasq", "dnsmasq", "dnsmasq", "dnsmasq-base", func(_ *testing.T, piece, port, upstream string) []string {
		return []string{
			"--keep-in-foreground", "--conf-file=" + piece, "--port=" + port, "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv", "--no-hosts",
			"--server=127.0.0.1#" + upstream, "--user=root", "--pid-file=",
		}
	}, true},
	{"Unbound", "unbound", "unbound", "unbound", func(t *testing.T, piece, port, upstream string) []string {
		t.Helper()
		return []string{"-d", "-c", unboundConfig(t, "iterator", "include: \""+piece+"\"\n", port, upstream)}
	}, true},
	{"response policy zone in Unbound", "bind", "unbound", "unbound", func(t *testing.T, piece, port, upstream string) []string {
		t.Helper()
		return []string{"-d", "-c", unboundConfig(t, "respip iterator", "rpz:\n name: rpz.autodiscover-guard\n zonefile: \""+piece+"\"\n", port, upstream)}
	}, false},
	{"response policy zone in BIND", "bind", "named", "bind9", func(t *testing.T, piece, port, upstream string) []string {
		t.Helper()
		return []string{"-g", "-n", "1", "-c", bindConfig(t, piece, port, upstream)}
	}, false},
}

func bindConfig(t *testing.T, piece, port, upstream string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "named.conf")
	text := fmt.Sprintf("options {\n directory %q;\n pid-file none;\n session-keyfile none;\n managed-keys-directory %[1]q;\n listen-on port %[2]s { 127.0.0.1; };\n"+
		" listen-on-v6 { none; };\n dnssec-validation no;\n forward only;\n forwarders { 127.0.0.1 port %[3]s; };\n"+
		" response-policy { zone \"rpz.autodiscover-guard\"; } break-dnssec yes;\n};\ncontrols { };\nzone \"rpz.autodiscover-guard\" { type primary; file %[4]q; };\n",
		dir, port, upstream, piece)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func unboundConfig(t *testing.T, modules, more, port, upstream string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "unbound.conf")
	text := fmt.Sprintf("server:\n directory: %q\n chroot: \"\"\n username: \"\"\n pidfile: \"\"\n use-syslog: no\n interface: 127.0.0.1\n port: %s\n"+
		" do-not-query-localhost: no\n module-config: %q\n do-daemonize: no\n%s\nforward-zone:\n name: .\n forward-addr: 127.0.0.1@%s\nremote-control:\n control-enable: no\n",
		dir, port, modules, more, upstream)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// start runs a name server until the test ends, and gives a resolver that asks it. What answers must have the upstream's address to tell: a port
// that is free now may be another's in a moment.
func start(t *testing.T, program string, arguments func(port string) []string, upstream netip.Addr) *net.Resolver {
	t.Helper()
	var log strings.Builder
	for range 5 {
		port := freePort(t)
		cmd := exec.CommandContext(t.Context(), program, arguments(port)...)
		log.Reset()
		cmd.Stderr, cmd.Stdout = &log, &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { defer close(ended); _ = cmd.Wait() }()
		t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
		r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, strings.TrimRight(network, "46"), "127.0.0.1:"+port)
		}}
		if answers(t, r, upstream, ended) {
			return r
		}
	}
	t.Fatalf("%s does not answer: %s", program, log.String())
	return nil
}

// answers waits until the resolver's server has the upstream's address to tell; false where the program has ended.
func answers(t *testing.T, r *net.Resolver, upstream netip.Addr, ended <-chan struct{}) bool {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		addresses, err := r.LookupNetIP(ctx, "ip4", "ready.stranger.net.")
		cancel()
		if err == nil && slices.Contains(addresses, upstream) {
			return true
		}
		select {
		case <-ended:
			return false
		default:
		}
	}
	t.Fatal("the name server is busy for too long")
	return false
}

// denies waits until the piece is in force: BIND answers before it has gone through its policy zones.
func denies(t *testing.T, r *net.Resolver) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := r.LookupNetIP(ctx, "ip4", "ready.invalid.")
		cancel()
		if gone, ok := errors.AsType[*net.DNSError](err); ok && gone.IsNotFound {
			return
		}
	}
	t.Fatal("the piece does not come into force")
}

// A name server with the piece says nothing that the policy would not, although the one behind it has a server of a stranger for everything; and
// what is not guarded goes on as before.
func TestNameServers(t *testing.T) {
	t.Parallel()
	f := facts(t)
	for _, s := range nameServers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			need(t, s.program, s.debian)
			piece := write(t, s.piece, f)
			upstream, address := upstreamServer(t)
			r := start(t, s.program, func(port string) []string { return s.command(t, piece, port, upstream) }, address)
			denies(t, r)
			for _, c := range []struct {
				name  string
				there bool
			}{
				{"imap.example.com", false},
				{"smtp.example.org", false},
				{"autodiscover.example.net", false},
				{"anything.invalid", false},
				{"invalid", false},
				{"mail.closed.stranger.net", false},
				{"imap.corp.stranger.net", false},
				{"autoconfig.closed.stranger.net", false},
				{"imap.some.example", false},
				{"example.com", true},
				{"www.example.com", true},
				{"imap.stranger.net", true},
				{"mail.corp.stranger.net", true},
				{"www.corp.stranger.net", true},
				{"autodiscover.corp.stranger.net", true},
				{"mail.lab.example", true},
				{"lab.example", true},
				{"a.deep.example", true},
				{"closed.stranger.net", true},
				{"imap.evilexample.com", true},
			} {
				addresses, err := r.LookupNetIP(t.Context(), "ip4", c.name+".")
				var gone *net.DNSError
				if c.there && (err != nil || len(addresses) != 1) || !c.there && (!errors.As(err, &gone) || !gone.IsNotFound) {
					t.Errorf("%s: %v, %v; want it there: %v", c.name, addresses, err, c.there)
				}
			}
			for domain, there := range map[string]bool{"example.com": false, "closed.stranger.net": false, "stranger.net": true, "corp.stranger.net": true} {
				_, records, err := r.LookupSRV(t.Context(), "imaps", "tcp", domain+".")
				if got := err == nil && len(records) > 0; got != there {
					t.Errorf("_imaps._tcp.%s: %v %v, want it there: %v", domain, records, err, there)
				}
				if !s.null {
					continue
				}
				mx, err := r.LookupMX(t.Context(), domain+".")
				if got := err == nil && len(mx) == 1 && mx[0].Host != "."; got != there {
					t.Errorf("MX of %s: %v %v, want it there: %v", domain, mx, err, there)
				}
			}
		})
	}
}
