package intercept_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"autodiscover-guard/certs"
	"autodiscover-guard/intercept"
	"autodiscover-guard/rules"
)

// shunned are hosts that clients make up when every real one failed. The second one lies in a domain that the authority may sign for.
var shunned = []string{"autodiscover.com", "autodiscover.test"}

// newShunning makes a world in which the shunned hosts are there, and counts who dials them.
func newShunning(t *testing.T, options ...option) (*world, *atomic.Int64) {
	t.Helper()
	dialled := new(atomic.Int64)
	addr := listen(t, func(net.Conn) { dialled.Add(1) })
	for _, host := range shunned {
		options = append(options, resolve(host, addr))
	}
	return newWorld(t, jsonAnswer(suggest("", stranger)), options...), dialled
}

// realIssuer signs for what the policy may open and for nothing else, as the program's does.
func realIssuer(t *testing.T) option {
	t.Helper()
	policy, err := rules.New(rules.Config{})
	if err != nil {
		t.Fatal(err)
	}
	authority, err := certs.Open(filepath.Join(t.TempDir(), "authority"), certs.Scope{Names: policy.Scope()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = authority.Close() })
	return func(c *intercept.Config, _ *proxyServer, _ *world) { c.Issuer = authority }
}

// shunnedRecord checks the one record that an attempt leaves.
func shunnedRecord(t *testing.T, w *world, dialled *atomic.Int64, want map[string]any) {
	t.Helper()
	record := w.decision(1)
	want["action"] = "refuse"
	if want["rule"] == nil {
		want["rule"] = "back-off"
	}
	for key, value := range want {
		if record[key] != value {
			t.Errorf("%s: got %v, want %v", key, record[key], value)
		}
	}
	if u := record["upstream"].(map[string]any); fmt.Sprint(u) != "map[asked:false check: error: status:0]" {
		t.Errorf("upstream: got %v", u)
	}
	if c := record["credentials"].(map[string]any); c["forwarded"] != false {
		t.Errorf("credentials: got %v", c)
	}
	if n := w.decisions.Len(); n != 1 {
		t.Errorf("got %d records, want 1", n)
	}
	if n := dialled.Load(); n != 0 {
		t.Errorf("the host was dialled %d times", n)
	}
}

// A handshake that fails is what a client of a host that is not there sees; a status of the proxy leaves some of them stuck.
func TestShun_handshakeFails(t *testing.T) {
	for _, host := range shunned {
		for name, issuer := range map[string]option{
			"an authority for everything": func(*intercept.Config, *proxyServer, *world) {},
			"the policy's authority":      realIssuer(t),
		} {
			for spelling, target := range map[string]string{"as it is": host, "upper case and a dot": strings.ToUpper(host) + "."} {
				t.Run(host+"/"+name+"/"+spelling, func(t *testing.T) {
					w, dialled := newShunning(t, issuer)
					c, err := w.connect(target + ":443")
					if err != nil {
						t.Fatalf("CONNECT: %v, want a tunnel that ends in the handshake", err)
					}
					inside := tls.Client(c, &tls.Config{ServerName: host, InsecureSkipVerify: true})
					if err := inside.HandshakeContext(t.Context()); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
						t.Errorf("got %v, want the alert unrecognized_name", err)
					}
					shunnedRecord(t, w, dialled, map[string]any{"host": host + ":443", "method": "CONNECT", "door": "connect", "status": int64(0)})
				})
			}
		}
	}
}

// A client that names nobody in its handshake comes no further.
func TestShun_handshakeWithoutName(t *testing.T) {
	for _, host := range shunned {
		t.Run(host, func(t *testing.T) {
			w, dialled := newShunning(t)
			if _, err := w.tls(host+":443", &tls.Config{InsecureSkipVerify: true}); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
				t.Errorf("got %v, want the alert unrecognized_name", err)
			}
			shunnedRecord(t, w, dialled, map[string]any{"host": host + ":443"})
		})
	}
}

func TestShun_whoeverAsksInPlainHTTP(t *testing.T) {
	for _, host := range shunned {
		for _, door := range doors {
			if door.scheme != "http" {
				continue
			}
			t.Run(host+"/"+door.name, func(t *testing.T) {
				t.Parallel()
				w, dialled := newShunning(t)
				got := send(t, door.client(w), poxAsk(t, "http://"+host+poxPath, "user@corp-mail.net"))
				if got.StatusCode != http.StatusOK || !strings.Contains(got.body, "<ErrorCode>") || strings.Contains(got.body, stranger) {
					t.Errorf("got %d %q, want the dialect's own refusal", got.StatusCode, got.body)
				}
				if kind := got.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/xml") {
					t.Errorf("got Content-Type %q", kind)
				}
				want := map[string]any{"host": host, "method": http.MethodPost, "door": door.record, "status": int64(http.StatusOK), "dialect": "pox"}
				if host == "autodiscover.test" {
					want["rule"] = "private-use" // the host itself lies in a guarded domain, whose rule comes first
				}
				shunnedRecord(t, w, dialled, want)
			})
		}
	}
}

func TestShun_otherPortsAreForbidden(t *testing.T) {
	for _, host := range shunned {
		t.Run(host, func(t *testing.T) {
			w, dialled := newShunning(t)
			if _, err := w.connect(host + ":993"); err == nil || !strings.Contains(err.Error(), "403 Forbidden") {
				t.Errorf("got %v, want 403", err)
			}
			shunnedRecord(t, w, dialled, map[string]any{"host": host + ":993", "method": "CONNECT", "door": "connect"})
		})
	}
}

// What lies below such a name, or beside it, is somebody's own.
func TestShun_neighboursAreNot(t *testing.T) {
	addr := listen(t, func(c net.Conn) { _, _ = c.Write([]byte("* OK\r\n")) })
	for _, host := range []string{"autodiscover.corp-mail.net", "xautodiscover.com", "autodiscover-s.outlook.com"} {
		w := newWorld(t, jsonAnswer(""), resolve(host+":993", addr))
		if _, err := w.connect(host + ":993"); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		if w.decisions.Len() != 0 {
			t.Errorf("%s: got %v", host, w.decisions.All())
		}
	}
}
