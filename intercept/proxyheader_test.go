package intercept_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"autodiscover-guard/intercept"
)

const signatureV2 = "\r\n\r\n\x00\r\nQUIT\n"

// v2 is a PROXY header of version 2 for TCP, with what follows the addresses.
func v2(command byte, from netip.AddrPort, rest string) string {
	family, addresses := byte(0x11), append(from.Addr().AsSlice(), from.Addr().AsSlice()...)
	if from.Addr().Is6() {
		family = 0x21
	}
	addresses = binary.BigEndian.AppendUint16(addresses, from.Port())
	addresses = binary.BigEndian.AppendUint16(addresses, 443)
	addresses = append(addresses, rest...)
	head := append([]byte(signatureV2), 0x20|command, family)
	head = binary.BigEndian.AppendUint16(head, uint16(len(addresses)))
	return string(append(head, addresses...))
}

// checked is v2 with a checksum among what follows the addresses.
func checked(from, before, after string) string {
	const zero = "\x03\x00\x04\x00\x00\x00\x00"
	header := v2(1, netip.MustParseAddrPort(from), before+zero+after)
	sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum([]byte(header), crc32.MakeTable(crc32.Castagnoli)))
	at := len(header) - len(after)
	return header[:at-len(sum)] + string(sum) + header[at:]
}

func announcers(texts ...string) option {
	return func(c *intercept.Config, _ *proxyServer, _ *world) { c.ProxyProtocol = prefixes(texts...) }
}

func TestProxyProtocol_namesTheClient(t *testing.T) {
	question := "GET http://" + central + detect + "&emailaddress=email@example.com HTTP/1.1\r\nHost: " + central + "\r\n" +
		"Authorization: Basic ZW1haWxAZXhhbXBsZS5jb206eA==\r\nConnection: close\r\n\r\n"
	for name, c := range map[string]struct{ header, client string }{
		"v1 TCP4":          {"PROXY TCP4 192.0.2.7 198.51.100.1 40000 8080\r\n", "192.0.2.7"},
		"v1 TCP6":          {"PROXY TCP6 2001:db8::7 2001:db8::1 40000 8080\r\n", "2001:db8::7"},
		"v2 IPv4":          {v2(1, netip.MustParseAddrPort("192.0.2.7:40000"), ""), "192.0.2.7"},
		"v2 IPv6":          {v2(1, netip.MustParseAddrPort("[2001:db8::7]:40000"), ""), "2001:db8::7"},
		"v2 with a TLV":    {v2(1, netip.MustParseAddrPort("192.0.2.7:40000"), "\x04\x00\x01\x00"), "192.0.2.7"},
		"v1 UNKNOWN":       {"PROXY UNKNOWN\r\n", "127.0.0.1"},
		"v1 UNKNOWN, more": {"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "127.0.0.1"},
		"v2 LOCAL":         {v2(0, netip.MustParseAddrPort("192.0.2.7:40000"), ""), "127.0.0.1"},
		"v2 mapped":        {v2(1, netip.MustParseAddrPort("[::ffff:192.0.2.7]:40000"), ""), "192.0.2.7"},
		"v2 checksum IPv4": {checked("192.0.2.7:40000", "", ""), "192.0.2.7"},
		"v2 checksum IPv6": {checked("[2001:db8::7]:40000", "\x04\x00\x02\x01\x02", "\xee\x00\x03abc"), "2001:db8::7"},
		"v2 LOCAL, filled": {v2(0, netip.MustParseAddrPort("192.0.2.7:40000"), "\x03\x00\x04\xde\xad\xbe\xef\xff"), "127.0.0.1"},
		"v2, a known port": {v2(1, netip.MustParseAddrPort("192.0.2.7:1"), ""), "192.0.2.7"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, jsonAnswer(suggest("email@example.com", stranger)), announcers("127.0.0.1/32"), clients("192.0.2.0/24", "2001:db8::/32", "127.0.0.1/32"))
			got := w.raw(t, c.header+question)
			if got.StatusCode != 200 || got.body != suggest("email@example.com") {
				t.Fatalf("got %s %q", got.Status, got.body)
			}
			if record := w.decision(1); record["client"] != c.client {
				t.Errorf("got client %v, want %s", record["client"], c.client)
			}
			w.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Connections == 0 && s.Clients == 0 })
		})
	}
}

