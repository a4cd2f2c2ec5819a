package main

import (
	"fmt"
	"io"
	"net"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
)

// greet says in a few lines what somebody needs who starts the guard for the first time.
func greet(w io.Writer, c *config.Listen, g *guard, address net.Addr, admin net.Listener, decisions string) {
	root, at := g.authority.RootFile(), proxyAt(*c, here(address)) // [::]:8080 is no address that a client can be given
	fmt.Fprintf(w, "authority   %s\n", root)
	fmt.Fprintf(w, "            SHA-256 %s\n", g.authority.Fingerprint())
	fmt.Fprintf(w, "            it can sign for the guarded names and discovery services only; keep the keys beside it private\n")
	scheme := "http"
	if g.server.TLSConfig != nil {
		scheme = "https"
	}
	fmt.Fprintf(w, "listening   %s://%s (proxy for http and https)\n", scheme, address)
	fmt.Fprintf(w, "try it      curl -x %s://%s --cacert %s https://autodiscover.example.com/autodiscover/autodiscover.xml\n", scheme, here(address), root)
	fmt.Fprintf(w, "use it      %s ca install, and %s setup on; or trust the authority in the mail client, and set %s as its proxy\n", program, program, net.JoinHostPort(at.Host, at.Port))
	if admin != nil {
		fmt.Fprintf(w, "look at it  %s/ (decisions as they come), /setup (each platform, step by step)\n", adminBase(c, here(admin.Addr())))
	}
	fmt.Fprintf(w, "decisions   %s\n", decisions)
}
