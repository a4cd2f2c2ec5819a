package intercept_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"autodiscover-guard/intercept"
)

// Two hosts: a client's, whose only way leads through the gateway, and the gateway's, where the packet filter is. The guard itself listens in
// the gateway's namespace and dials from the test's own.
const gatewayScript = `set -e
ip netns add %[1]s-client
ip netns add %[1]s-gateway
ip link add %[1]s-c netns %[1]s-client type veth peer name %[1]s-g netns %[1]s-gateway
ip -n %[1]s-client link set lo up
ip -n %[1]s-gateway link set lo up
ip -n %[1]s-client addr add 10.99.0.2/24 dev %[1]s-c
ip -n %[1]s-gateway addr add 10.99.0.1/24 dev %[1]s-g
ip -n %[1]s-client -6 addr add fd99::2/64 dev %[1]s-c nodad
ip -n %[1]s-gateway -6 addr add fd99::1/64 dev %[1]s-g nodad
ip -n %[1]s-client link set %[1]s-c up
ip -n %[1]s-gateway link set %[1]s-g up
ip -n %[1]s-client route add default via 10.99.0.1
ip -n %[1]s-client -6 route add default via fd99::1
`

const redirectRules = `table inet guard {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		iifname "%[1]s-g" tcp dport { 80, 443 } redirect to :%[2]s
	}
}
`

const tproxyRules = `table inet guard {
	chain prerouting {
		type filter hook prerouting priority mangle; policy accept;
		iifname "%[1]s-g" meta nfproto ipv4 tcp dport { 80, 443 } tproxy ip to :%[2]s meta mark set 1
		iifname "%[1]s-g" meta nfproto ipv6 tcp dport { 80, 443 } tproxy ip6 to :%[2]s meta mark set 1
	}
}
`

const tproxyRoutes = `set -e
ip -n %[1]s-gateway rule add fwmark 1 lookup 100
ip -n %[1]s-gateway route add local default dev lo table 100
ip -n %[1]s-gateway -6 rule add fwmark 1 lookup 100
ip -n %[1]s-gateway -6 route add local default dev lo table 100
`

// within runs f in a network namespace; the sockets that it makes stay there.
func within(t *testing.T, namespace string, f func()) {
	t.Helper()
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		fd, err := unix.Open("/run/netns/"+namespace, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(fd, unix.CLONE_NEWNET)
			_ = unix.Close(fd)
		}
		if err == nil {
			f()
		}
		failed <- err
	}()
	if err := await(t, failed); err != nil {
		t.Fatalf("entering namespace %s: %v", namespace, err)
	}
}

func script(text string, args ...any) error {
	out, err := exec.Command("sh", "-c", fmt.Sprintf(text, args...)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func newGateway(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("skipped: network namespaces need root")
	}
	for _, program := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("skipped: %s is not installed (apt-get install iproute2 nftables)", program)
		}
	}
	name := fmt.Sprintf("g%x", os.Getpid()&0xffff) // a name of an interface has at most 15 characters
	remove := func() {
		_ = script("ip netns del %[1]s-client; ip netns del %[1]s-gateway", name)
	}
	t.Cleanup(remove)
	if err := script(gatewayScript, name); err != nil {
		t.Skipf("skipped: no network namespaces here: %v", err)
	}
	return name
}

func TestTransparent_nft(t *testing.T) {
	tproxy := func(at string) func() (net.Listener, error) {
		return func() (net.Listener, error) { return intercept.ListenTPROXY(context.Background(), at) }
	}
	for name, way := range map[string]struct {
		rules  string
		routes string
		listen func() (net.Listener, error)
	}{
		"redirect": {redirectRules, "", func() (net.Listener, error) { return net.Listen("tcp", "[::]:0") }},
		"tproxy":   {tproxyRules, tproxyRoutes, tproxy("[::]:0")},
		// The door's port is the port that clients mean: its connections look as if they were made to it. Nobody else is in the namespace.
		"tproxy at a redirected port": {tproxyRules, tproxyRoutes, tproxy("[::]:443")},
	} {
		t.Run(name, func(t *testing.T) {
			ns := newGateway(t)
			w := newWorld(t, jsonAnswer(suggest("email@example.com", stranger)), clients("10.99.0.0/24", "fd99::/64"),
				func(c *intercept.Config, _ *proxyServer, w *world) {
					for _, addr := range []string{"192.0.2.10", "[2001:db8::10]"} {
						c.Upstream.Resolve[addr+":443"] = w.secure.Listener.Addr().String()
						c.Upstream.Resolve[addr+":80"] = w.plain.Listener.Addr().String()
					}
				})
			var l net.Listener
			var err error
			within(t, ns+"-gateway", func() { l, err = way.listen() })
			if err != nil {
				t.Fatal(err)
			}
			_, port, _ := net.SplitHostPort(l.Addr().String())
			if err := script("ip netns exec %[1]s-gateway nft -f - <<'X'\n"+way.rules+"X\n", ns, port); err != nil {
				t.Skipf("skipped: the kernel lacks what nft needs for it: %v", err)
			}
			if way.routes != "" {
				if err := script(way.routes, ns); err != nil {
					t.Fatal(err)
				}
			}
			done := make(chan error, 1)
			ctx, stop := context.WithCancel(context.Background())
			go func() { done <- w.plugin.ServeTransparent(ctx, l) }()
			defer func() {
				stop()
				if err := <-done; !errors.Is(err, http.ErrServerClosed) {
					t.Errorf("ServeTransparent: got %v", err)
				}
			}()
			for _, addr := range []string{"192.0.2.10", "2001:db8::10"} {
				t.Run(addr, func(t *testing.T) { w.throughGateway(t, ns, addr) })
			}
			t.Run("itself", func(t *testing.T) {
				// With tproxy, the gateway's addresses tell what was meant for the door; they are not those of the namespace that the guard looks at.
				w.plugin.Listening(net.TCPAddrFromAddrPort(netip.MustParseAddrPort("10.99.0.1:" + port)))
				var c net.Conn
				within(t, ns+"-client", func() { c, err = net.Dial("tcp", "10.99.0.1:"+port) })
				if err != nil {
					t.Fatal(err)
				}
				w.takesForLoop(t, c)
			})
		})
	}
}

