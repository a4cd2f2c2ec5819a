package main

import (
	"net"

	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
)

// proxyAt is the guard as clients reach it: by the name that the configuration gives it, else by the address, at the address's port.
func proxyAt(c config.Listen, address string) companion.Proxy {
	host, port, err := net.SplitHostPort(address)
	if err != nil { // of an address that a listener has, or that the configuration was checked for
		host, port = address, ""
	}
	if c.Name != "" {
		host = c.Name
	}
	return companion.Proxy{Host: host, Port: port, TLS: c.Certificate != "", Open: c.PAC == config.PACOpen}
}

// proxyHere is the URL of the proxy for this computer's own programs, which reach it at address: by that, as the name is for others, unless a certificate has to
// have it. It is empty where the port is not known before the guard runs.
func proxyHere(c config.Listen, address string) string {
	_, port, err := net.SplitHostPort(address)
	switch {
	case err != nil || port == "0":
		return ""
	case c.Certificate == "":
		return "http://" + address
	}
	return proxyAt(c, address).URL()
}