// Where a header is due, nothing else will do; and it comes in time.
func TestProxyProtocol_badHeaders(t *testing.T) {
	request := "GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\nX-Long: " + strings.Repeat("x", 200) + "\r\n\r\n"
	for name, text := range map[string]string{
		"none":             request,
		"v1 bad address":   "PROXY TCP4 300.0.2.7 198.51.100.1 40000 8080\r\n" + request,
		"v1 bad port":      "PROXY TCP4 192.0.2.7 198.51.100.1 70000 8080\r\n" + request,
		"v1 wrong family":  "PROXY TCP4 2001:db8::7 2001:db8::1 40000 8080\r\n" + request,
		"v1 bare LF":       "PROXY TCP4 192.0.2.7 198.51.100.1 40000 8080\n" + request,
		"v1 without end":   "PROXY TCP4 " + strings.Repeat("1", 300),
		"v1 lower case":    "proxy TCP4 192.0.2.7 198.51.100.1 40000 8080\r\n" + request,
		"v2 bad version":   strings.Replace(v2(1, netip.MustParseAddrPort("192.0.2.7:4"), ""), "\x21\x11", "\x31\x11", 1) + request,
		"v2 bad command":   v2(7, netip.MustParseAddrPort("192.0.2.7:4"), "") + request,
		"v2 datagram":      strings.Replace(v2(1, netip.MustParseAddrPort("192.0.2.7:4"), ""), "\x21\x11", "\x21\x12", 1) + request,
		"v2 unix":          signatureV2 + "\x21\x31\x00\xd8" + strings.Repeat("\x00", 216) + request,
		"v2 short address": signatureV2 + "\x21\x11\x00\x04\x01\x02\x03\x04" + request,
		"v2 checksum":      strings.Replace(checked("192.0.2.7:4", "", ""), "\xc0\x00\x02\x07", "\xc0\x00\x02\x08", 1) + request,
		"v2 half a sum":    v2(1, netip.MustParseAddrPort("192.0.2.7:4"), "\x03\x00\x02\x00\x00") + request,
		"v2 two checksums": checked("192.0.2.7:4", "", "\x03\x00\x04\x00\x00\x00\x00") + request,
		"v2 long TLV":      v2(1, netip.MustParseAddrPort("192.0.2.7:4"), "\xee\x00\x04abc") + request,
		"v2 half a TLV":    v2(1, netip.MustParseAddrPort("192.0.2.7:4"), "\x04\x00\x00\xee\x00") + request,
		"v2 endless":       signatureV2 + "\x21\x11\xff\xff" + strings.Repeat("\x00", 70000),
		"silence":          "",
		"half of it":       "PROXY TCP4 192.",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &spy{next: jsonAnswer("{}")}
			w := newWorld(t, s.handle, announcers("127.0.0.1/32"), clients("0.0.0.0/0", "::/0"), limits(intercept.Limits{Header: 300 * time.Millisecond}))
			c := w.hold(t)
			_, _ = io.WriteString(c, text)
			got, err := io.ReadAll(c)
			if len(got) > 0 && !strings.HasPrefix(string(got), "HTTP/1.1 400 ") || s.asked.Load() != 0 || err != nil && strings.Contains(err.Error(), "timeout") {
				t.Errorf("got %q, %v; upstream asked %d times; want the end", got, err, s.asked.Load())
			}
			if n := w.plugin.Stats().RefusedHeaders; n != 1 {
				t.Errorf("got %d refused headers, want 1", n)
			}
			w.eventually(t, "the slot", func(s intercept.Stats) bool { return s.Connections == 0 })
		})
	}
}

// A header from anywhere else is no request: nobody gives himself another address.
func TestProxyProtocol_fromAnybody(t *testing.T) {
	request := "GET http://opened.net/ HTTP/1.1\r\nHost: opened.net\r\n\r\n"
	for name, header := range map[string]string{
		"v1": "PROXY TCP4 192.0.2.7 198.51.100.1 40000 8080\r\n", "v2": v2(1, netip.MustParseAddrPort("192.0.2.7:40000"), ""),
	} {
		for _, source := range []option{announcers(), announcers("192.0.2.0/24")} {
			s := &spy{next: jsonAnswer("{}")}
			w := newWorld(t, s.handle, source)
			if got := w.raw(t, header+request); got.StatusCode != http.StatusBadRequest || s.asked.Load() != 0 {
				t.Errorf("%s: got %s, want 400", name, got.Status)
			}
		}
	}
}

// The announced client is the one who must be allowed, and whose share it is.
func TestProxyProtocol_clientsAndLimits(t *testing.T) {
	w := newWorld(t, jsonAnswer("{}"), announcers("127.0.0.0/8"), clients("192.0.2.0/24"), limits(intercept.Limits{PerClient: 1}))
	from := func(client string) string { return "PROXY TCP4 " + client + " 198.51.100.1 40000 8080\r\n" }
	if got := w.raw(t, from("203.0.113.1")+poll); got.StatusCode != http.StatusForbidden {
		t.Errorf("a stranger: got %s, want 403", got.Status)
	}
	c := w.hold(t)
	_, _ = io.WriteString(c, from("192.0.2.1"))
	w.eventually(t, "the first", func(s intercept.Stats) bool { return s.Clients == 1 })
	if got := w.raw(t, from("192.0.2.1")+poll); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the same client again: got %s, want 429", got.Status)
	}
	if got := w.raw(t, from("192.0.2.2")+poll); got.StatusCode != 200 {
		t.Errorf("another client: got %s", got.Status)
	}
	_ = c.Close()
	w.eventually(t, "an empty house", func(s intercept.Stats) bool { return s.Connections == 0 && s.Clients == 0 })
}

func TestProxyProtocol_haproxy(t *testing.T) {
	t.Parallel()
	haproxy, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("skipped: haproxy is not installed (apt-get install haproxy)")
	}
	for _, version := range []string{"send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, jsonAnswer(suggest("email@example.com", stranger)), announcers("127.0.0.1/32"), clients("127.0.0.2/32", "127.0.0.3/32"))
			dir := t.TempDir()
			front := filepath.Join(dir, "front") // HAProxy takes the listener from us, so that nobody has to guess a free port
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			file, err := l.(*net.TCPListener).File()
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			config := fmt.Sprintf("defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 20s\n  timeout server 20s\nlisten guard\n  bind fd@3\n  server a %s %s\n", w.addr, version)
			if err := os.WriteFile(front, []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(haproxy, "-db", "-f", front)
			cmd.ExtraFiles = []*os.File{file}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			}()
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
			c, err := d.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, _ = io.WriteString(c, "GET http://"+central+detect+" HTTP/1.1\r\nHost: "+central+"\r\nAuthorization: Basic ZW1haWxAZXhhbXBsZS5jb206eA==\r\n\r\n")
			if got := answer(t, c, http.MethodGet); got.StatusCode != 200 {
				t.Errorf("got %s %q", got.Status, got.body)
			}
			if record := w.decision(1); record["client"] != "127.0.0.2" {
				t.Errorf("got client %v", record["client"])
			}
		})
	}
}
