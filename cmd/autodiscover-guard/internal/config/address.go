package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"

	"autodiscover-guard/rules/reserved"
)

const wantListen = "an address and a port, such as 127.0.0.1:8080"

// parseListen reads where to listen. An address that is left out means all of them.
func parseListen(text string) (string, *fault) {
	host, port, err := net.SplitHostPort(text)
	if n, ok := parsePort(port); err == nil && host == "" && ok {
		return net.JoinHostPort("::", strconv.Itoa(n)), nil
	}
	at, err := netip.ParseAddrPort(text)
	if err == nil && at.Addr().Zone() == "" {
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).String(), nil
	}
	f := &fault{text: quoted(text) + " is not an address and a port", want: "want " + wantListen}
	if port == "" {
		port = text
	}
	if _, ok := parsePort(port); ok && (host == "" || host == "localhost") {
		f.want = didYouMean(net.JoinHostPort("127.0.0.1", port))
	}
	return "", f
}

// onLoopback reports whether only this computer reaches an address that parseListen has read.
func onLoopback(address string) bool {
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.Addr().IsLoopback()
}

// loopback are the addresses of this computer's own programs.
func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

const wantURL = "an address such as http://gateway.corp.example:8081"

// parseURL reads the address of a web server, and nothing below it.
func parseURL(text string) (string, *fault) {
	if text == "" {
		return "", nil
	}
	if at, ok := schemeAndHost(text); ok {
		return at, nil
	}
	f := &fault{text: quoted(text) + " is not the address of a web server", want: "want " + wantURL}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "http", text
	}
	host, _, _ := strings.Cut(rest, "/")
	if near, ok := schemeAndHost(scheme + "://" + host); ok {
		f.want = didYouMean(near)
	}
	return "", f
}

// schemeAndHost is a web server's scheme and host, canonical, behind which a path can be put: behind a # that is left of a browser's address it would be none.
func schemeAndHost(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || !dialable(u) {
		return "", false
	}
	if name, ok := hostName(u.Hostname()); ok {
		return u.Scheme + "://" + name + strings.TrimPrefix(u.Host, u.Hostname()), true
	}
	_, address := netip.ParseAddr(u.Hostname())
	return u.Scheme + "://" + u.Host, address == nil
}

// dialable reports whether a URL's port is one that there is, if it has any.
func dialable(u *url.URL) bool {
	port, ok := parsePort(u.Port())
	return ok && port > 0 || u.Port() == ""
}

const wantHost = "a host name such as autodiscover.hoster.example"

// parseOpen reads a host to open. It must not be a name that strangers share: what is opened is decrypted with everything below it.
func parseOpen(text string) (string, *fault) {
	host, ok := hostName(text)
	if !ok {
		f := &fault{text: noHost(text, " is not a host name"), want: "want " + wantHost}
		if bare := bareHost(text); bare != text {
			if host, wrong := parseOpen(bare); wrong == nil {
				f.want = didYouMean(host)
			}
		}
		return "", f
	}
	suffix, _ := publicsuffix.PublicSuffix(host)
	if suffix == host {
		return "", &fault{text: quoted(text) + " would open everybody's hosts below it", want: "want " + wantHost}
	}
	return host, nil
}

// bareHost takes away what people write around a host name: scheme, path, account, port, pattern, quotation marks.
func bareHost(text string) string {
	text, _ = reserved.PlainPunctuation(text)
	if _, rest, ok := strings.Cut(text, "://"); ok {
		text = rest
	}
	text, _, _ = strings.Cut(text, "/")
	text = text[strings.LastIndexByte(text, '@')+1:]
	text, _, _ = strings.Cut(text, ":")
	return strings.TrimLeft(strings.TrimSpace(text), "*.")
}

// noHost says why a text is no host name: for a character that cannot be seen, or else in the words given.
func noHost(text, is string) string {
	if r := reserved.Disallowed(text); r != 0 {
		is = fmt.Sprintf(" has %U in it, which IDNA allows in no name", r)
	}
	return quoted(text) + is
}

// hostName is the canonical spelling of a host name, which is no address.
func hostName(text string) (string, bool) {
	if _, changed := reserved.PlainPunctuation(text); changed || reserved.Disallowed(text) != 0 || strings.ContainsAny(text, " \t\n:/@%[]*\\") || len(text) > 1024 {
		return "", false
	}
	host := reserved.Canonical(text)
	if _, err := netip.ParseAddr(host); err == nil || len(host) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(c rune) bool { return c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') }) {
			return "", false
		}
	}
	return host, true
}

// parseName reads the name by which something is reached: a host name, or an address with or without brackets. Unlike a host to open it may have
// one label only.
func parseName(text string) (string, *fault) {
	if text == "" {
		return "", nil
	}
	if at, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")); err == nil && at.Zone() == "" && !at.IsUnspecified() {
		return at.Unmap().String(), nil
	}
	if host, ok := hostName(text); ok {
		return host, nil
	}
	f := &fault{text: noHost(text, " is not a host name or an address"), want: "want one such as guard.lab.test, without scheme and port"}
	if bare, ok := hostName(bareHost(text)); ok {
		f.want = didYouMean(bare)
	}
	return "", f
}

// parseResolveKey reads what is to be dialled elsewhere: a host, or a host and a port.
func parseResolveKey(_ *reader, text string) (string, *fault) {
	if at, ok := endpoint(text); ok {
		return at, nil
	}
	host, port, both := strings.Cut(text, ":")
	if name, ok := hostName(host); ok {
		if p, ok := parsePort(port); ok && p > 0 {
			return net.JoinHostPort(name, strconv.Itoa(p)), nil
		}
		if !both {
			return name, nil
		}
	}
	return "", &fault{text: quoted(text) + " is not a host with or without a port", want: "want one such as autodiscover.lab.test or autodiscover.lab.test:443"}
}

// parseResolveAddress reads what is dialled instead: an IP address, or one with a port. A name would have to be looked up, and could then be
// anything.
func parseResolveAddress(text string) (string, *fault) {
	if at, ok := endpoint(text); ok {
		return at, nil
	}
	f := &fault{text: quoted(text) + " is not an IP address with or without a port", want: "want one such as 127.0.0.1 or 127.0.0.1:8443"}
	host, port, _ := strings.Cut(text, ":")
	if _, ok := parsePort(port); ok && (host == "localhost" || host == "") {
		f.want = didYouMean("127.0.0.1:" + port)
	} else if text == "localhost" {
		f.want = didYouMean("127.0.0.1")
	}
	return "", f
}

// endpoint is an IP address with or without a port. IPv6 without a port stands with or without brackets.
func endpoint(text string) (string, bool) {
	if at, err := netip.ParseAddrPort(text); err == nil && at.Port() > 0 && at.Addr().Zone() == "" {
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).String(), true
	}
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		text = strings.TrimSuffix(inner, "]")
	}
	if at, err := netip.ParseAddr(text); err == nil && at.Zone() == "" {
		return at.Unmap().String(), true
	}
	return "", false
}

func parsePort(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err == nil
}
