package intercept

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/pires/go-proxyproto"
	"go.uber.org/zap"
)

// proxyHeader is the PROXY header (v1 or v2, haproxy.org/download/2.9/doc/proxy-protocol.txt) with which a load balancer of
// Config.ProxyProtocol begins a connection: it names the client. It is read by whoever first wants to know something of the connection, which
// in net/http is the connection's own goroutine, so that a slow balancer holds up nobody.
type proxyHeader struct {
	conn   net.Conn
	state  *connState
	once   sync.Once
	mu     sync.Mutex
	key    netip.Addr
	remote net.Addr // nil: the balancer itself, which asks whether we are well
	err    error
}

const (
	// maxHeaderV1 is the longest header of version 1 (proxy-protocol.txt, section 2.1), maxHeaderV2 what we take of version 2: balancers add
	// certificates' names in TLVs, and no more.
	maxHeaderV1 = 107
	maxHeaderV2 = 4 << 10
)

var errProxyHeader = errors.New("no PROXY header")

// read returns the address of the client, nil where the balancer itself has connected. The first call reads the header.
func (a *proxyHeader) read() (net.Addr, error) {
	a.once.Do(a.receive)
	return a.remote, a.err
}

// clientKey is the client whose slot the connection holds; the zero address where that is not known.
func (a *proxyHeader) clientKey() netip.Addr {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.key
}

func (a *proxyHeader) receive() {
	p := a.state.p
	_ = a.conn.SetReadDeadline(time.Now().Add(p.limits.Header))
	header, err := readProxyHeader(a.conn)
	_ = a.conn.SetReadDeadline(time.Time{})
	if err != nil {
		a.err = err
		p.refused.headers.Add(1)
		p.logger.Warn("PROXY header refused", clientField(a.conn), zap.Error(err))
		return
	}
	if header.Command.IsLocal() {
		return
	}
	from, ok := header.SourceAddr.(*net.TCPAddr)
	if !ok || !header.TransportProtocol.IsStream() {
		a.err = fmt.Errorf("reading the PROXY header: the client has no TCP address: %w", errProxyHeader)
		p.refused.headers.Add(1)
		return
	}
	a.remote = from
	a.admit(from.AddrPort().Addr().Unmap())
}

// admit does for the client in the header what Accept does for others: it refuses, or counts.
func (a *proxyHeader) admit(client netip.Addr) {
	p := a.state.p
	status := 0
	switch {
	case !p.admits(client):
		p.refused.clients.add(p, client, notAdmitted)
		status = http.StatusForbidden
	case !p.limiter.assign(slotConnection, clientKey(client), p.limits.PerClient):
		p.refused.perClient.add(p, client, overLimitText(slotConnection, http.StatusTooManyRequests))
		status = http.StatusTooManyRequests
	default:
		a.mu.Lock()
		a.key = clientKey(client)
		a.mu.Unlock()
		return
	}
	a.err = errProxyHeader
	writeRefusal(a.conn, status)
}

// readProxyHeader takes the header, and not a byte more, off a connection: what follows is read, or spliced, from the connection itself.
func readProxyHeader(r io.Reader) (*proxyproto.Header, error) {
	head := make([]byte, len(proxyproto.SIGV2), maxHeaderV1) // not longer than the shortest of version 1, "PROXY UNKNOWN\r\n"
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("reading the PROXY header: %w", err)
	}
	switch {
	case bytes.Equal(head, proxyproto.SIGV2):
		var rest [4]byte
		if _, err := io.ReadFull(r, rest[:]); err != nil {
			return nil, fmt.Errorf("reading the PROXY header: %w", err)
		}
		length := int(binary.BigEndian.Uint16(rest[2:]))
		if length > maxHeaderV2 {
			return nil, fmt.Errorf("reading the PROXY header: %d bytes: %w", length, errProxyHeader)
		}
		head = append(head, rest[:]...)
		head = append(head, make([]byte, length)...)
		if _, err := io.ReadFull(r, head[len(head)-length:]); err != nil {
			return nil, fmt.Errorf("reading the PROXY header: %w", err)
		}
	case bytes.HasPrefix(head, proxyproto.SIGV1):
		for head[len(head)-1] != '\n' {
			if len(head) == maxHeaderV1 {
				return nil, fmt.Errorf("reading the PROXY header: a line of more than %d bytes: %w", maxHeaderV1, errProxyHeader)
			}
			head = append(head, 0)
			if _, err := io.ReadFull(r, head[len(head)-1:]); err != nil {
				return nil, fmt.Errorf("reading the PROXY header: %w", err)
			}
		}
	default:
		return nil, fmt.Errorf("reading the PROXY header: the connection begins with something else: %w", errProxyHeader)
	}
	header, err := proxyproto.Read(bufio.NewReader(bytes.NewReader(head)))
	if err == nil && header.Version == 2 && !header.Command.IsLocal() { // what LOCAL carries is not to be looked at (section 2.2)
		err = readTLVs(head, header.TransportProtocol)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the PROXY header: %w", err)
	}
	return header, nil
}

// readTLVs looks whether what follows the addresses in a header of version 2 fills it, and verifies the checksum where there is one, as section
// 2.2.3 demands. go-proxyproto v0.15.0 (v2.go) keeps the bytes as they are, and has nothing for the checksum. It clears that in head.
func readTLVs(head []byte, family proxyproto.AddressFamilyAndProtocol) error {
	rest := head[len(proxyproto.SIGV2)+4:]
	switch {
	case family.IsIPv4():
		rest = rest[2*(4+2):]
	case family.IsIPv6():
		rest = rest[2*(16+2):]
	default:
		return nil // no client of ours comes this way, and listen says so
	}
	for len(rest) > 0 {
		if len(rest) < 3 || len(rest)-3 < int(binary.BigEndian.Uint16(rest[1:])) {
			return fmt.Errorf("a TLV goes beyond its end: %w", errProxyHeader)
		}
		kind, value := proxyproto.PP2Type(rest[0]), rest[3:3+int(binary.BigEndian.Uint16(rest[1:]))]
		rest = rest[3+len(value):]
		if kind != proxyproto.PP2_TYPE_CRC32C {
			continue
		}
		if len(value) != crc32.Size {
			return fmt.Errorf("a checksum of %d bytes: %w", len(value), errProxyHeader)
		}
		sum := binary.BigEndian.Uint32(value)
		clear(value)
		if crc32.Checksum(head, crc32.MakeTable(crc32.Castagnoli)) != sum {
			return fmt.Errorf("its checksum is another one: %w", errProxyHeader)
		}
	}
	return nil
}
