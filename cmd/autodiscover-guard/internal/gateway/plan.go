package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Name is that of the service, of its state directory, and by default of its user.
const Name = "autodiscover-guard"

// Plan says what a gateway is made of. The zero Plan is refused.
type Plan struct {
	// Program is the absolute path of the guard, Config that of its configuration file, empty for none.
	Program, Config string
	// User is whom the guard runs as: a name, or a number where the name is not known yet.
	User string
	// State is the state directory, empty for systemd's own place (StateDirectory=). Writable are further directories that the guard writes to.
	State    string
	Writable []string
	// Proxy, Transparent and Admin are the doors; the zero value of the latter two is none.
	Proxy, Transparent, Admin netip.AddrPort
	// TPROXY says that the packet filter leaves the addresses as they are; otherwise it rewrites them (REDIRECT).
	TPROXY bool
	// Clients are who may use the guard: only their connections are sent to it.
	Clients []netip.Prefix
	// Private are the ranges of the gateway's surroundings that the guard dials; AllPrivate that it dials all.
	Private    []netip.Prefix
	AllPrivate bool
	// Ports are what is sent to the transparent door.
	Ports []uint16
	// Drain is how long the guard may take to end, zero for not at all; Descriptors is how many it may need.
	Drain       time.Duration
	Descriptors int64
	// Sockets has systemd make all listeners. It makes those that take a privilege (TPROXY, ports below 1024) in any case.
	Sockets bool
}

// File is one file of a gateway.
type File struct {
	// Part is its name for those who want only some, Path where it goes.
	Part, Path string
	// Text is what it says; it begins with comments that name the path.
	Text string
}

// Files are all files of the plan, in the order in which they are put in place.
func (p Plan) Files() ([]File, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	files := []File{p.file("user", "/etc/sysusers.d/"+Name+".conf", "user.conf", p)}
	for _, d := range p.sockets() {
		files = append(files, p.file("sockets", "/etc/systemd/system/"+d.Unit(), "door.socket", d))
	}
	files = append(files, p.file("service", "/etc/systemd/system/"+Name+".service", "guard.service", p))
	if !p.Transparent.IsValid() {
		return files, nil
	}
	if p.forwards() {
		files = append(files, p.file("sysctl", "/etc/sysctl.d/60-"+Name+".conf", "sysctl.conf", p))
	}
	rules := "redirect.nft"
	if p.TPROXY {
		rules = "tproxy.nft"
	}
	return append(files,
		p.file("nftables", p.RulesFile(), rules, p),
		p.file("network", "/etc/systemd/system/"+Name+"-network.service", "network.service", p)), nil
}

// check refuses what cannot be meant.
func (p Plan) check() error {
	if p.Program == "" || p.User == "" || !p.Proxy.IsValid() || p.Drain < 0 || p.Descriptors <= 0 {
		return errors.New("planning the gateway: program, user, proxy and descriptors are needed")
	}
	for _, d := range p.doors() {
		if d.At.Port() == 0 {
			return fmt.Errorf("planning the gateway: listen.%s has port 0, and a gateway needs one that stays", d.Name)
		}
	}
	for _, text := range append([]string{p.Program, p.Config, p.User, p.State}, p.Writable...) {
		if !needsNoQuoting(text) {
			return fmt.Errorf("planning the gateway: %q has characters that mean something to systemd", text)
		}
	}
	if p.User == "root" || p.User == "0" {
		return errors.New("planning the gateway: the guard's own connections are told by its user, so it needs one of its own; root has others")
	}
	return nil
}

// needsNoQuoting reports whether a text means itself in a unit and in nftables, without quoting.
func needsNoQuoting(text string) bool {
	for _, c := range text {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '/' && c != '.' && c != '-' && c != '_' && c != '+' && c != '@' && c < 0x80 {
			return false
		}
	}
	return true
}

// door is one listener.
type door struct {
	Name        string
	At          netip.AddrPort
	Transparent bool
}

// Unit is the name of its socket.
func (d door) Unit() string { return Name + "-" + d.Name + ".socket" }

// Named reports whether it has one address, and not all.
func (d door) Named() bool { return !d.At.Addr().IsUnspecified() }

func (p Plan) doors() []door {
	all := []door{{"proxy", p.Proxy, false}}
	if p.Transparent.IsValid() {
		all = append(all, door{"transparent", p.Transparent, p.TPROXY})
	}
	if p.Admin.IsValid() {
		all = append(all, door{"admin", p.Admin, false})
	}
	return all
}
