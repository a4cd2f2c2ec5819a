package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"

	"autodiscover-guard/certs/truststore"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
)

// tryURL is a question whose refusal can be seen: most dialects say "no settings" without a word.
const tryURL = "https://autoconfig.example.com/mail/config-v1.1.xml"

// printBanner writes the few lines that somebody needs who starts the guard for the first time.
func printBanner(w io.Writer, c *config.Config, g *guard, address net.Addr, admin net.Listener, decisions string) {
	root, own := g.authority.RootFile(), here(address) // [::]:8080 is no address that a client can be given
	fmt.Fprintf(w, "authority   %s\n", root)
	fmt.Fprintf(w, "            SHA-256 %s\n", g.authority.Fingerprint())
	fmt.Fprintf(w, "            it can sign for the guarded names and discovery services only; keep the keys beside it private\n")
	scheme := "http"
	if g.server.TLSConfig != nil {
		scheme = "https"
	}
	fmt.Fprintf(w, "listening   %s://%s (proxy for http and https)\n", scheme, address)
	if servesThisComputer(c, own) {
		fmt.Fprintf(w, "try it      %s\n", truststore.Command{Name: "curl", Args: []string{"-x", "http://" + own, "--cacert", root, tryURL}})
	}
	fmt.Fprintf(w, "use it      %s ca install, and %s setup on; or trust the authority in the mail client, and set %s as its proxy\n", program, program, forClients(&c.Listen, address))
	if admin != nil {
		fmt.Fprintf(w, "look at it  %s/ (decisions as they come), /setup (each platform, step by step)\n", adminBase(&c.Listen, here(admin.Addr())))
	}
	fmt.Fprintf(w, "decisions   %s\n", decisions)
}

// servesThisComputer reports whether a client on this computer is served that shows no password and speaks no TLS to the proxy, as the line of printBanner does not.
func servesThisComputer(c *config.Config, own string) bool {
	at, err := netip.ParseAddrPort(own)
	if err != nil || c.Listen.Certificate != "" || c.Clients.Passwords != "" {
		return false
	}
	here := func(p netip.Prefix) bool { return p.Contains(at.Addr().Unmap()) }
	return slices.ContainsFunc(c.Clients.Allow, here) && !slices.ContainsFunc(c.Listen.ProxyProtocol, here)
}

// forClients is what a mail client is told to use. Where the proxy listens on all addresses and has no name, which of them a client reaches is not
// known here; and this computer's loopback address is none of them for clients of another computer, for which such a listener is made.
func forClients(c *config.Listen, address net.Addr) string {
	if at, err := netip.ParseAddrPort(address.String()); err == nil && at.Addr().IsUnspecified() && c.Name == "" {
		return fmt.Sprintf("this computer's address, port %d,", at.Port())
	}
	at := proxyAt(*c, address.String())
	return net.JoinHostPort(at.Host, at.Port)
}
