package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
	for _, host := range p.close {
		fmt.Fprintf(h, "close %s\n", host)
	}
	fmt.Fprintf(h, "suspected %v\n", p.suspected)
	for _, r := range p.rules {
		fmt.Fprintln(h, r.text())
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// text says everything that a rule's decisions depend on, in words: %#v would write the addresses in memory that netip keeps, and the same policy
// would have another revision in every process.
func (r *rule) text() string {
	return fmt.Sprintf("rule %q domains %q clients %v services %q dialects %q allow %q otherwise %v servers %+q answer %v upstream %v mode %v until %d",
		r.Name, r.Domains, r.Clients, r.Services, r.Dialects, r.Allow, r.Otherwise, fmt.Sprintf("%+v", r.Servers), r.Answer, r.Upstream, r.Mode, r.Until.Unix())
}
