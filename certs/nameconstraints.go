package certs

import "crypto/x509"

// constraints are the name constraints of one certificate, as verifiers read them. The zero value permits nothing.
type constraints struct {
	// unlimited says that the certificate lists no permitted names; that some in its chain does is checked when it is loaded.
	unlimited           bool
	permitted, excluded nameSet
}

func constraintsOf(cert *x509.Certificate) constraints {
	return constraints{len(cert.PermittedDNSDomains) == 0, newNameSet(cert.PermittedDNSDomains), newNameSet(cert.ExcludedDNSDomains)}
}

// permit reports whether they let the certificate vouch for a normalised name.
func (c constraints) permit(name string) bool {
	return (c.unlimited || c.permitted.covers(name)) && !c.excluded.covers(name)
}