// A connection that is made to the door for TPROXY itself is a loop, whichever of the computer's addresses it was made to.
func TestTransparent_tproxyItself(t *testing.T) {
	for _, at := range []string{"127.0.0.1", "::1"} {
		t.Run(at, func(t *testing.T) {
			l, err := intercept.ListenTPROXY(t.Context(), "[::]:0")
			if err != nil {
				t.Skipf("skipped: %v", err)
			}
			w := newWorld(t, jsonAnswer(""))
			done := make(chan error, 1)
			ctx, stop := context.WithCancel(context.Background())
			go func() { done <- w.plugin.ServeTransparent(ctx, l) }()
			defer func() {
				stop()
				if err := <-done; !errors.Is(err, http.ErrServerClosed) {
					t.Errorf("ServeTransparent: got %v", err)
				}
			}()
			_, port, _ := net.SplitHostPort(l.Addr().String())
			c, err := net.Dial("tcp", net.JoinHostPort(at, port))
			if err != nil {
				t.Fatal(err)
			}
			w.takesForLoop(t, c)
			if reason, _ := w.told("loop refused")["reason"].(string); !strings.Contains(reason, "the transparent door itself") {
				t.Errorf("got %q: nobody noticed before it was dialled", reason)
			}
		})
	}
}

// takesForLoop wants a connection to the door itself to be closed without a word, and counted.
func (w *world) takesForLoop(t *testing.T, c net.Conn) {
	t.Helper()
	defer c.Close()
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("got %d bytes", n)
	}
	if n := w.plugin.Stats().RefusedLoops; n != 1 {
		t.Errorf("got %d loops, want 1", n)
	}
}

// throughGateway is a client that knows no proxy.
func (w *world) throughGateway(t *testing.T, ns, addr string) {
	dial := func(port string) net.Conn {
		t.Helper()
		var c net.Conn
		var err error
		within(t, ns+"-client", func() { c, err = net.Dial("tcp", net.JoinHostPort(addr, port)) })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	transport := w.client(true)
	transport.Proxy = nil
	transport.DialContext = func(_ context.Context, _, to string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(to)
		return dial(port), err
	}
	before := w.decisions.Len()
	for n, scheme := range []string{"https", "http"} {
		if got := send(t, transport, ask(t, scheme, "email@example.com")); got.body != suggest("email@example.com") {
			t.Errorf("%s: got %d %q", scheme, got.StatusCode, got.body)
		}
		record := w.decision(before + n + 1)
		client := netip.MustParseAddr(record["client"].(string))
		if client != netip.MustParseAddr("10.99.0.2") && client != netip.MustParseAddr("fd99::2") {
			t.Errorf("got client %v", client)
		}
	}
	inner := tls.Client(dial("443"), &tls.Config{ServerName: bank, RootCAs: w.web.roots()})
	if err := inner.HandshakeContext(t.Context()); err != nil {
		t.Errorf("a site that is not opened: %v", err)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Log("curl is not installed, and was not tried")
		return
	}
	out, err := exec.Command("ip", "netns", "exec", ns+"-client", "curl", "--silent", "--show-error", "--insecure", "--max-time", "20", "--noproxy", "*",
		"--resolve", central+":443:"+addr, "--user", "email@example.com:"+password, "https://"+central+detect).CombinedOutput()
	if err != nil || !strings.Contains(string(out), suggest("email@example.com")) {
		t.Errorf("curl: got %q, %v", out, err)
	}
}
