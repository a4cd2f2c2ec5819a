package certs

import "crypto/x509"

// subtrees are the names of name constraints (RFC 5280, section 4.2.1.10), normalised, to look up as verifiers read them: each stands for itself and everything
// below it, whole labels at a time; with a dot in front, which other CAs write and RFC 5280 does not know, only for what is below.
type subtrees map[string]struct{}

func newSubtrees(names []string) subtrees {
	all := make(subtrees, len(names))
	for _, name := range names {
		all[normalise(name)] = struct{}{}
	}
	return all
}

// contain reports whether a normalised name lies in one of them.
func (s subtrees) contain(name string) bool {
	if _, ok := s[name]; ok {
		return true
	}
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		if _, ok := s[name[i:]]; ok {
			return true
		}
		if _, ok := s[name[i+1:]]; ok {
			return true
		}
	}
	return false
}

// constraints are those of one certificate. The zero value permits nothing.
type constraints struct {
	// unlimited says that the certificate lists no permitted names; that some in its chain does is checked when it is loaded.
	unlimited           bool
	permitted, excluded subtrees
}

func constraintsOf(cert *x509.Certificate) constraints {
	return constraints{len(cert.PermittedDNSDomains) == 0, newSubtrees(cert.PermittedDNSDomains), newSubtrees(cert.ExcludedDNSDomains)}
}

// permit reports whether they let the certificate vouch for a normalised name.
func (c constraints) permit(name string) bool {
	return (c.unlimited || c.permitted.contain(name)) && !c.excluded.contain(name)
}
