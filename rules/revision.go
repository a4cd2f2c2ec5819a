package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
)

// fingerprint hashes everything that decisions depend on.
func (p *Policy) fingerprint() string {
	h := sha256.New()
	for _, e := range p.reserved.Entries() {
		fmt.Fprintf(h, "reserved %s %d\n", e.Name, e.Nature)
	}
	for _, host := range p.open {
		fmt.Fprintf(h, "open %s\n", host)
	}
	fmt.Fprintf(h, "suspected %v\n", p.suspected)
	for _, r := range p.rules {
		fmt.Fprintf(h, "rule %#v\n", r.Rule)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// isAddress reports whether host is an address literal, for which no certificate can be made.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
