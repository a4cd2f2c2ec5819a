package config

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
)

const wantParent = "a URL such as http://proxy.corp.example.net:3128, or env"

// parseParent reads the proxy behind us. What it is, intercept knows; here only what is certainly wrong is caught.
func parseParent(text string) (string, *fault) {
	if text == "" || text == "env" {
		return text, nil
	}
	bad := &fault{text: quoted(withoutUser(text)) + " is not the URL of a proxy", want: "want " + wantParent}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		if _, _, err := net.SplitHostPort(text); err == nil && !strings.Contains(text, "/") && !strings.Contains(text, "@") {
			bad.want = didYouMean("http://" + text)
		} else if near := spelling.Nearest(text, []string{"env"}); near != "" {
			bad.want = didYouMean(near)
		}
		return "", bad
	}
	switch {
	case u.User != nil:
		return "", &fault{text: "a name and a password stand in the URL", want: "write them into a file, as name:password, and name that as upstream.proxy_credentials"}
	case !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme):
		bad.text = quoted(u.Scheme) + " is not a kind of proxy"
		bad.want = "want http, https or socks5"
		if near := spelling.Nearest(u.Scheme, []string{"http", "https", "socks5"}); near != "" {
			bad.want = didYouMean(near)
		}
		return "", bad
	case u.Port() == "":
		bad.text = quoted(text) + " has no port"
		return "", bad
	case u.Hostname() == "" || !dialable(u):
		return "", bad
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		bad.want = didYouMean(u.Scheme + "://" + u.Host)
		return "", bad
	}
	return u.Scheme + "://" + u.Host, nil
}

// withoutUser keeps what may be a password out of a message.
func withoutUser(text string) string {
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		return "…" + text[at:]
	}
	return text
}

// parseNoProxy reads a host that needs no proxy: a name, an address, a range, or one with a port.
func parseNoProxy(text string) (string, *fault) {
	if strings.Contains(text, "/") {
		if p, f := parsePrefix(text); f == nil {
			return p.String(), nil
		}
	}
	if at, f := parseResolveKey(nil, strings.TrimPrefix(text, ".")); f == nil {
		return at, nil
	}
	f := &fault{text: quoted(withoutUser(text)) + " is not a host, address or range", want: "want one such as lab.test, 192.168.1.5 or 10.0.0.0/8"}
	if at, wrong := parseResolveKey(nil, bareHost(text)); wrong == nil && strings.HasPrefix(text, "*") {
		f.want = didYouMean(at)
	}
	return "", f
}

// private is a word or a list.
type private struct{}

const wantPrivate = "refuse, allow, or a list of ranges such as [10.0.0.0/8]"

func (private) ranges() list[netip.Prefix] {
	return prefixes(func(c *Config) *[]netip.Prefix { return &c.Upstream.Private.Ranges }, false).(list[netip.Prefix])
}

func (p private) read(r *reader, name string, n *yaml.Node) {
	if n.Kind == yaml.SequenceNode {
		p.ranges().read(r, name, n)
		return
	}
	text, ok := r.scalar(name, n, wantPrivate)
	if !ok {
		return
	}
	others := map[string]string{
		"true": "allow", "yes": "allow", "on": "allow", "all": "allow", "any": "allow", "false": "refuse", "no": "refuse", "off": "refuse", "deny": "refuse", "block": "refuse",
	}
	answer, f := oneOf("an answer", others, "refuse", "allow")(text)
	if f != nil {
		if _, bad := parsePrefix(text); bad == nil {
			f.want = "want a list: [" + text + "]"
		}
		r.report(n, name, *f)
		return
	}
	r.config.Upstream.Private = Private{All: answer == "allow"}
}

func (p private) write(c *Config) string {
	switch {
	case c.Upstream.Private.All:
		return "allow"
	case len(c.Upstream.Private.Ranges) > 0:
		return p.ranges().write(c)
	}
	return "refuse"
}
